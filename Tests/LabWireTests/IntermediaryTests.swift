import LabWire
import Testing

@Suite struct IntermediaryTests {
    private let lab = Intermediary(pseudonym: "lab-1")

    @Test(arguments: [
        ("1.1 lab-1", true), ("1.0 a, 1.1 LAB-1", true), ("HTTP/1.1 lab-1 (a, b)", true),
        ("1.1\tlab-1", true), ("1.1 lab-10", false), ("1.1 lab", false), ("lab-1", false),
        ("1.1 a (lab-1)", false), ("", false), (", ,", false),
    ])
    func `it knows its own entry in Via and no other`(value: String, isOwn: Bool) throws {
        let head = try RequestHead(
            parsing: Array("GET / HTTP/1.1\r\nHost: a\r\nvia: 1.1 b\r\nVIA: \(value)\r\n\r\n".utf8)
        )
        #expect(lab.hasSent(head) == isOwn)
    }

    @Test func `Via names the version that the message came in`() throws {
        let request = try RequestHead(parsing: Array("GET / HTTP/1.0\r\nVia: 1.1 a\r\n\r\n".utf8))
        #expect(
            String(decoding: request.forwarded(host: Array("h".utf8), by: lab), as: UTF8.self)
                == "GET / HTTP/1.1\r\nVia: 1.1 a\r\nHost: h\r\nVia: 1.0 lab-1\r\n\r\n"
        )
        let response = try ResponseHead(parsing: Array("HTTP/1.0 200 OK\r\nA: b\r\n\r\n".utf8))
        let sent = response.forwarded(isChunked: false, closes: true, keepsAlive: false, by: lab)
        #expect(
            String(decoding: sent, as: UTF8.self)
                == "HTTP/1.1 200 OK\r\nA: b\r\nVia: 1.0 lab-1\r\nConnection: close\r\n\r\n"
        )
    }

    @Test(arguments: [
        ("127.0.0.1", "127.0.0.1", true), ("localhost", "127.0.0.1", true),
        ("::1", "0.0.0.0", true), ("127.9.9.9", "::", true), ("192.0.2.1", "192.0.2.1", true),
        ("localhost", "192.0.2.1", false), ("192.0.2.1", "127.0.0.1", false),
        ("example", "0.0.0.0", false),
    ])
    func `a server's own names are known`(host: String, bound: String, isName: Bool) {
        let server = Authority(host: bound, port: 8888)
        #expect(Authority(host: host, port: 8888).isName(of: server) == isName)
        #expect(!Authority(host: host, port: 8889).isName(of: server))
    }
}
