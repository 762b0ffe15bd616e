import LabTestSupport
import LabWire
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct RequestReaderTests {
    @Test func `pipelined requests come out one after another`() {
        let one = "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n"
        let two = "POST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n"
        let said = requestDialogue(bytes(one + two + "abc" + one))
        #expect(
            said == [
                "head \(one)", "end", "head \(two)", "content abc", "end", "head \(one)", "end",
                "closed",
            ]
        )
    }

    @Test func `chunks are taken out of their framing and extensions are ignored`() {
        let head = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        let said = requestDialogue(
            bytes(head + "3;name=\"a;b\"\r\nabc\r\nA\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n")
        )
        #expect(said == ["head \(head)", "content abc0123456789", "end", "closed"])
    }

    @Test func `a head that bends a rule passes and the rule is noted with its place`() {
        let head = "GET / HTTP/1.1\nHost: a\n\n"
        #expect(
            requestDialogue(bytes(head)) == [
                "head \(head)", "bent bare-line-feed at 14", "end", "closed",
            ]
        )
        let led = "\r\nGET / HTTP/1.1\r\nHost:\r\n\r\n"
        #expect(
            requestDialogue(bytes(led)) == [
                "head \(led)", "bent leading-empty-line at 0", "bent host-empty at 23", "end",
                "closed",
            ]
        )
        let zero = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 003\r\n\r\n"
        #expect(
            requestDialogue(bytes(zero + "abc")) == [
                "head \(zero)", "bent content-length-leading-zero at 42", "content abc", "end",
                "closed",
            ]
        )
    }

    @Test func `the tutorial's client is understood`() {
        let request = "GET /hello HTTP/1.1\nHost: localhost:8888\n\n"
        #expect(requestDialogue(bytes(request)).first == "head \(request)")
    }

    @Test func `a connection that brings nothing is closed and not refused`() {
        #expect(requestDialogue([]) == ["closed"])
        #expect(requestDialogue(bytes("\r\n")) == ["closed"])
    }

    @Test func `HTTP 1.0 needs no Host and does not persist unless it asks`() throws {
        let plain = try RequestHead(parsing: bytes("GET / HTTP/1.0\r\n\r\n"))
        #expect(!plain.persists)
        let asking = try RequestHead(
            parsing: bytes("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")
        )
        #expect(asking.persists)
    }

    @Test func `HTTP 1.2 is spoken as 1.1`() throws {
        let head = try RequestHead(parsing: bytes("GET / HTTP/1.2\r\nHost: a\r\n\r\n"))
        #expect(head.minorVersion == 2)
        #expect(head.persists)
    }

    @Test func `fields keep their order, their case and their repetition`() throws {
        let head = try RequestHead(
            parsing: bytes("GET / HTTP/1.1\r\nhOsT: a\r\nX-B: 1\r\nX-A:  2 \r\nX-B: 3\r\n\r\n")
        )
        let seen = head.fields.map {
            String(decoding: head.name(of: $0), as: UTF8.self) + "="
                + String(decoding: head.value(of: $0), as: UTF8.self)
        }
        #expect(seen == ["hOsT=a", "X-B=1", "X-A=2", "X-B=3"])
    }
}
