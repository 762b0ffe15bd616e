import LabExchange
import LabWire
import Testing

@testable import LabReplayer

struct ReplayPlanTests {
    private func plan(
        _ exchanges: [CapturedExchange],
        _ change: (inout ReplaySettings) -> Void = { _ in }
    ) -> ReplayPlan {
        var settings = ReplaySettings(
            target: Authority(host: "target.example", port: 81),
            addresses: [],
            keepsHopByHop: true
        )
        change(&settings)
        return ReplayPlan(exchanges, settings)
    }

    private func text(_ plan: ReplayPlan, _ place: Int) -> String {
        let request = plan.requests[place]
        let bytes = UnsafeBufferPointer(
            start: plan.arena.base + request.place,
            count: Int(request.length)
        )
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `a request is rendered for its target`() {
        let exchange = CapturedExchange.make(
            7,
            method: "POST",
            target: "http://recorded.example/a?b",
            fields: "A: b\r\nContent-Length: 2\r\n",
            content: .make("hi")
        )
        let plan = plan([exchange])
        #expect(
            text(plan, 0)
                == "POST /a?b HTTP/1.1\r\nHost: target.example:81\r\nA: b\r\nContent-Length: 2\r\n\r\nhi"
        )
        #expect(plan.requests[0].exchangeID == 7)
    }

    @Test func `chunked content is sent as one chunk`() {
        let exchange = CapturedExchange.make(
            1,
            method: "PUT",
            fields: "Transfer-Encoding: chunked\r\n",
            content: .make("hello")
        )
        #expect(text(plan([exchange]), 0).hasSuffix("chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
    }

    @Test(arguments: [true, false])
    func `hop-by-hop fields are sent where the recorded target saw them`(keeps: Bool) {
        let plan = plan([.make(1, fields: "Connection: close\r\nTE: trailers\r\n")]) {
            $0.keepsHopByHop = keeps
        }
        #expect(text(plan, 0).contains("TE: trailers") == keeps)
        #expect(plan.requests[0].closes == keeps)
    }

    @Test func `what a proxy sent on is sent as it sent it, and what it answered as it came`() {
        let fields = "Connection: close\r\nVia: 1.0 a\r\n"
        var sentOn = CapturedExchange.make(1, target: "http://recorded.example/p", fields: fields)
        sentOn.intermediary = Intermediary(pseudonym: "lab-1")
        let plan = plan([sentOn, .make(2, fields: fields)])
        #expect(
            text(plan, 0)
                == "GET /p HTTP/1.1\r\nHost: target.example:81\r\nVia: 1.0 a\r\nVia: 1.1 lab-1\r\n\r\n"
        )
        #expect(
            text(plan, 1) == "GET / HTTP/1.1\r\nHost: target.example:81\r\n\(fields)\r\n"
        )
    }

    @Test func `what cannot be sent is counted, with the reason`() {
        var cut = StoredBody.make("hello", kept: 2)
        cut.isTruncated = true
        var unreadable = CapturedExchange.make(5)
        unreadable.requestHead = Array("no head".utf8)
        let plan = plan([
            .make(1, outcome: .badRequest), .make(2, outcome: .badRequest),
            .make(3, outcome: .tunnel),
            .make(4, method: "POST", fields: "Content-Length: 5\r\n", content: cut), unreadable,
            .make(
                6,
                method: "POST",
                fields: "Content-Length: 5\r\n",
                content: .make("he"),
                outcome: .truncated
            ),
            .make(7, method: "CONNECT", target: "a:1", outcome: .upstreamRefused), .make(8),
        ])
        #expect(plan.count == 1)
        #expect(
            plan.skipped == [
                SkippedExchanges(reason: .badRequest, outcome: .badRequest, count: 2),
                SkippedExchanges(reason: .tunnel, outcome: .tunnel, count: 1),
                SkippedExchanges(reason: .incompleteContent, outcome: .ok, count: 1),
                SkippedExchanges(reason: .unreadableHead, outcome: .ok, count: 1),
                SkippedExchanges(reason: .incompleteContent, outcome: .truncated, count: 1),
                SkippedExchanges(reason: .tunnel, outcome: .upstreamRefused, count: 1),
            ]
        )
    }

    @Test func `a connection without anything to send is left out`() {
        let plan = plan([
            .make(1, connection: 1), .make(2, connection: 2, outcome: .tunnel),
            .make(3, connection: 3), .make(4, connection: 3),
        ])
        let settings = ReplaySettings(
            target: Authority(host: "a", port: 1),
            addresses: [],
            keepsHopByHop: true
        )
        let sessions = SessionTable(plan.draft, settings).sessions
        #expect(sessions.map { $0.first..<$0.end } == [0..<1, 1..<3])
    }

    @Test func `equal bodies stand in memory once`() {
        let plan = plan([.make(1, answer: "same"), .make(2, answer: "same"), .make(3, answer: "x")])
        let places = (0..<3).map { plan.requests[$0].content.place }
        #expect(places[0] == places[1])
        #expect(places[0] != places[2])
    }
}
