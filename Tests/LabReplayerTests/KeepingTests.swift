// Of which answers a result carries the head and the content.

import Histogram
import LabExchange
import Testing

@testable import LabReplayer

@Suite(.timeLimit(.minutes(1)))
struct KeepingTests {
    private static let plain = "HTTP/1.1 200 OK\r\nX: 1\r\nContent-Length: 5\r\n\r\n"
    private static let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    private func run(_ keeping: Keeping) throws -> Run {
        let server = LoopbackServer { seen in
            switch seen.target {
            case "/same": [.send(Self.plain + "hello")]
            case "/slow": [.sendBytewise(Self.plain + "hello")]
            case "/chunked":
                [
                    .send(
                        "HTTP/1.1 103 Early Hints\r\n\r\n" + Self.chunked
                            + "5\r\nhello\r\n0\r\n\r\n"
                    )
                ]
            case "/status": [.send(response("hello", status: 500))]
            case "/content": [.send(Self.plain + "hallo")]
            case "/cut": [.send(Self.plain + "hel"), .close]
            default: [.close]
            }
        }
        let targets = ["/same", "/slow", "/chunked", "/status", "/content", "/cut", "/dead"]
        return try server.replay(
            targets.enumerated().map { .make(Int64($0.offset + 1), target: $0.element) }
        ) { $0.keeping = keeping }
    }

    private func heads(_ run: Run) -> [String?] {
        run.results.map { $0.head.map { String(decoding: $0, as: UTF8.self) } }
    }

    @Test func `each answer's head is given where all are to be kept`() throws {
        let run = try run(.all)
        let status = "HTTP/1.1 500 Any\r\nContent-Length: 5\r\n\r\n"
        #expect(
            heads(run)
                == [Self.plain, Self.plain, Self.chunked, status, Self.plain, Self.plain, nil]
        )
        // A content that is the captured one is not given: who wants it has it.
        let contents = run.results.map {
            $0.differingBody.map { String(decoding: $0.bytes, as: UTF8.self) }
        }
        #expect(contents == [nil, nil, nil, nil, "hallo", "hel", nil])
    }

    @Test func `only heads of answers that do not match are given else`() throws {
        let run = try run(.differing)
        let status = "HTTP/1.1 500 Any\r\nContent-Length: 5\r\n\r\n"
        #expect(heads(run) == [nil, nil, nil, status, Self.plain, Self.plain, nil])
        #expect(run.results.map(\.differingBody?.size) == [nil, nil, nil, nil, 5, 3, nil])
    }

    @Test func `without anything kept there are totals and no results`() throws {
        let run = try run(.nothing)
        #expect(run.results.isEmpty)
        #expect(run.summary.requests == 7)
        #expect(run.summary.ok == 5)
        #expect(run.summary.mismatches == 4)
        #expect(run.summary.histogram.totalCount == 5)
    }

    @Test func `a head that was given stays what it was when the next one comes`() throws {
        let server = LoopbackServer { seen in
            [.send(response("hello", fields: "X-Place: \(seen.place)\r\n"))]
        }
        let run = try server.replay((1...50).map { .make($0) }) { $0.keeping = .all }
        #expect(
            heads(run)
                == (1...50).map {
                    "HTTP/1.1 200 Any\r\nX-Place: \($0)\r\nContent-Length: 5\r\n\r\n"
                }
        )
    }
}
