import Foundation
import LabTestSupport
import Testing

/// `Upgrade`: requests that change what their connection speaks.
@Suite struct UpgradeTests {
    private let offer = "Connection: Upgrade\r\nUpgrade: chat/2\r\n"
    private let switched =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: chat/2\r\n"

    private func request(
        _ fields: String,
        method: String = "GET",
        version: String = "1.1"
    ) -> String {
        "\(method) /chat HTTP/\(version)\r\nHost: a\r\n\(fields)\r\n"
    }

    private func reverseProxy(_ server: RawServer, _ options: [String] = []) throws -> LabRecord {
        try LabRecord(["--upstream", "http://127.0.0.1:\(server.port)"] + options)
    }

    private func head(_ end: RawClient) -> String { end.read { $0.hasSuffix("\r\n\r\n") } }

    @Test(arguments: ["reverse", "absolute", "connect"])
    func `a WebSocket works through a proxy, and its frames are on record`(way: String) throws {
        let server = try WebSocketScript.server()
        defer { server.stop() }
        let lab = try LabRecord(
            way == "reverse" ? ["--upstream", "http://127.0.0.1:\(server.port)"] : []
        )
        let end = try WebSocketScript.client(way, lab: lab.port, server: server.port)
        #expect(end.status == 0, "\(end.errors)")
        #expect(end.output == "5 200 70000 pong closed\n")
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT method, status, outcome, error IS NULL, response_ended_ns > request_ns OR request_ns > response_started_ns FROM exchange"
            ) == (way == "connect" ? "CONNECT|200|tunnel|1|1" : "GET|101|tunnel|1|1")
        )
        // What the server said: five frames, each with 2, 4 or 10 bytes before its content. The tunnel
        // of CONNECT holds the handshake as well.
        let frames = 2 + 5 + 4 + 200 + 10 + 70000 + 2 + 4 + 2 + 2
        let said = "SELECT b.size FROM exchange e JOIN body b ON b.id = e.response_body_id"
        let size = try #require(Int(try lab.sql(said)))
        #expect(way == "connect" ? size > frames : size == frames)
        #expect(
            try lab.sql(
                "SELECT instr(CAST(response_head AS TEXT), 'Sec-WebSocket-Accept: ') > 0 FROM exchange"
            ) == (way == "connect" ? "0" : "1")
        )
    }

    @Test func `ten thousand messages through a tunnel come back as they were sent`() throws {
        let server = try WebSocketScript.server()
        defer { server.stop() }
        let lab = try LabRecord()
        let end = try WebSocketScript.flood("connect", lab: lab.port, server: server.port)
        #expect(end.output == "10000 came back\n", "\(end.errors)")
        lab.stop()
        // Either side sent each of the messages; a client's frame is longer by its mask of four bytes.
        #expect(
            try lab.sql(
                """
                SELECT outcome, q.size > a.size + 39000, q.truncated + a.truncated FROM exchange e
                JOIN body q ON q.id = e.request_body_id JOIN body a ON a.id = e.response_body_id
                """
            ) == "tunnel|1|0"
        )
    }

    @Test func `an upgrade is offered to the upstream, and its answer is the client's`() throws {
        let server = try RawServer()
        let lab = try reverseProxy(server)
        let client = try RawClient(port: lab.port)
        try client.send(
            request(
                "Connection: keep-alive, Upgrade, X-Hop\r\nX-Hop: 1\r\nUpgrade: chat/2, chat\r\n"
            )
        )
        let peer = try server.accept()
        let seen = head(peer)
        #expect(seen.contains("\r\nConnection: Upgrade\r\nUpgrade: chat/2, chat\r\n"))
        #expect(!seen.contains("keep-alive") && !seen.contains("X-Hop"))
        // The first bytes of the other protocol come with the head.
        try peer.send(switched + "Content-Length: 5\r\nX-Up: 1\r\n\r\nhello")
        let answer = client.read { $0.hasSuffix("hello") }
        #expect(
            answer.hasPrefix("HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat/2\r\nX-Up: 1\r\n")
        )
        #expect(answer.contains("\r\nConnection: Upgrade\r\n\r\nhello"))
        try client.send("to you")
        #expect(peer.read { $0.count >= 6 } == "to you")
        client.endSending()
        #expect(peer.readToEnd().isEmpty)
        try peer.send(" and bye")
        peer.endSending()
        #expect(client.readToEnd() == " and bye")
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT e.status, e.outcome, CAST(q.bytes AS TEXT), CAST(a.bytes AS TEXT), e.request_ns > e.response_started_ns FROM exchange e JOIN body q ON q.id = request_body_id JOIN body a ON a.id = response_body_id"
            ) == "101|tunnel|to you|hello and bye|1"
        )
    }

    @Test func `an upstream that stays with HTTP answers as always, and the connection goes on`()
        throws
    {
        let upstream = try LabRecord()
        let lab = try LabRecord(["--upstream", upstream.url("")])
        let client = try RawClient(port: lab.port)
        for _ in 0..<2 {
            try client.send(
                "GET /environ HTTP/1.1\r\nHost: a\r\n\(offer)\r\n"
            )
            let answer = client.read { $0.hasSuffix("}") }
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"))
            #expect(answer.contains("\"HTTP_UPGRADE\":\"chat/2\""))
        }
        client.endSending()
        _ = client.readToEnd()
        lab.stop()
        upstream.stop()
        #expect(
            try lab.sql("SELECT status, outcome, request_ns > head_ns FROM exchange")
                == "200|ok|1\n200|ok|1"
        )
        #expect(try upstream.sql("SELECT count(DISTINCT connection_id) FROM exchange") == "1")
    }

    @Test(arguments: [
        ("Connection: Upgrade\r\nUpgrade: chat\r\n", "1.0"), ("Upgrade: chat\r\n", "1.1"),
        ("Connection: Upgrade\r\n", "1.1"),
        (
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
            "1.1"
        ),
    ])
    func `what is no offer for a proxy is not passed on, and 101 is then no answer`(
        fields: String,
        version: String
    ) throws {
        let server = try RawServer()
        let lab = try reverseProxy(server)
        let client = try RawClient(port: lab.port)
        try client.send(request(fields, version: version))
        let peer = try server.accept()
        let seen = head(peer)
        #expect(!seen.contains("pgrade") && !seen.contains("HTTP2"), "\(seen)")
        try peer.send(switched + "\r\n")
        #expect(client.read { $0.contains("\r\n\r\n") }.hasPrefix("HTTP/1.1 502 "))
        client.endSending()
        lab.stop()
        #expect(try lab.sql("SELECT status, outcome FROM exchange") == "502|upstream_failed")
    }

    @Test func `content that is under way when the protocol changes is sent first`() throws {
        let server = try RawServer()
        let lab = try reverseProxy(server)
        let client = try RawClient(port: lab.port)
        try client.send(request(offer + "Content-Length: 10\r\n", method: "POST") + "01234")
        let peer = try server.accept()
        _ = peer.read { $0.hasSuffix("\r\n\r\n01234") }
        try peer.send("HTTP/1.1 100 Continue\r\n\r\n" + switched + "\r\nfirst")
        let answer = client.read { $0.contains("HTTP/1.1 101 ") && $0.hasSuffix("\r\n\r\n") }
        #expect(answer.hasPrefix("HTTP/1.1 100 Continue\r\n"))
        try client.send("56789second")
        #expect(peer.read { $0.hasSuffix("second") } == "56789second")
        #expect(client.read { $0.count >= 5 } == "first")
        client.endSending()
        peer.endSending()
        _ = client.readToEnd()
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT outcome, CAST(q.bytes AS TEXT), CAST(a.bytes AS TEXT) FROM exchange e JOIN body q ON q.id = request_body_id JOIN body a ON a.id = response_body_id"
            ) == "tunnel|0123456789second|first"
        )
    }

    @Test func `a client that must upgrade is told to what`() throws {
        let upstream = try ScriptedServer { _ in
            "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade\r\nUpgrade: chat/2\r\nContent-Length: 0\r\n\r\n"
        }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        let answer = try lab.get("/", "-i")
        #expect(answer.contains("\r\nUpgrade: chat/2\r\n"))
        #expect(answer.contains("\r\nConnection: Upgrade\r\n"))
        lab.stop()
        #expect(try lab.sql("SELECT status, outcome FROM exchange") == "426|ok")
    }

    @Test func `an upgraded connection outlives the deadline of requests, not that of silence`()
        throws
    {
        let server = try RawServer()
        let lab = try reverseProxy(
            server,
            ["--child-timeout", "100ms", "--upstream-timeout", "1s", "-v"]
        )
        let client = try RawClient(port: lab.port)
        try client.send(request(offer))
        let peer = try server.accept()
        _ = head(peer)
        try peer.send(switched + "\r\n")
        _ = head(client)
        #expect(lab.outputLine(with: "the tunnel was silent for 1.0 s") != nil)
        #expect(client.readToEnd().isEmpty && peer.readToEnd().isEmpty)
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT e.outcome, c.fate FROM exchange e JOIN child c USING (connection_id)"
            )
                == "tunnel|exited"
        )
    }
}

