import LabWire
import Testing

/// Reads responses to `method` and says what came.
private func dialogue(_ text: String, method: String = "GET", ends: Bool = true) -> [String] {
    var reader = ResponseReader()
    var said: [String] = []
    reader.expectResponse(toMethod: method.utf8)
    Array(text.utf8).withUnsafeBytes { reader.receive($0) }
    if ends { reader.receiveEnd() }
    while true {
        switch reader.next() {
        case .needsBytes: return said + ["needs bytes"]
        case .head(let head): said.append("head \(head.status)")
        case .content(let run): said.append("content " + String(decoding: run, as: UTF8.self))
        case .end: return said + ["end"]
        case .refused(let deviation): return said + ["refused \(deviation.rule.rawValue)"]
        case .closed: return said + ["closed"]
        }
    }
}

@Suite struct ResponseReaderTests {
    @Test func `a length, chunks and the end of the connection each frame content`() {
        #expect(
            dialogue("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") == [
                "head 200", "content hi", "end",
            ]
        )
        #expect(
            dialogue("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n")
                == ["head 200", "content hi", "end"]
        )
        #expect(dialogue("HTTP/1.1 200 OK\r\n\r\nhi") == ["head 200", "content hi", "end"])
    }

    @Test func `HEAD, 204, 304 and 1xx have no content whatever they say`() {
        #expect(
            dialogue("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", method: "HEAD") == [
                "head 200", "end",
            ]
        )
        #expect(dialogue("HTTP/1.1 204 No Content\r\n\r\n", ends: false) == ["head 204", "end"])
        #expect(
            dialogue("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", ends: false) == [
                "head 304", "end",
            ]
        )
    }

    @Test func `interim responses come before the final one`() {
        #expect(
            dialogue(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
            )
                == ["head 100", "head 103", "head 200", "end"]
        )
    }

    @Test func `chunks of an old server are read, and its connection is not kept`() throws {
        func head(_ version: String) throws(Deviation) -> ResponseHead {
            let fields = "Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
            return try ResponseHead(parsing: Array("HTTP/\(version) 200 OK\r\n\(fields)".utf8))
        }
        let old = try head("1.0")
        #expect(old.framing(forMethod: "GET".utf8) == .chunked)
        #expect(!old.persists)
        #expect(old.deviations.map(\.rule) == [.transferEncodingInVersion10])
        #expect(try head("1.1").persists && head("1.1").deviations.isEmpty)
    }

    @Test func `a missing reason and its space pass`() {
        #expect(dialogue("HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n") == ["head 200", "end"])
        #expect(dialogue("HTTP/1.1 200 \r\nContent-Length: 0\r\n\r\n") == ["head 200", "end"])
    }

    @Test func `space before a colon passes in a response and is noted`() throws {
        let head = try ResponseHead(parsing: Array("HTTP/1.1 200 OK\r\nA : b\r\n\r\n".utf8))
        #expect(head.deviations == [Deviation(.spaceBeforeColon, at: 18)])
    }

    @Test(arguments: [
        ("garbage\r\n\r\n", "refused status-line-malformed"),
        ("HTTP/1.1 2x0 OK\r\n\r\n", "refused status-line-malformed"),
        ("HTTP/2.0 200 OK\r\n\r\n", "refused version-unsupported"),
        ("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\n", "refused line-folding"),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "refused content-length-invalid"),
        ("HTTP/1.1 200 OK\r\nContent-Le", "refused head-truncated"),
        ("", "closed"),
    ])
    func `what is no response is refused`(text: String, last: String) {
        #expect(dialogue(text).last == last)
    }

    /// It was refused for a target, which a response does not have.
    @Test func `a response whose status line never ends has a head that is too large`() {
        #expect(
            dialogue("HTTP/1.1 200 \(String(repeating: "a", count: 70_000))")
                == ["refused head-too-large"]
        )
    }

    @Test func `content that ends early is truncated and never complete`() {
        #expect(
            dialogue("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi") == [
                "head 200", "content hi", "refused body-truncated",
            ]
        )
        #expect(
            dialogue("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n")
                == ["head 200", "content hi", "refused body-truncated"]
        )
    }
}
