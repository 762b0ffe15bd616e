import LabExchange
import LabWire
import Testing

@testable import LabReplayer

/// What a session is sent, once the target has given it other values than were captured.
@Suite struct CorrelatorTests {
    private static let old = "q7Xp2Lm9Zr4T"
    private static let new = "Completely 100% new & longer"
    private static let html = "Content-Type: text/html\r\n"

    /// A correlator for one captured session, and its requests as they are rendered.
    private struct Scene {
        var correlator: Correlator
        var plan: CorrelationPlan
        var requests: [[UInt8]]

        init(_ exchanges: [CapturedExchange], _ rules: CorrelationRules? = nil) throws {
            let rules = rules ?? CorrelationRules.found(in: [exchanges])
            requests = try exchanges.map { try #require(RequestAnatomy(captured: $0)).bytes }
            plan = CorrelationPlan(rules)
            plan.add(
                session: zip(exchanges, requests).enumerated().map { place, pair in
                    CorrelationTurn(place: place, request: pair.1, exchange: pair.0)
                }
            )
            correlator = Correlator(plan, slots: 2)
        }

        mutating func answer(
            _ place: Int,
            _ content: String,
            _ fields: String = CorrelatorTests.html,
            slot: Int = 0
        ) {
            correlator.answer(
                place,
                slot: slot,
                head: Array("HTTP/1.1 200 OK\r\n\(fields)\r\n".utf8),
                content: Array(content.utf8)
            )
        }

        mutating func request(_ place: Int, slot: Int = 0) -> String? {
            let bytes = correlator.request(place, slot: slot, bytes: requests[place])
            return bytes.map { String(decoding: $0, as: UTF8.self) }
        }
    }

    private static func page(_ fields: String = html) -> CapturedExchange {
        .make(
            1,
            target: "/form",
            answer: "<input name=csrf value=\(old)>",
            answerFields: fields
        )
    }

    private static func post(
        _ fields: String,
        _ body: String = "csrf=\(old)&name=x"
    )
        -> CapturedExchange
    {
        .make(
            2,
            method: "POST",
            target: "/send",
            fields: fields,
            content: .make(body)
        )
    }

    @Test func `a form is sent with the live token and its own length`() throws {
        let type = "Content-Type: application/x-www-form-urlencoded\r\n"
        var scene = try Scene([
            Self.page(), Self.post(type + "Content-Length: 24\r\n", "csrf=\(Self.old)&name=xy"),
        ])
        #expect(!scene.correlator.changes(0) && scene.correlator.watches(0))
        #expect(scene.correlator.changes(1) && !scene.correlator.watches(1))
        scene.correlator.begin(slot: 0)
        #expect(scene.request(0) == nil)
        scene.answer(0, "<input value='\(Self.new)' name=csrf>")
        let body = "csrf=Completely+100%25+new+%26+longer&name=xy"
        #expect(
            scene.request(1)
                == "POST /send HTTP/1.1\r\nHost: recorded.example\r\n\(type)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
        )
        #expect(scene.correlator.misses == 0)
    }

    @Test func `a chunked form is chunked anew`() throws {
        let type = "Content-Type: application/x-www-form-urlencoded\r\n"
        var scene = try Scene([
            Self.page(), Self.post(type + "Transfer-Encoding: chunked\r\n"),
        ])
        scene.answer(0, "<input name=csrf value=abc>")
        #expect(scene.request(1)?.hasSuffix("\r\n\r\nf\r\ncsrf=abc&name=x\r\n0\r\n\r\n") == true)
    }

    @Test(arguments: [("gzip", true), ("br", false)])
    func `a page in gzip is read, one in a coding that is not known is none`(
        _ coding: String,
        _ isRead: Bool
    ) throws {
        let header = CapturedExchange.make(2, fields: "X-Token: \(Self.old)\r\n")
        var scene = try Scene([Self.page(), header])
        let page = Array("<input name=csrf value=zipped>".utf8)
        // One block that is stored as it is (RFC 1951 3.2.4); the checksum is not looked at.
        let zipped: [UInt8] =
            [
                0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 1, UInt8(page.count), 0, ~UInt8(page.count),
                255,
            ]
            + page + Array(repeating: 0, count: 8)
        scene.correlator.answer(
            0,
            slot: 0,
            head: Array("HTTP/1.1 200 OK\r\n\(Self.html)Content-Encoding: \(coding)\r\n\r\n".utf8),
            content: zipped
        )
        #expect(scene.request(1)?.contains("X-Token: zipped\r\n") == (isRead ? true : nil))
    }

