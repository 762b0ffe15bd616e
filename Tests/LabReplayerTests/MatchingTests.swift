// What counts as the captured answer, and what is said of one that is not.

import LabExchange
import Testing

@testable import LabReplayer

@Suite(.timeLimit(.minutes(1)))
struct MatchingTests {
    struct Heads: Sendable {
        var captured: String
        var came: String
        var ignoring: Set<String> = []
        var isHead = false
        var name: String?
    }

    @Test(arguments: [
        Heads(captured: "A: 1\r\nB: 2", came: "A: 1\r\nB: 2"),
        Heads(captured: "A: 1\r\nB: 2", came: "b:2\r\na:  1 "),
        Heads(captured: "A: 1\r\nB: 2", came: "A: 1\r\nB: 3", name: "b"),
        Heads(captured: "A: 1\r\nB: 2", came: "A: 1", name: "b"),
        Heads(captured: "A: 1", came: "A: 1\r\nB: 2", name: "b"),
        Heads(captured: "A: 1\r\nB: 2", came: "A: 1\r\nB: 3", ignoring: ["b"]),
        Heads(captured: "A: 1\r\nB: 2", came: "A: 1", ignoring: ["b"]),
        Heads(captured: "A: 1", came: "B: 2\r\nA: 1", ignoring: ["b"]),
        // New each time, but there each time.
        Heads(captured: "Date: then\r\nA: 1", came: "Date: now\r\nA: 1"),
        Heads(captured: "Date: then\r\nA: 1", came: "A: 1", name: "date"),
        Heads(captured: "X-B3-TraceId: 1", came: "x-b3-traceid: 2"),
        // Only the exact name: it is part of this one.
        Heads(captured: "X-Candidate-Id: 1", came: "X-Candidate-Id: 2", name: "x-candidate-id"),
        Heads(captured: "ETag: \"1\"", came: "ETag: \"2\"", name: "etag"),
        // What frames the message or concerns the connection may change.
        Heads(
            captured: "Content-Length: 5\r\nA: 1",
            came: "A: 1\r\nTransfer-Encoding: chunked\r\nConnection: close"
        ),
        Heads(
            captured: "Content-Length: 5",
            came: "Content-Length: 6",
            isHead: true,
            name: "content-length"
        ),
        // Several lines are one list, and their order counts.
        Heads(captured: "Vary: a\r\nVary: b", came: "Vary: a, b"),
        Heads(captured: "Vary: a\r\nVary: b", came: "Vary: b\r\nVary: a", name: "vary"),
        Heads(
            captured: "Set-Cookie: sid=1; Path=/; Expires=Mon; HttpOnly",
            came: "Set-Cookie: sid=2; path=/; Expires=Tue; HttpOnly"
        ),
        Heads(
            captured: "Set-Cookie: sid=1; Path=/; HttpOnly",
            came: "Set-Cookie: sid=1; Path=/",
            name: "set-cookie"
        ),
        Heads(captured: "Set-Cookie: sid=1", came: "Set-Cookie: id=1", name: "set-cookie"),
        Heads(captured: "A: 1\r\nB: 2\r\nA: 3", came: "A: 1\r\nA: 3\r\nB: 2"),
    ])
    func `heads are compared by name and value`(row: Heads) {
        let check = HeaderCheck(ignored: row.ignoring)
        let captured = Array("HTTP/1.1 200 OK\r\n\(row.captured)\r\n\r\n".utf8)
        let came = Array("HTTP/1.1 200 Fine\r\n\(row.came)\r\n\r\n".utf8)
        let name = captured.withUnsafeBufferPointer { captured in
            came.withUnsafeBufferPointer {
                check.difference(captured, $0, comparesLength: row.isHead)
            }
        }
        #expect(name == row.name)
    }

    private let server = LoopbackServer { seen in
        switch seen.target {
        case "/same": [.send(response("hello", fields: "A: 1\r\n"))]
        case "/status": [.send(response("hello", status: 500, fields: "A: 1\r\n"))]
        case "/header": [.send(response("hello", fields: "A: 2\r\n"))]
        case "/body": [.send(response("hallo", fields: "A: 1\r\n"))]
        default: [.close]
        }
    }

    private func mismatches(_ parts: Matching.Parts) throws -> (Run, [String?]) {
        let exchanges = ["/same", "/status", "/header", "/body", "/dead"].enumerated()
            .map { place, target in
                var exchange = CapturedExchange.make(Int64(place + 1), target: target)
                exchange.responseHead = Array(
                    "HTTP/1.1 200 Any\r\nA: 1\r\nContent-Length: 5\r\n\r\n".utf8
                )
                return exchange
            }
        let run = try server.replay(exchanges) { $0.matching.parts = parts }
        #expect(run.results.map(\.matches) == run.results.map { $0.mismatch == nil })
        return (run, run.results.map(\.mismatch))
    }

    @Test func `status and content are compared where nothing else is said`() throws {
        let (run, found) = try mismatches(Matching().parts)
        #expect(found == [nil, "status", nil, "body", "outcome"])
        #expect(run.summary.byMismatch == ["status": 1, "body": 1, "outcome": 1])
        #expect(run.summary.mismatches == 3)
    }

