import LabWire
import Testing

@Suite struct TrailerSectionTests {
    private let lab = Intermediary(pseudonym: "lab-1")

    /// The request's head and its trailers, read from bytes that come one by one.
    private func read(_ message: String) throws -> (RequestHead, TrailerSection) {
        var reader = RequestReader()
        var head: RequestHead?
        for byte in message.utf8 {
            withUnsafeBytes(of: byte) { reader.receive($0) }
            loop: while true {
                switch reader.next() {
                case .head(let found): head = found
                case .end: return (try #require(head), reader.trailers)
                case .content: continue
                case .needsBytes: break loop
                case .refused(let deviation): throw deviation
                case .closed: break loop
                }
            }
        }
        throw Deviation(.bodyTruncated, at: 0)
    }

    private let start = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"

    @Test func `trailers are kept as they came, with their place in the message`() throws {
        let (_, trailers) = try read("\(start)\r\n3;x=y\r\nabc\r\n0\r\nX-Sum:  1 \r\nY:\r\n\r\n")
        #expect(String(decoding: trailers.bytes, as: UTF8.self) == "X-Sum:  1 \r\nY:\r\n")
        #expect(trailers.offset == "\(start)\r\n3;x=y\r\nabc\r\n0\r\n".utf8.count)
        let (_, none) = try read("\(start)\r\n0\r\n\r\n")
        #expect(none.bytes.isEmpty)
        let (_, unchunked) = try read("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(unchunked.bytes.isEmpty)
    }

    @Test func `the next message has trailers of its own`() throws {
        var reader = RequestReader()
        let both = "\(start)\r\n0\r\nX: 1\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        Array(both.utf8).withUnsafeBytes { reader.receive($0) }
        var found: [Int] = []
        while found.count < 2 {
            if case .end = reader.next() { found.append(reader.trailers.bytes.count) }
        }
        #expect(found == [6, 0])
    }

    @Test(arguments: [
        "Content-Length", "transfer-encoding", "HOST", "Authorization", "Content-Type", "Cookie",
        "Set-Cookie", "Connection", "TE", "Trailer", "X-Hop", "Max-Forwards", "If-Match",
    ])
    func `a trailer that must stand in a head is left out and noted where it stood`(
        name: String
    )
        throws
    {
        let message = "\(start)Connection: X-Hop\r\n\r\n0\r\nA: 1\r\n"
        let (head, trailers) = try read("\(message)\(name): 5\r\nB: 2\r\n\r\n")
        let sent = trailers.forwarded(of: head)
        #expect(String(decoding: sent.lines, as: UTF8.self) == "A: 1\r\nB: 2\r\n")
        #expect(sent.dropped == [Deviation(.trailerFieldForbidden, at: message.utf8.count)])
    }

    @Test func `what has no chunks announces no trailers`() throws {
        let host = Array("a".utf8)
        func request(_ framing: String) throws -> String {
            let head = try RequestHead(
                parsing: Array("POST / HTTP/1.1\r\nHost: a\r\nTrailer: X\r\n\(framing)\r\n".utf8)
            )
            return String(decoding: head.forwarded(host: host, by: lab), as: UTF8.self)
        }
        #expect(try request("Transfer-Encoding: chunked\r\n").contains("\r\nTrailer: X\r\n"))
        #expect(try !request("Content-Length: 1\r\n").contains("Trailer"))
        func response(_ framing: String, isChunked: Bool) throws -> String {
            let head = try ResponseHead(
                parsing: Array("HTTP/1.1 200 OK\r\nTrailer: X\r\n\(framing)\r\n".utf8)
            )
            let sent = head.forwarded(
                isChunked: isChunked,
                closes: false,
                keepsAlive: false,
                by: lab
            )
            return String(decoding: sent, as: UTF8.self)
        }
        let chunked = "Transfer-Encoding: chunked\r\n"
        #expect(try response(chunked, isChunked: true).contains("\r\nTrailer: X\r\n"))
        #expect(try !response(chunked, isChunked: false).contains("Trailer"))
        #expect(try !response("", isChunked: true).contains("Trailer"))
    }

    @Test(arguments: [
        ("1.1", "TE: trailers\r\n", "Connection: TE\r\nTE: trailers\r\n"),
        (
            "1.1", "TE: gzip;q=0.5, Trailers\r\nConnection: Upgrade\r\nUpgrade: x\r\n",
            "Connection: Upgrade, TE\r\nTE: trailers\r\nUpgrade: x\r\n"
        ), ("1.1", "TE: gzip\r\n", ""), ("1.0", "TE: trailers\r\n", ""),
    ])
    func `the next server is told that trailers are taken`(
        version: String,
        fields: String,
        sent: String
    ) throws {
        let head = try RequestHead(
            parsing: Array("GET / HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n".utf8)
        )
        #expect(
            String(decoding: head.forwarded(host: Array("a".utf8), by: lab), as: UTF8.self)
                == "GET / HTTP/1.1\r\nHost: a\r\n\(sent)Via: \(version) lab-1\r\n\r\n"
        )
    }
}