    @Test func `an answer without the value leaves the captured one, and counts`() throws {
        let type = "Content-Type: application/x-www-form-urlencoded\r\n"
        var scene = try Scene([
            Self.page(), Self.post(type + "Content-Length: 24\r\n", "csrf=\(Self.old)&name=xy"),
        ])
        scene.answer(0, "<p>Under maintenance</p>")
        #expect(scene.request(1) == nil)
        #expect(scene.correlator.misses == 1)
    }

    @Test func `sessions do not see each other's values, nor those of the round before`() throws {
        let header = CapturedExchange.make(2, fields: "X-Token: \(Self.old)\r\n")
        var scene = try Scene([Self.page(), header])
        scene.answer(0, "<input name=csrf value=first>", slot: 0)
        scene.answer(0, "<input name=csrf value=second>", slot: 1)
        #expect(scene.request(1, slot: 0)?.contains("X-Token: first\r\n") == true)
        #expect(scene.request(1, slot: 1)?.contains("X-Token: second\r\n") == true)
        scene.correlator.begin(slot: 0)
        #expect(scene.request(1, slot: 0) == nil)
        #expect(scene.correlator.misses == 1)
    }

    @Test func `a line end in a value begins no field`() throws {
        let header = CapturedExchange.make(2, fields: "X-Token: \(Self.old)\r\n")
        var scene = try Scene([Self.page(), header])
        scene.answer(0, "<input name=csrf value='a\r\nEvil: 1'>")
        #expect(scene.request(1)?.contains("X-Token: aEvil: 1\r\n") == true)
    }

    @Test func `JSON, a path and a part of a header get the value as each is written`() throws {
        let old = Self.old
        let answer = CapturedExchange.make(
            1,
            target: "/start",
            answer: "{\"t\":\"\(old)\"}",
            answerFields: "Content-Type: application/json\r\n"
        )
        let json = "{\"a\": [1, {\"t\": \"\(old)\"}]}"
        let next = CapturedExchange.make(
            2,
            method: "PUT",
            target: "/things/\(old)/x?y=\(old)",
            fields:
                "Authorization: Bearer \(old)\r\nContent-Type: application/json\r\nContent-Length: \(json.utf8.count)\r\n",
            content: .make(json)
        )
        var scene = try Scene([answer, next])
        scene.answer(0, "{\"t\":\"a\\\"b/c\"}", "Content-Type: application/json\r\n")
        let request = scene.request(1)
        let sent = try #require(request)
        #expect(sent.hasPrefix("PUT /things/a%22b%2Fc/x?y=a%22b%2Fc HTTP/1.1\r\n"))
        #expect(sent.contains("\r\nAuthorization: Bearer a\"b/c\r\n"))
        #expect(sent.hasSuffix("\r\n\r\n{\"a\": [1, {\"t\": \"a\\\"b/c\"}]}"))
        #expect(sent.contains("Content-Length: 27\r\n"))
    }

    @Test func `cookies are replaced, each by its own, and those of nobody's stay`() throws {
        let login = CapturedExchange.make(
            1,
            target: "/login",
            answer: "",
            answerFields: "Set-Cookie: sid=one; Path=/\r\nSet-Cookie: deep=two; Path=/a\r\n"
        )
        let next = CapturedExchange.make(
            2,
            target: "/a/b",
            fields: "Cookie: tz=UTC; sid=one; deep=two\r\n"
        )
        var scene = try Scene([login, next])
        scene.answer(
            0,
            "",
            "Set-Cookie: deep=D2; Path=/a\r\nSet-Cookie: sid=S1; Path=/; Domain=other.example\r\n"
        )
        #expect(scene.request(1)?.contains("Cookie: tz=UTC; sid=S1; deep=D2\r\n") == true)
        #expect(scene.correlator.misses == 0)
        scene.correlator.begin(slot: 0)
        scene.answer(0, "", "Set-Cookie: sid=S3\r\nSet-Cookie: deep=D4; Path=/elsewhere\r\n")
        // The second is not for this path: what was captured is sent, and the miss is counted.
        #expect(scene.request(1)?.contains("Cookie: tz=UTC; sid=S3; deep=two\r\n") == true)
        #expect(scene.correlator.misses == 1)
    }

    @Test func `a cookie that is taken away is a miss where it is sent all the same`() throws {
        let set = CapturedExchange.make(1, answer: "", answerFields: "Set-Cookie: sid=one\r\n")
        let use = CapturedExchange.make(2, fields: "Cookie: sid=one\r\n", answerFields: "")
        var scene = try Scene([set, use])
        scene.answer(0, "", "Set-Cookie: sid=two\r\nSet-Cookie: sid=; Max-Age=0\r\n")
        #expect(scene.request(1) == nil)
        #expect(scene.correlator.misses == 1)
    }

