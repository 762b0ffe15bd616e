import LabExchange
import LabWire
import Testing

@testable import LabReplayer

struct PartialAnswerTests {
    /// The answer that `parts` make, against the captured content `hello`.
    private func read(_ parts: [ArraySlice<UInt8>], ends: Bool, method: String = "GET") -> Answer? {
        let captured = Array("hello".utf8)
        return captured.withUnsafeBufferPointer { arena in
            guard let base = arena.baseAddress else { return nil }
            let check = ContentCheck(
                CapturedContent(place: 0, size: 5),
                base,
                most: 1 << 20
            )
            return Array(method.utf8).withUnsafeBufferPointer { method in
                let partial = PartialAnswer(method: method, check: check)
                for part in parts {
                    if let answer = part.withUnsafeBytes({ partial.receive($0) }) { return answer }
                }
                return ends ? partial.receiveEnd() : nil
            }
        }
    }

    struct Row: Sendable {
        var text: String
        var ends = false
        var status: Int16 = 200
        var outcome = ReplayOutcome.ok
        var persists = true
        var isCaptured = true
    }

    private static let rows = [
        Row(text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        Row(text: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhallo", isCaptured: false),
        Row(text: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", persists: false),
        Row(text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"),
        Row(
            text: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nh\r\n0\r\n\r\n",
            isCaptured: false
        ),
        Row(
            text: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nhello",
            status: 404
        ),
        Row(text: "HTTP/1.1 200 OK\r\n\r\nhello", ends: true, persists: false),
        Row(
            text: "HTTP/1.1 200 OK\r\n\r\nhel",
            ends: true,
            persists: false,
            isCaptured: false
        ),
        Row(
            text: "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello",
            ends: true,
            outcome: .truncated,
            persists: false
        ),
        Row(
            text: "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
            status: 101,
            persists: false,
            isCaptured: false
        ),
        Row(
            text: "HTTP/1.1 100 Continue\r\n\r\n",
            ends: true,
            status: 0,
            outcome: .reset,
            persists: false
        ),
        Row(
            text: "no\r\n\r\n",
            ends: true,
            status: 0,
            outcome: .malformed,
            persists: false
        ),
    ]

    @Test(arguments: rows)
    func `an answer is the same wherever its bytes are split`(row: Row) throws {
        let bytes = Array(row.text.utf8)
        for first in 0...bytes.count {
            for second in first...bytes.count {
                let parts = [bytes[..<first], bytes[first..<second], bytes[second...]]
                let answer = try #require(read(parts, ends: row.ends))
                #expect(answer.status == row.status)
                #expect(answer.outcome == row.outcome)
                #expect(answer.persists == row.persists)
                #expect(answer.hasCapturedContent == row.isCaptured)
            }
        }
    }

    @Test func `a response to HEAD ends with its head`() throws {
        let bytes = Array("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n".utf8)
        let answer = try #require(read([bytes[...]], ends: false, method: "HEAD"))
        #expect(answer.outcome == .ok)
        #expect(answer.differingBody?.size == 0)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    ])
    func `bytes after the end cost the connection, not the answer`(text: String) throws {
        let answer = try #require(read([Array((text + "H").utf8)[...]], ends: false))
        #expect(answer.outcome == .ok)
        #expect(answer.hasCapturedContent)
        #expect(!answer.persists)
    }
}