/// WebSocket (RFC 6455) in as many lines of Python as it takes, at both ends.
private enum WebSocketScript {
    struct Server {
        let tool: Tool
        let port: Int

        func stop() {
            tool.signal(SIGKILL)
            _ = tool.finish()
        }
    }

    static func server() throws -> Server {
        let tool = try Tool(["python3", "-u", "-c", common + echo])
        guard let port = tool.outputLine(with: "port ").flatMap({ Int($0.dropFirst(5)) }) else {
            throw Trouble("the WebSocket server did not start: \(tool.finish().errors)")
        }
        return Server(tool: tool, port: port)
    }

    /// Says five, 200 and 70,000 bytes, a ping and goodbye, and prints what comes back.
    static func client(_ way: String, lab: Int, server: Int) throws -> Finished {
        try Tool.run("python3", "-c", common + handshake + talk, way, "\(lab)", "\(server)")
    }

    /// Says ten thousand messages of any bytes, as fast as they go, and compares what comes back.
    static func flood(_ way: String, lab: Int, server: Int) throws -> Finished {
        try Tool.run("python3", "-c", common + handshake + many, way, "\(lab)", "\(server)")
    }

    private static let common = """
        import base64, hashlib, os, socket, struct, sys, threading
        def digest(key):
            magic = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            return base64.b64encode(hashlib.sha1((key + magic).encode()).digest()).decode()
        def head(f):
            lines = []
            while True:
                line = f.readline().decode().rstrip("\\r\\n")
                if not line: return lines[0], {k.lower(): v for k, v in (l.split(": ", 1) for l in lines[1:])}
                lines.append(line)
        def exactly(f, n):
            b = f.read(n)
            assert len(b) == n, "the connection ended inside a frame"
            return b
        def receive(f, masked):
            first, second = exactly(f, 2)
            assert first & 0x80 and bool(second & 0x80) == masked, "not such a frame"
            n = second & 0x7F
            if n == 126: n, = struct.unpack(">H", exactly(f, 2))
            elif n == 127: n, = struct.unpack(">Q", exactly(f, 8))
            mask = exactly(f, 4) if masked else bytes(4)
            return first & 0xF, bytes(b ^ mask[i % 4] for i, b in enumerate(exactly(f, n)))
        def send(f, opcode, content, masked):
            n, bit = len(content), 0x80 if masked else 0
            length = struct.pack("B", bit | n) if n < 126 else struct.pack(">BH", bit | 126, n) if n < 65536 else struct.pack(">BQ", bit | 127, n)
            mask = os.urandom(4) if masked else b""
            f.write(bytes([0x80 | opcode]) + length + mask + bytes(b ^ mask[i % 4] if masked else b for i, b in enumerate(content)))
            f.flush()

        """