    @Test func `without rules nothing is changed and nothing watched`() throws {
        let scene = try Scene([Self.page(), Self.post("")], CorrelationRules())
        #expect(scene.plan.isEmpty)
        #expect(!scene.correlator.watches(0) && !scene.correlator.changes(1))
    }
}

/// Cookies as RFC 6265 keeps them.
@Suite struct CookieJarTests {
    private func cookie(_ text: String) throws -> SetCookie {
        try #require(SetCookie(Array(text.utf8)[...]))
    }

    @Test func `a cookie goes to its host, its path and what is below`() throws {
        var jar = CookieJar()
        jar.set(try cookie("a=1; Path=/x"), host: "h", path: "/")
        jar.set(try cookie("a=2"), host: "h", path: "/")
        jar.set(try cookie("b=3; Domain=.example.com"), host: "www.example.com", path: "/q/r")
        func values(_ name: String, _ host: String, _ path: String) -> [String] {
            jar.values(of: name, host: host, path: path).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(values("a", "h", "/x/y") == ["1", "2"])
        #expect(values("a", "h", "/xy") == ["2"])
        #expect(values("a", "other", "/x") == [])
        #expect(values("b", "api.example.com", "/q/s") == ["3"])
        #expect(values("b", "example.com.evil", "/q") == [])
        #expect(values("b", "api.example.com", "/") == [])
    }

    @Test func `a later cookie of the same name, host and path takes its place`() throws {
        var jar = CookieJar()
        jar.set(try cookie("a=1"), host: "h", path: "/")
        jar.set(try cookie(" a = 2 ;HttpOnly"), host: "h", path: "/z")
        #expect(jar.values(of: "a", host: "h", path: "/") == [Array("2".utf8)])
        jar.set(try cookie("a=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"), host: "h", path: "/")
        #expect(jar.values(of: "a", host: "h", path: "/") == [])
    }

    @Test func `what is no pair sets nothing`() {
        #expect(SetCookie(Array("novalue; Path=/".utf8)[...]) == nil)
        #expect(SetCookie(Array("=x".utf8)[...]) == nil)
        #expect(SetCookie([]) == nil)
    }
}

/// Enough of HTML.
@Suite struct MarkupTagTests {
    private func tags(_ text: String) -> [String] {
        MarkupTag.all(in: Array(text.utf8)[...]).map { tag in
            let attributes = tag.attributes.map {
                "\($0.name)=\(String(decoding: $0.value, as: UTF8.self))"
            }
            return ([tag.element] + attributes).joined(separator: " ")
        }
    }

    @Test func `attributes are read as browsers read them`() {
        #expect(
            tags("<P><Input NAME=a value='b &amp; \"c\"' checked/><!-- <i x=y> --></p><br/>")
                == ["p", "input name=a value=b & \"c\" checked=", "br"]
        )
        #expect(tags("a < b <1> <a href = /x?a=1&b=2 >") == ["a href=/x?a=1&b=2"])
    }

    @Test(arguments: ["<", "<a", "<a b='", "<!--", "<a =", "<a b", "<!-- <a> --"])
    func `what does not end is no tag`(_ text: String) {
        #expect(tags(text) == [])
    }

    @Test(.timeLimit(.minutes(1)), arguments: ["<a ", "<a b='", "<!-", "<a =="])
    func `a million of the same take no time`(_ text: String) {
        #expect(tags(String(repeating: text, count: 300_000)) == [])
    }
}

/// JSON with places.
@Suite struct JSONLeavesTests {
    private func leaves(_ text: String) -> [String]? {
        JSONLeaves.of(Array(text.utf8)[...])?
            .map { "\($0.pointer)=\(String(decoding: $0.value, as: UTF8.self))" }
    }

    @Test func `leaves are strings and numbers, each by its pointer`() {
        #expect(
            leaves(" {\"a/b\": [true, {\"~\": \"x\\u00e9\\ud83d\\ude00\\n\"}], \"\": -1.5e3} ")
                == ["/a~1b/1/~0=xé😀\n", "/=-1.5e3"]
        )
        #expect(leaves("\"whole\"") == ["=whole"])
        #expect(leaves("[]") == [] && leaves("{ }") == [])
    }

    @Test(arguments: ["", "{", "[1", "{\"a\":}", "[1] x", "\"\\u12", "nul", "{a:1}"])
    func `what is no JSON has no leaves`(_ text: String) {
        #expect(leaves(text) == nil)
    }

    @Test func `nesting without an end is refused`() {
        #expect(leaves(String(repeating: "[", count: 100_000)) == nil)
    }
}