    @Test func `all parts can be compared, or one`() throws {
        #expect(
            try mismatches([.status, .headers, .body]).1
                == [nil, "status", "header:a", "body", "outcome"]
        )
    }

    @Test func `whether an answer came at all always counts`() throws {
        #expect(try mismatches([]).1 == [nil, nil, nil, nil, "outcome"])
    }

    @Test func `a content that is not compared is kept all the same`() throws {
        let (run, found) = try mismatches([.headers])
        #expect(found == [nil, nil, "header:a", nil, "outcome"])
        #expect(run.results[3].differingBody?.bytes == Array("hallo".utf8))
    }

    struct Contents: Sendable {
        var captured: String
        var came: String
        var ignoring: [String] = ["/at"]
        var most = 1000
        var mismatch: String?
    }

    @Test(arguments: [
        Contents(captured: #"{"at":1,"b":2}"#, came: #"{ "b": 2.0, "at": 9 }"#),
        Contents(captured: #"{"at":1,"b":2}"#, came: #"{"at":9,"b":3}"#, mismatch: "body:/b"),
        Contents(captured: #"{"at":1,"b":2}"#, came: #"[]"#, mismatch: "body"),
        Contents(captured: #"{"at":1,"b":2}"#, came: "oops", mismatch: "body"),
        Contents(captured: "oops", came: #"{"at":1}"#, mismatch: "body"),
        // Equal as JSON; but it was not asked to be read as such.
        Contents(captured: #"{"at":1}"#, came: #"{ "at":1 }"#, ignoring: [], mismatch: "body"),
        // Not all of it was kept, so it cannot be read.
        Contents(captured: #"{"at":1}"#, came: #"{"at":2}"#, most: 5, mismatch: "body"),
    ])
    func `places of JSON can be ignored`(row: Contents) throws {
        for keeping in [Keeping.differing, .nothing] {
            let server = LoopbackServer { _ in [.send(response(row.came))] }
            let run = try server.replay([.make(1, answer: row.captured)]) {
                $0.matching.ignoredPointers = row.ignoring.compactMap { JSONPointer($0) }
                $0.mostBodyBytes = row.most
                $0.keeping = keeping
            }
            #expect(run.summary.byMismatch == row.mismatch.map { [$0: 1] } ?? [:])
        }
    }

    @Test func `a content is compared without its coding`() throws {
        let text = "{\"a\":1,\"at\":5}"
        let gzip: [UInt8] = [0x1F, 0x8B, 8, 0, 1, 2, 3, 4, 0, 3, 1, UInt8(text.utf8.count), 0]
        // A stored block, so that no compressor is needed; the checksum is not looked at.
        let coded =
            gzip + [~UInt8(text.utf8.count), 0xFF] + Array(text.utf8)
            + Array(repeating: 0, count: 8)
        var later = coded
        later[4] = 99
        func judged(
            _ captured: [UInt8],
            _ came: [UInt8],
            _ fields: String,
            ignoring: [String] = []
        ) -> String? {
            let arena = StableMemory<UInt8>()
            var matching = Matching()
            matching.ignoredPointers = ignoring.compactMap { JSONPointer($0) }
            let content = CapturedContent(
                place: arena.append(contentsOf: captured),
                size: captured.count
            )
            var request = PlannedRequest(
                exchangeID: 1,
                place: 0,
                length: 0,
                methodLength: 0,
                status: 200,
                isPlain: true,
                closes: false,
                comparesContent: true,
                content: content
            )
            let answer = Answer(
                outcome: .ok,
                status: 200,
                differingBody: DifferingBody(digest: [], size: Int64(came.count), bytes: came),
                head: Array("HTTP/1.1 200 OK\r\n\(fields)\r\n".utf8)
            )
            return withUnsafePointer(to: &request) {
                AnswerJudge(matching, UnsafePointer(arena.base)).mismatch($0, answer, wasSent: true)
            }
        }
        let field = "Content-Encoding: gzip\r\n"
        #expect(judged(coded, later, field) == nil)
        // A server that begins to compress, or ceases to.
        #expect(judged(Array(text.utf8), later, field) == nil)
        #expect(judged(coded, Array(text.utf8), "") == nil)
        #expect(judged(coded, later, field + "Content-Encoding: br\r\n") == "body")
        // Without the field these bytes are the content itself.
        #expect(judged(coded, later, "") == "body")
        var other = later
        other[20] = UInt8(ascii: "2")
        #expect(judged(coded, other, field) == "body")
        #expect(judged(coded, other, field, ignoring: ["/at"]) == "body:/a")
        #expect(judged(coded, other, field, ignoring: ["/a"]) == nil)
        #expect(judged(coded, later.dropLast(9), field) == "body")
    }

    @Test func `of very many reasons only the kinds are counted`() {
        var totals = WorkerTotals(isOpen: false)
        for place in 0..<1000 {
            totals.add(
                ReplayResult(
                    exchangeID: 1,
                    round: 0,
                    connection: 1,
                    intendedNs: 1,
                    sentNs: 1,
                    firstByteNs: 1,
                    doneNs: 2,
                    status: 200,
                    outcome: .ok,
                    matches: false,
                    differingBody: nil,
                    mismatch: "header:x-\(place)"
                ),
                route: 0,
                waitedForAnswer: false
            )
        }
        #expect(totals.counts.mismatches == 1000)
        #expect(totals.byMismatch.count == 257)
        #expect(totals.byMismatch["header"] == 744)
    }
}
