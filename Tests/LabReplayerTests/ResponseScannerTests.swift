// The scanner against LabWire's parser: it may not know, but must never know better.

import LabWire
import Testing

@testable import LabReplayer

struct ResponseScannerTests {
    private static let heads = [
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Wed, 25 Nov 2026 15:51:40 GMT\r\n"
            + "Content-Type: text/plain\r\nContent-Length: 14\r\nConnection: keep-alive\r\n\r\n",
        "HTTP/1.1 404 Not Found\r\ncontent-length: 123456\r\nCONNECTION:close\r\n\r\n",
        "HTTP/1.1 500 \r\nX-Tab:\ta\tb\r\nContent-LENGTH:\t7\r\nEmpty:\r\nX-Obs: \u{FC}\r\n\r\n",
        "HTTP/1.1 201 Created\r\nContent-Length: 5\r\nABCDEFGHIJ: ten\r\nX-Fourteen-xyz: 1\r\n\r\n",
    ]

    private func scan(_ bytes: [UInt8]) -> ScannedHead? {
        bytes.withUnsafeBufferPointer { all in
            all.baseAddress.flatMap { ResponseScanner.scan($0, all.count) }
        }
    }

    /// Whether the scanner agrees with the parser about `bytes`, or does not know.
    private func agrees(_ bytes: [UInt8]) -> Bool {
        guard let scanned = scan(bytes) else { return true }
        guard let head = try? ResponseHead(parsing: Array(bytes.prefix(scanned.length))) else {
            return false
        }
        let framing: BodyFraming =
            scanned.contentLength == 0 ? .none : .length(UInt64(scanned.contentLength))
        return head.status == Int(scanned.status) && head.persists == !scanned.closes
            && head.framing(forMethod: Array("GET".utf8)) == framing
    }

    @Test(arguments: heads)
    func `a common head is understood`(text: String) throws {
        let head = Array(text.utf8)
        let scanned = try #require(scan(head + Array("content".utf8)))
        #expect(scanned.length == head.count)
        #expect(agrees(head))
    }

    @Test(arguments: heads)
    func `a head that is not whole is not understood`(text: String) {
        let head = Array(text.utf8)
        for length in 0..<head.count { #expect(scan(Array(head.prefix(length))) == nil) }
    }

    @Test(arguments: heads)
    func `a head with any byte changed is understood as the parser does, or not at all`(
        text: String
    ) {
        let head = Array(text.utf8)
        for place in head.indices {
            for byte in UInt8.min...UInt8.max {
                var changed = head
                changed[place] = byte
                #expect(agrees(changed), "byte \(byte) at \(place)")
            }
        }
    }

    @Test(arguments: heads)
    func `a head with any byte missing or doubled is understood as the parser does, or not at all`(
        text: String
    ) {
        let head = Array(text.utf8)
        for place in head.indices {
            var shorter = head
            shorter.remove(at: place)
            #expect(agrees(shorter), "without \(place)")
            var longer = head
            longer.insert(head[place], at: place)
            #expect(agrees(longer), "\(place) doubled")
        }
    }

    @Test(arguments: [
        "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5 \r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive, close\r\n\r\n",
        "HTTP/1.1 200 OK\nContent-Length: 5\n\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 5\r\n\r\n",
    ])
    func `what is unusual is left to the reader`(text: String) {
        #expect(scan(Array(text.utf8)) == nil)
    }
}
