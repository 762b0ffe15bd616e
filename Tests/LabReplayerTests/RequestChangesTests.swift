// What is sent, where it is not what was captured.

import LabExchange
import LabWire
import Testing

@testable import LabReplayer

struct RequestChangesTests {
    private func plan(
        _ exchanges: [CapturedExchange],
        _ change: (inout RequestChanges) throws -> Void
    ) rethrows -> ReplayPlan {
        var settings = ReplaySettings(
            target: Authority(host: "target.example", port: 81),
            addresses: [],
            keepsHopByHop: true
        )
        try change(&settings.changes)
        return ReplayPlan(exchanges, settings)
    }

    private func text(_ plan: ReplayPlan, _ place: Int = 0) -> String {
        let request = plan.requests[place]
        let bytes = UnsafeBufferPointer(
            start: plan.arena.base + request.place,
            count: Int(request.length)
        )
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `fields are set in place, added where there are none, and removed`() {
        let plan = plan([
            .make(1, fields: "a: old\r\nB: 2\r\nA: older\r\nCookie: x\r\nD: 4\r\n")
        ]) {
            $0.setFields = [.init(name: "A", value: "new"), .init(name: "E", value: "5")]
            $0.removedFields = ["cookie", "X-None"]
        }
        #expect(
            text(plan)
                == "GET / HTTP/1.1\r\nHost: target.example:81\r\nA: new\r\nB: 2\r\nD: 4\r\nE: 5\r\n\r\n"
        )
        #expect(
            plan.changed.map { "\($0.option) \($0.count)" } == [
                "Host: target.example:81 1", "--set-header 'A: new' 1", "--set-header 'E: 5' 1",
                "--remove-header cookie 1", "--remove-header X-None 0",
            ]
        )
    }

    @Test func `a field that is set twice is two fields`() {
        let plan = plan([.make(1, fields: "A: old\r\n")]) {
            $0.setFields = [.init(name: "A", value: "1"), .init(name: "a", value: "2")]
        }
        #expect(text(plan).hasSuffix("\r\nA: 1\r\na: 2\r\n\r\n"))
    }

    @Test func `a request that is told to close closes, and its content stays what it is`() {
        let plan = plan([
            .make(1, method: "POST", fields: "Content-Length: 2\r\n", content: .make("hi"))
        ]) { $0.setFields = [.init(name: "Connection", value: "close")] }
        #expect(plan.requests[0].closes)
        #expect(text(plan).hasSuffix("Content-Length: 2\r\nConnection: close\r\n\r\nhi"))
    }

    @Test func `Host stays where it is to stay, that of an absolute target too`() {
        let plan = plan([.make(1), .make(2, target: "http://other.example/a")]) {
            $0.keepsHost = true
        }
        #expect(text(plan) == "GET / HTTP/1.1\r\nHost: recorded.example\r\n\r\n")
        #expect(text(plan, 1) == "GET /a HTTP/1.1\r\nHost: other.example\r\n\r\n")
    }

    @Test(arguments: [
        ("^/v1/=>/v2/", "/v1/a?b=/v1/", "/v2/a?b=/v1/"), ("a=>b", "/aha", "/bhb"),
        (#"/(\d+)/(\w+)=>/$2/$1"#, "/12/x", "/x/12"), (#"x(y)?=>[$1]$$1$0"#, "/x", "/[]$1x"),
        ("=>a=>b", "/=>a", "/b"), ("z=>y", "/a", "/a"),
        (#"\?.*=>"#, "/a?b=c", "/a"), ("é=>e", "/é", "/e"),
    ])
    func `targets are rewritten`(rule: String, target: String, sent: String) throws {
        let plan = try plan([.make(1, target: target)]) { $0.rewrites = [try TargetRewrite(rule)] }
        #expect(text(plan).hasPrefix("GET \(sent) HTTP/1.1\r\n"))
    }

    @Test func `rules apply one after the other, and are counted`() throws {
        let plan = try plan([
            .make(1, target: "/a"), .make(2, target: "/a"), .make(3, target: "/b"),
        ]) {
            $0.rewrites = [try TargetRewrite("^/a$=>/b"), try TargetRewrite("^/b$=>/c")]
        }
        #expect((0..<3).allSatisfy { text(plan, $0).hasPrefix("GET /c ") })
        #expect(plan.changed.dropFirst().map(\.count) == [2, 3])
    }

    @Test(arguments: ["^/=>", "a=>b c", "a=>b\u{1}", "a=>#"])
    func `a target that no request can name is left out with a reason`(rule: String) throws {
        let plan = try plan([.make(1, target: "/a"), .make(2, target: "*", fields: "")]) {
            $0.rewrites = [try TargetRewrite(rule)]
        }
        #expect(plan.skipped.first?.reason == .rewrittenTarget)
    }

    @Test(arguments: [
        ("no arrow", "has no '=>'"), ("a(=>b", "is no regular expression: "),
        ("(a)=>$2", "has no group $2"), ("a=>$1", "has no group $1"),
    ])
    func `what is no rule says why`(rule: String, sentence: String) {
        let trouble = #expect(throws: TargetRewrite.Trouble.self) { try TargetRewrite(rule) }
        #expect(trouble?.description.hasPrefix(sentence) == true)
    }

    @Test func `methods that are not to be sent are left out and counted`() {
        let plan = plan([.make(1), .make(2, method: "DELETE"), .make(3, method: "get")]) {
            $0.methods = ["GET", "HEAD"]
        }
        #expect(plan.count == 1)
        #expect(
            plan.skipped == [SkippedExchanges(reason: .methodNotAllowed, outcome: .ok, count: 2)]
        )
    }

    @Test func `an outline tells what would be sent`() throws {
        let plan = try plan([
            .make(1, target: "/items/7"), .make(2, target: "/items/8?x"),
            .make(3, connection: 2, method: "DELETE", target: "/items/7"),
            .make(4, connection: 2, outcome: .tunnel),
        ]) { $0.rewrites = [try TargetRewrite("^/items/=>/things/")] }
        let outline = plan.outline(heads: 1)
        #expect(outline.requests == 3 && outline.connections == 2)
        #expect(outline.methods.map(\.method) == ["GET", "DELETE"])
        #expect(outline.methods.map(\.isSafe) == [true, false])
        #expect(outline.routes.map(\.route) == ["/things/{id}", "/things/{id}"])
        #expect(outline.routes.map(\.count) == [2, 1])
        #expect(outline.skipped.map(\.reason) == ["tunnel"])
        #expect(
            outline.firstHeads == ["GET /things/7 HTTP/1.1\r\nHost: target.example:81\r\n"]
        )
        #expect(plan.unsafeMethods.map { "\($0.method) \($0.count)" } == ["DELETE 1"])
    }

    @Test(arguments: [
        ("127.0.0.1", true), ("127.9.9.9", true), ("::1", true), ("::ffff:127.0.0.1", true),
        ("10.0.0.1", false), ("0.0.0.0", false), ("::2", false), ("::ffff:10.0.0.1", false),
    ])
    func `loopback is known from its address`(host: String, isLoopback: Bool) throws {
        let found = try ReplaySettings.resolve(Authority(host: host, port: 80))
        #expect(found.map(\.isLoopback) == [isLoopback])
    }
}
