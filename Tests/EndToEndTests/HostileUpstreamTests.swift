import Foundation
import LabTestSupport
import Testing

/// Every case of ``upstreamRows``, and each row's sound neighbour, through one `lab record --upstream`.
struct UpstreamRun: Sendable {
    static let shared = Result { try UpstreamRun(upstreamRows) }

    let session: String
    /// By the row's name: the neighbour's first, then those of the cases.
    let dialogues: [String: [(path: String, dialogue: Dialogue)]]
    let stored: [Int: [StoredExchange]]
    /// What the upstream heard, head by head.
    let heard: [String]
    let end: Finished

    init(_ rows: [UpstreamRow]) throws {
        let cases = rows.flatMap { row in
            ([UpstreamCase(answer: row.sound, stored: "200 ok")] + row.cases).map { (row.name, $0) }
        }
        let upstream = try ScriptedServer { head in
            let number = head.firstMatch(of: #/ /case/(\d+) /#).flatMap { Int($0.1) }
            // What follows a case on its connection, and shows that the next answer is the next one's.
            return number.map { cases[$0].1.answer } ?? "HTTP/1.1 203 \r\nContent-Length: 0\r\n\r\n"
        }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        var dialogues: [String: [(path: String, dialogue: Dialogue)]] = [:]
        for (number, (name, item)) in cases.enumerated() {
            let path = "/case/\(number)"
            let text = item.request.replacingOccurrences(of: "{path}", with: path)
            let dialogue = try Dialogue(to: lab, Array((text + HostileRun.probe).utf8))
            dialogues[name, default: []].append((path, dialogue))
        }
        self.dialogues = dialogues
        session = lab.session
        end = lab.stop()
        heard = upstream.requests
        stored = try lab.storedExchanges()
    }
}

/// What a client may see of an upstream that gets HTTP wrong.
@Suite struct HostileUpstreamTests {
    @Test(arguments: upstreamRows)
    func `each way for an upstream to get HTTP wrong is answered and stored as its section says`(
        row: UpstreamRow
    ) throws {
        let run = try UpstreamRun.shared.get()
        let dialogues = try #require(run.dialogues[row.name]).dropFirst()
        try #require(dialogues.count == row.cases.count)
        for (item, (path, dialogue)) in zip(row.cases, dialogues) {
            let said: Comment = "\(row.testDescription): \(item.answer.utf8.prefix(200).shown)"
            let stored = try #require(run.stored[dialogue.port], said)
            let probed = item.closes ? [] : ["203 ok"]
            #expect(stored.map(\.description) == [item.stored] + probed, said)
            #expect(dialogue.statuses.filter { $0 >= 200 } == stored.map(\.status), said)
            #expect(dialogue.isClosed, said)
            for deviation in stored.flatMap(\.deviations) {
                #expect(
                    row.sections.contains {
                        $0 == deviation.section || $0.hasPrefix(deviation.section + ".")
                    },
                    "\(said): \(deviation.section)"
                )
            }
            #expect((stored.first?.error ?? "").isEmpty == (stored.first?.outcome == "ok"), said)
            // Of `Via`, which has its own tests, no row says anything.
            let answered = dialogue.text.replacing(/Via: [^\r]*\r\n/, with: "")
            for text in item.received { #expect(answered.contains(text), said) }
            for text in item.withheld { #expect(!dialogue.text.contains(text), said) }
            let heard = run.heard.filter { $0.contains(" \(path) ") }
            #expect(heard.count == (item.heard.isEmpty ? 0 : 1), said)
            for text in item.heard {
                let text = text.replacingOccurrences(of: "{path}", with: path)
                #expect(heard.allSatisfy { $0.contains(text) }, "\(said): \(heard)")
            }
            for text in item.unheard {
                #expect(heard.allSatisfy { !$0.contains(text) }, "\(heard)")
            }
        }
    }

    @Test(arguments: upstreamRows)
    func `its sound neighbour is sent on, and nothing is noted`(row: UpstreamRow) throws {
        let run = try UpstreamRun.shared.get()
        let dialogue = try #require(run.dialogues[row.name]?.first?.dialogue)
        let said: Comment = "\(row.testDescription)"
        let stored = try #require(run.stored[dialogue.port], said)
        #expect(stored.map(\.description) == ["200 ok", "203 ok"], said)
        #expect(dialogue.statuses == [200, 203], said)
        #expect(dialogue.text.contains("hi"), said)
    }

    /// RFC 9112 3.2.4: whoever asked the proxy for no path at all asked about the whole server.
    @Test(arguments: [
        ("OPTIONS", "", "*"), ("OPTIONS", "/", "/"), ("GET", "", "/"), ("GET", "?q", "/?q"),
    ])
    func `an absolute target without a path is sent on as what it means`(
        method: String,
        path: String,
        sent: String
    ) throws {
        let origin = try ScriptedServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" }
        defer { origin.stop() }
        let lab = try LabRecord()
        defer { lab.stop() }
        let authority = "127.0.0.1:\(origin.port)"
        _ = try lab.exchange(
            "\(method) http://\(authority)\(path) HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n"
        )
        let heard = try #require(origin.requests.first)
        #expect(heard.hasPrefix("\(method) \(sent) HTTP/1.1\r\nHost: \(authority)\r\n"), "\(heard)")
        #expect(!heard.contains("evil"))
    }

    /// RFC 9110 10.1.1: it is the upstream's to say whether the content is wanted.
    @Test func `an upstream that does not want the content says so before it is sent`() throws {
        let upstream = try ScriptedServer { _ in
            "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"
        }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        let request =
            "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
        let dialogue = try Dialogue(to: lab, Array(request.utf8))
        lab.stop()
        #expect(dialogue.statuses == [417])
        #expect(dialogue.isClosed)
        #expect(upstream.requests.first?.contains("Expect: 100-continue\r\n") == true)
    }

    @Test func `lab show points into the upstream's answer, and never into our own 502`() throws {
        let run = try UpstreamRun.shared.get()
        func shown(_ name: String) throws -> String {
            let dialogue = try #require(run.dialogues[name]?[1].dialogue)
            let exchange = try #require(run.stored[dialogue.port]?.first)
            return try Tool.run(Place.lab, "show", run.session, "\(exchange.id)").output
        }
        let bent = try shown("space before the colon is taken out")
        #expect(bent.contains("    A : b\\r\\n\n     ^\n"), "\(bent)")
        let refused = try shown("a field folded over two lines")
        #expect(refused.contains("line-folding (RFC 9112 5.2): the response folds a field"))
        #expect(refused.contains("     c\\r\\n\n    ^\n"), "\(refused)")
    }

    @Test func `what an upstream sent instead of a head is kept as it came`() throws {
        let sent = "HTTP/1.1 200 OK\r\nA: b\r\nNo colon\r\n\r\n"
        let upstream = try ScriptedServer { _ in sent + "and what came after" }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        #expect(try lab.get("/", "-i").hasPrefix("HTTP/1.1 502 "))
        lab.stop()
        #expect(
            try lab.sql("SELECT CAST(refused_answer AS TEXT) = '\(sent)' FROM exchange")
                == "1"
        )
        let json = try Tool.run(Place.lab, "show", lab.session, "1", "--json").output
        #expect(json.contains("refused_answer"), "\(json)")
    }

    @Test func `none of it harms the recording`() throws {
        let run = try UpstreamRun.shared.get()
        #expect(run.end.status == 0, "\(run.end.errors)")
        #expect(try Tool.run(Place.lab, "check", run.session).status == 0)
    }
}