    private static let echo = """
        def serve(s):
            f = s.makefile("rwb")
            line, fields = head(f)
            assert line == "GET /chat?x=1 HTTP/1.1", line
            assert fields["upgrade"].lower() == "websocket" and "upgrade" in fields["connection"].lower()
            f.write(("HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: %s\\r\\n\\r\\n" % digest(fields["sec-websocket-key"])).encode())
            f.flush()
            while True:
                opcode, content = receive(f, True)
                send(f, {9: 10}.get(opcode, opcode), content, False)
                if opcode == 8: break
            s.shutdown(socket.SHUT_WR)
        listener = socket.create_server(("127.0.0.1", 0))
        print("port %d" % listener.getsockname()[1])
        while True: threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """

    private static let handshake = """
        way, lab, server = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
        s = socket.create_connection(("127.0.0.1", lab), timeout=30)
        f = s.makefile("rwb")
        host = "127.0.0.1:%d" % (lab if way == "reverse" else server)
        if way == "connect":
            f.write(("CONNECT %s HTTP/1.1\\r\\nHost: %s\\r\\n\\r\\n" % (host, host)).encode())
            f.flush()
            assert head(f)[0].split()[1] == "200"
        target = "http://%s/chat?x=1" % host if way == "absolute" else "/chat?x=1"
        key = base64.b64encode(os.urandom(16)).decode()
        f.write(("GET %s HTTP/1.1\\r\\nHost: %s\\r\\nConnection: Upgrade\\r\\nUpgrade: websocket\\r\\nSec-WebSocket-Version: 13\\r\\nSec-WebSocket-Key: %s\\r\\n\\r\\n" % (target, host, key)).encode())
        f.flush()
        line, fields = head(f)
        assert line.split()[1] == "101", line
        assert fields["upgrade"] == "websocket" and fields["connection"].lower() == "upgrade", fields
        assert fields["sec-websocket-accept"] == digest(key), fields

        """

    private static let many = """
        import random
        draw = random.Random(7)
        messages = [draw.randbytes(draw.randrange(300)) for _ in range(10000)]
        def say():
            for message in messages: send(f, 2, message, True)
        saying = threading.Thread(target=say)
        saying.start()
        for message in messages: assert receive(f, False) == (2, message)
        saying.join()
        send(f, 8, b"\\x03\\xe8", True)
        assert receive(f, False) == (8, b"\\x03\\xe8")
        print(len(messages), "came back")
        """

    private static let talk = """
        said = []
        for n in 5, 200, 70000:
            send(f, 1, b"x" * n, True)
            opcode, content = receive(f, False)
            assert (opcode, content) == (1, b"x" * n)
            said.append(str(n))
        send(f, 9, b"ping", True)
        assert receive(f, False) == (10, b"ping")
        send(f, 8, b"\\x03\\xe8", True)
        assert receive(f, False) == (8, b"\\x03\\xe8")
        assert f.read() == b""
        print(*said, "pong closed")
        """
}
