import Foundation
import LabTestSupport
import Testing

/// `CONNECT`: bytes both ways between a client and the server that it names.
@Suite struct TunnelTests {
    private let established = "HTTP/1.1 200 Connection Established\r\n"

    private func connect(_ lab: LabRecord, to port: Int, ahead: String = "") throws -> RawClient {
        let client = try RawClient(port: lab.port)
        let name = "127.0.0.1:\(port)"
        try client.send("CONNECT \(name) HTTP/1.1\r\nHost: \(name)\r\n\r\n\(ahead)")
        return client
    }

    /// Both ends of a tunnel that stands.
    private func tunnel(_ lab: LabRecord, _ server: RawServer) throws -> (RawClient, RawClient) {
        let client = try connect(lab, to: server.port)
        let peer = try server.accept()
        #expect(client.read { $0.hasSuffix("\r\n\r\n") }.hasPrefix(established))
        return (client, peer)
    }

    private func stored(_ lab: LabRecord, _ body: String) throws -> String {
        try lab.sql(
            "SELECT CAST(b.bytes AS TEXT) FROM exchange e JOIN body b ON b.id = e.\(body)_body_id"
        )
    }

    @Test func `curl speaks HTTP through a tunnel, and its bytes are on record`() throws {
        let origin = try LabRecord()
        let lab = try LabRecord()
        let end = try Tool.run(
            "curl",
            "-s",
            "--proxytunnel",
            "-x",
            lab.url(""),
            origin.url("/"),
            origin.url("/status/404")
        )
        #expect(end.output == "Hello, World!404 Not Found\n")
        lab.stop()
        origin.stop()
        #expect(
            try lab.sql(
                "SELECT method, target, status, outcome, error IS NULL, upstream_connected_ns > head_ns, request_ns > response_started_ns, response_ended_ns >= request_ns FROM exchange"
            ) == "CONNECT|127.0.0.1:\(origin.port)|200|tunnel|1|1|1|1"
        )
        #expect(try stored(lab, "request").hasPrefix("GET / HTTP/1.1\r\n"))
        #expect(try stored(lab, "request").contains("\r\n\r\nGET /status/404 HTTP/1.1\r\n"))
        #expect(try stored(lab, "response").hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(try lab.sql("SELECT fate, exit_code FROM child") == "exited|0")
        #expect(try origin.sql("SELECT count(*), sum(outcome = 'ok') FROM exchange") == "2|2")
    }

    @Test func `TLS goes through it`() throws {
        let folder = try Place.temporary()
        _ = try Tool.run(
            "openssl",
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            "key",
            "-out",
            "certificate",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
            in: folder
        )
        let server = try Tool(
            [
                "openssl", "s_server", "-accept", "127.0.0.1:0", "-key", "key", "-cert",
                "certificate", "-www",
            ],
            in: folder
        )
        defer {
            server.signal(SIGKILL)
            _ = server.finish()
        }
        let line = try #require(server.outputLine(with: "ACCEPT"))
        let port = try #require(line.split(separator: ":").last)
        let lab = try LabRecord()
        let end = try Tool.run(
            "curl",
            "-s",
            "--cacert",
            folder.appendingPathComponent("certificate").path,
            "-x",
            lab.url(""),
            "https://localhost:\(port)/"
        )
        #expect(end.status == 0)
        #expect(end.output.contains("s_server"))
        lab.stop()
        #expect(try lab.sql("SELECT target, outcome FROM exchange") == "localhost:\(port)|tunnel")
        // A TLS record of a handshake from each side, and no word of what was said.
        #expect(
            try lab.sql(
                "SELECT count(*), sum(hex(substr(bytes, 1, 2)) = '1603'), sum(instr(bytes, 's_server')) FROM body"
            ) == "2|2|0"
        )
    }

    @Test func `what a client sends with its CONNECT goes first, and the answer has no length`()
        throws
    {
        let server = try RawServer()
        let lab = try LabRecord()
        let client = try connect(lab, to: server.port, ahead: "early")
        let peer = try server.accept()
        #expect(peer.read { $0.count >= 5 } == "early")
        let head = client.read { $0.hasSuffix("\r\n\r\n") }
        #expect(head.hasPrefix(established))
        #expect(!head.contains("Content-Length") && !head.contains("Transfer-Encoding"))
        #expect(!head.contains("Connection:"))
        try peer.send("late")
        #expect(client.read { $0.count >= 4 } == "late")
        client.endSending()
        #expect(peer.readToEnd().isEmpty)
        peer.endSending()
        #expect(client.readToEnd().isEmpty)
        lab.stop()
        #expect(try stored(lab, "request") == "early")
        #expect(try stored(lab, "response") == "late")
        #expect(try lab.sql("SELECT length(response_head) FROM exchange") == "\(head.utf8.count)")
    }

    @Test(arguments: [true, false])
    func `a side that has ended still gets what the other sends`(clientEnds: Bool) throws {
        let server = try RawServer()
        let lab = try LabRecord()
        let (client, peer) = try tunnel(lab, server)
        let (first, second) = clientEnds ? (client, peer) : (peer, client)
        try first.send("one")
        first.endSending()
        #expect(second.readToEnd() == "one")
        try second.send("two")
        #expect(first.read { $0.count >= 3 } == "two")
        try second.send("three")
        second.endSending()
        #expect(first.readToEnd() == "three")
        lab.stop()
        #expect(
            try lab.sql("SELECT outcome, error IS NULL, request_ns > head_ns FROM exchange")
                == "tunnel|1|1"
        )
        #expect(try stored(lab, "request") == (clientEnds ? "one" : "twothree"))
        #expect(try stored(lab, "response") == (clientEnds ? "twothree" : "one"))
    }

    @Test func `a large tunnel is carried whole, kept in part, and its digest is of the whole`()
        throws
    {
        let origin = try LabRecord()
        let lab = try LabRecord(["--max-stored-body", "1KiB"])
        let file = try Place.temporary().appendingPathComponent("words").path
        let words = String(repeating: "0123456789", count: 2_000_000)
        try words.write(toFile: file, atomically: true, encoding: .utf8)
        let echoed = try Tool.run(
            "curl",
            "-s",
            "--proxytunnel",
            "-x",
            lab.url(""),
            "-H",
            "Expect:",
            "--data-binary",
            "@\(file)",
            origin.url("/echo")
        ).output
        #expect(echoed == words)
        lab.stop()
        origin.stop()
        #expect(
            try lab.sql(
                "SELECT outcome, min(size) > 20000000, min(truncated), max(length(bytes)), count(DISTINCT digest) FROM exchange, body"
            ) == "tunnel|1|1|1024|2"
        )
    }

    @Test func `the digest of a tunnel's bytes is that of the bytes`() throws {
        let server = try RawServer()
        let lab = try LabRecord(["--max-stored-body", "8"])
        let (client, peer) = try tunnel(lab, server)
        try client.send("0123456789")
        client.endSending()
        #expect(peer.readToEnd() == "0123456789")
        peer.endSending()
        _ = client.readToEnd()
        lab.stop()
        // printf 0123456789 | sha256sum
        #expect(
            try lab.sql("SELECT size, truncated, length(bytes), lower(hex(digest)) FROM body")
                == "10|1|8|84d89877f0d4041efb6bf91a16f0248f2fd573e6af05c19f96bedb9f882f7882"
        )
    }

    @Test func `an upstream that is down is 502, and one that does not answer in time is 504`()
        throws
    {
        let lab = try LabRecord(["--upstream-timeout", "200ms"])
        let down = try connect(lab, to: 1)
        down.endSending()
        #expect(down.readToEnd().hasPrefix("HTTP/1.1 502 "))
        let full = try RawServer(backlog: 0)
        let held = try RawClient(port: full.port)
        let late = try connect(lab, to: full.port)
        #expect(late.read { $0.contains("\r\n\r\n") }.hasPrefix("HTTP/1.1 504 "))
        withExtendedLifetime(held) {}
        lab.stop()
        #expect(
            try lab.sql("SELECT group_concat(status || outcome) FROM exchange")
                == "502upstream_refused,504upstream_timeout"
        )
    }

    @Test(arguments: [
        ("a", "", 400, "bad_request"), ("a:", "", 400, "bad_request"),
        ("a:0", "", 400, "bad_request"), ("a:65536", "", 400, "bad_request"),
        ("http://a:1/", "", 400, "bad_request"), ("/", "", 400, "bad_request"),
        ("a:1", "Content-Length: 3\r\n", 400, "bad_request"),
        ("a:1", "Transfer-Encoding: chunked\r\n", 400, "bad_request"),
        ("127.0.0.1:PORT", "", 403, "ok"), ("localhost:PORT", "", 403, "ok"),
    ])
    func `a CONNECT that can lead nowhere is refused`(
        target: String,
        field: String,
        status: Int,
        outcome: String
    ) throws {
        let lab = try LabRecord()
        let name = target.replacingOccurrences(of: "PORT", with: "\(lab.port)")
        let answer = try lab.exchange("CONNECT \(name) HTTP/1.1\r\nHost: a\r\n\(field)\r\n")
        lab.stop()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(try lab.sql("SELECT status, outcome FROM exchange") == "\(status)|\(outcome)")
        let code = field.isEmpty ? "target-invalid" : "content-in-connect"
        #expect(try lab.sql("SELECT code FROM deviation") == (status == 400 ? code : ""))
    }

    @Test func `beyond loopback an open tunnel must be asked for`() throws {
        let server = try RawServer()
        let closed = try LabRecord(["--host", "0.0.0.0"])
        let refused = try connect(closed, to: server.port)
        refused.endSending()
        #expect(refused.readToEnd().hasPrefix("HTTP/1.1 403 "))
        closed.stop()
        let open = try LabRecord(["--host", "0.0.0.0", "--forward"])
        let (client, peer) = try tunnel(open, server)
        try client.send("hi")
        #expect(peer.read { $0.count >= 2 } == "hi")
        open.stop()
    }

    @Test func `a reverse proxy tunnels nowhere`() throws {
        let server = try RawServer()
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(server.port)"])
        let client = try connect(lab, to: server.port)
        client.endSending()
        #expect(client.readToEnd().hasPrefix("HTTP/1.1 501 "))
        lab.stop()
        #expect(try lab.sql("SELECT status, outcome FROM exchange") == "501|ok")
    }

    @Test func `a tunnel that is silent for too long is closed on both sides`() throws {
        let server = try RawServer()
        let lab = try LabRecord(["--upstream-timeout", "300ms"])
        let (client, peer) = try tunnel(lab, server)
        try client.send("hi")
        #expect(peer.read { $0.count >= 2 } == "hi")
        #expect(client.readToEnd().isEmpty)
        #expect(peer.readToEnd().isEmpty)
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT outcome, error, request_ns IS NULL, response_ended_ns IS NULL FROM exchange"
            )
                == "tunnel|the tunnel was silent for 300 ms|1|0"
        )
    }

    @Test func `a tunnel outlives the deadline of requests`() throws {
        let server = try RawServer()
        let lab = try LabRecord(["--child-timeout", "100ms"])
        let (client, peer) = try tunnel(lab, server)
        // Longer than the deadline by the server's own clock: another child is ended meanwhile.
        #expect(try lab.get("/sleep/30", "-w", "%{http_code}") == "504")
        try client.send("still here")
        #expect(peer.read { $0.count >= 10 } == "still here")
        client.endSending()
        peer.endSending()
        _ = client.readToEnd()
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT c.fate, e.outcome FROM exchange e JOIN child c USING (connection_id) ORDER BY e.id"
            ) == "exited|tunnel\ntimed_out|child_died"
        )
    }

    @Test func `a connection that does not come to stand has the deadline of requests`() throws {
        let full = try RawServer(backlog: 0)
        let held = try RawClient(port: full.port)
        let lab = try LabRecord(["--child-timeout", "200ms"])
        let client = try connect(lab, to: full.port)
        #expect(client.read { $0.contains("\r\n\r\n") }.hasPrefix("HTTP/1.1 504 "))
        withExtendedLifetime(held) {}
        lab.stop()
        #expect(try lab.sql("SELECT fate FROM child") == "timed_out")
    }

    @Test func `a recording that ends closes silent tunnels and waits no longer`() throws {
        let server = try RawServer()
        let lab = try LabRecord(["--drain-timeout", "60s"])
        let (client, peer) = try tunnel(lab, server)
        let start = Date()
        #expect(lab.stop().status == 0)
        #expect(Date().timeIntervalSince(start) < 30)
        #expect(client.readToEnd().isEmpty && peer.readToEnd().isEmpty)
        #expect(
            try lab.sql(
                "SELECT e.outcome, e.error LIKE '%recording ended%', c.exit_code FROM exchange e JOIN child c USING (connection_id)"
            )
                == "tunnel|1|0"
        )
    }

    @Test(arguments: [true, false])
    func `a reset of one side ends the tunnel, and what it had sent arrives`(isClient: Bool) throws
    {
        let server = try RawServer()
        let lab = try LabRecord(["-v"])
        let other: RawClient
        do {
            let (client, peer) = try tunnel(lab, server)
            let one = isClient ? client : peer
            other = isClient ? peer : client
            try one.send("last words")
            #expect(other.read { $0.count >= 10 } == "last words")
            one.reset()
        }
        let side = isClient ? "client" : "upstream"
        #expect(lab.outputLine(with: "the \(side) reset the tunnel") != nil)
        #expect(other.readToEnd().isEmpty)
        lab.stop()
        #expect(
            try lab.sql("SELECT outcome, error FROM exchange")
                == "tunnel|the \(side) reset the tunnel"
        )
        #expect(try stored(lab, isClient ? "request" : "response") == "last words")
        #expect(try lab.sql("SELECT fate, exit_code FROM child") == "exited|0")
    }

    @Test func `how long a tunnel stood is no latency in the report`() throws {
        let origin = try LabRecord()
        let lab = try LabRecord()
        _ = try Tool.run("curl", "-s", "--proxytunnel", "-x", lab.url(""), origin.url("/sleep/0.5"))
        _ = try lab.get("/")
        lab.stop()
        origin.stop()
        let report = try Tool.run(Place.lab, "report", lab.session, "--json").output
        let facts = try Tool([
            "jq", "-n", "-c", "--argjson", "r", report,
            "$r | [.traffic.exchanges, .traffic.errors, (.traffic.phases[] | select(.phase == \"total\") | .latency_ns.count), (.slowest | length)]",
        ]).finish()
        #expect(facts.output == "[2,0,1,1]\n", "\(facts.errors)")
    }

    @Test func `a tunnel that went well was counted as an exchange that did not`() throws {
        let server = try RawServer()
        let lab = try LabRecord(["-v"])
        do {
            let (client, peer) = try tunnel(lab, server)
            client.endSending()
            peer.endSending()
            _ = client.readToEnd()
        }
        let line = try #require(lab.outputLine(with: "CONNECT"))
        #expect(line.hasSuffix("  tunnel"), "\(line)")
        #expect(lab.stop().errors.contains("recorded 1 exchanges (1 ok, 0 not)"))
    }

    @Test func `a replay leaves tunnels out, and says so`() throws {
        let origin = try LabRecord()
        let lab = try LabRecord()
        _ = try Tool.run("curl", "-s", "--proxytunnel", "-x", lab.url(""), origin.url("/"))
        _ = try lab.get("/")
        lab.stop()
        let end = try Tool.run(
            Place.lab,
            "replay",
            lab.session,
            "--target",
            origin.url(""),
            "--json"
        )
        origin.stop()
        #expect(end.output.contains("\"requests\":1,"))
        #expect(end.errors.contains("left out 1 exchange(s) that can't be sent: tunnel"))
    }
}
