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
        ("1.1", "Connection: upgrade\r\nUpgrade: websocket\r\n", "websocket"),
        ("1.1", "Connection: a, Upgrade\r\nUpgrade: x/1,y\r\nUpgrade: H2C, z\r\n", "x/1, y, z"),
        ("1.1", "Connection: Upgrade\r\nUpgrade: h2c\r\n", nil),
        ("1.1", "Upgrade: websocket\r\n", nil), ("1.1", "Connection: Upgrade\r\n", nil),
        ("1.1", "Connection: Upgrade\r\nUpgrade: ,\r\n", nil),
        ("1.0", "Connection: Upgrade\r\nUpgrade: websocket\r\n", nil),
    ])
    func `what the client offers is offered on, but for h2c`(
        version: String,
        fields: String,
        offer: String?
    ) throws {
        let head = try RequestHead(
            parsing: Array("GET / HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n".utf8)
        )
        let sent = String(decoding: head.forwarded(host: Array("a".utf8), by: lab), as: UTF8.self)
        let lines = offer.map { "Connection: Upgrade\r\nUpgrade: \($0)\r\n" } ?? ""
        #expect(
            sent == "GET / HTTP/1.1\r\nHost: a\r\n\(lines)Via: \(version) lab-1\r\n\r\n"
        )
        #expect(head.offersUpgrade == (offer != nil))
    }

    @Test(arguments: [
        ("101 A", true, "101 A\r\nUpgrade: x\r\nVia: 1.1 lab-1\r\nConnection: Upgrade"),
        (
            "426 A", true,
            "426 A\r\nContent-Length: 3\r\nUpgrade: x\r\nVia: 1.1 lab-1\r\nConnection: Upgrade, close"
        ), ("200 A", false, "200 A\r\nContent-Length: 3\r\nVia: 1.1 lab-1"),
    ])
    func `an answer names the other protocol where the client needs it`(
        line: String,
        closes: Bool,
        sent: String
    ) throws {
        let head = try ResponseHead(
            parsing: Array(
                "HTTP/1.1 \(line)\r\nContent-Length: 3\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
                    .utf8
            )
        )
        let bytes = head.forwarded(isChunked: false, closes: closes, keepsAlive: false, by: lab)
        #expect(String(decoding: bytes, as: UTF8.self) == "HTTP/1.1 \(sent)\r\n\r\n")
    }

    @Test(arguments: [
        ("OPTIONS", "7", 7), ("TRACE", "0", 0), ("TRACE", "007", 7),
        ("TRACE", "99999999999999999999", Int.max), ("GET", "7", nil), ("OPTIONS", "", nil),
        ("OPTIONS", "-1", nil), ("OPTIONS", "1 0", nil), ("OPTIONS", "1\r\nmax-forwards: 1", nil),
    ])
    func `Max-Forwards is one number, of TRACE and OPTIONS only`(
        method: String,
        value: String,
        limit: Int?
    ) throws {
        let lines = "Max-Forwards: \(value)\r\nHost: a\r\n"
        let head = try RequestHead(parsing: Array("\(method) / HTTP/1.1\r\n\(lines)\r\n".utf8))
        #expect(head.maxForwards == limit)
        let sent = String(decoding: head.forwarded(host: Array("a".utf8), by: lab), as: UTF8.self)
        let left = limit.map { "\(max(0, $0 - 1))" } ?? value
        #expect(sent.contains("/1.1\r\nMax-Forwards: \(left)\r\n"), "\(sent)")
        // Who is no proxy counts nothing.
        let direct = String(decoding: head.forwarded(host: Array("a".utf8)), as: UTF8.self)
        #expect(direct.contains("/1.1\r\nMax-Forwards: \(value)\r\n"))
    }

    @Test(arguments: [
        ("A:  b \r\nHost: a\r\n", "A:  b \r\nHost: a\r\n"),
        ("Cookie: c\r\nHost: a\r\nAuthorization: d\r\n", "Host: a\r\n"),
        ("Host: a\r\nproxy-authorization: d\r\nX: 1\r\n", "Host: a\r\nX: 1\r\n"),
    ])
    func `a trace shows the head as it came, without secrets`(fields: String, shown: String) throws
    {
        let head = try RequestHead(
            parsing: Array("\r\nTRACE /p HTTP/1.1\r\n\(fields)\r\n".utf8)
        )
        #expect(
            String(decoding: head.traced, as: UTF8.self) == "TRACE /p HTTP/1.1\r\n\(shown)\r\n"
        )
        let bare = try RequestHead(parsing: Array("TRACE / HTTP/1.0\n\n".utf8))
        #expect(String(decoding: bare.traced, as: UTF8.self) == "TRACE / HTTP/1.0\n\n")
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
