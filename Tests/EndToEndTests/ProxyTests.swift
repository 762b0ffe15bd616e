import Foundation
import LabTestSupport
import Testing

/// `lab record` between a client and another server.
@Suite struct ProxyTests {
    @Test func `a reverse proxy sends its own Host and leaves the rest as it came`() throws {
        let upstream = try ScriptedServer { _ in
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Up: 1\r\n\r\nhi"
        }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        #expect(try lab.get("/p?q=%20", "-H", "X-CaSe: v", "-H", "Connection: keep-alive") == "hi")
        lab.stop()
        let head = try #require(upstream.requests.first)
        #expect(head.hasPrefix("GET /p?q=%20 HTTP/1.1\r\nHost: 127.0.0.1:\(upstream.port)\r\n"))
        #expect(head.contains("X-CaSe: v\r\n"))
        #expect(!head.contains("Connection"))
        #expect(
            try lab.sql(
                "SELECT status, outcome, upstream_connected_ns > head_ns, CAST(response_head AS TEXT) LIKE '%X-Up: 1%' FROM exchange"
            )
                == "200|ok|1|1"
        )
    }

    @Test func `what the server tried out before it listened is no part of the recording`() throws {
        let upstream = try ScriptedServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        #expect(try lab.get("/") == "hi")
        lab.stop()
        #expect(upstream.requests.count == 1)
        #expect(
            try lab.sql(
                "SELECT (SELECT count(*) FROM child), (SELECT count(*) FROM exchange), sum(detail ->> '$.signals'), sum(detail ->> '$.reaped'), count(*) FROM server_event WHERE kind IN ('sigchld', 'orphan')"
            ) == "1|1|1|1|1"
        )
    }

    @Test func `content streams both ways and is framed anew`() throws {
        let upstream = try LabRecord()
        let lab = try LabRecord(["--upstream", upstream.url("")])
        let words = String(repeating: "0123456789", count: 200_000)
        let file = try Place.temporary().appendingPathComponent("words").path
        try words.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(
            try lab.get("/echo", "-H", "Transfer-Encoding: chunked", "--data-binary", "@\(file)")
                == words
        )
        #expect(try lab.get("/echo", "--data-binary", "@\(file)") == words)
        #expect(try lab.get("/bytes/20000000").utf8.count == 20_000_000)
        lab.stop()
        upstream.stop()
        #expect(try lab.sql("SELECT count(*) FROM exchange WHERE outcome = 'ok'") == "3")
        #expect(try upstream.sql("SELECT count(*) FROM exchange WHERE outcome = 'ok'") == "3")
    }

    @Test func `the upstream's connection is kept for the child's next request`() throws {
        let upstream = try LabRecord()
        let lab = try LabRecord(["--upstream", upstream.url("")])
        _ = try Tool.run("curl", "-s", lab.url("/"), lab.url("/"), lab.url("/"))
        lab.stop()
        upstream.stop()
        #expect(
            try upstream.sql("SELECT count(*), count(DISTINCT connection_id) FROM exchange")
                == "3|1"
        )
    }

    @Test func `an upstream that closes kept connections costs no request`() throws {
        let upstream = try LabRecord(["--max-requests-per-child", "1"])
        let lab = try LabRecord(["--upstream", upstream.url("")])
        let end = try Tool.run(
            "curl",
            "-s",
            "-w",
            "%{http_code} ",
            lab.url("/"),
            lab.url("/"),
            lab.url("/")
        )
        lab.stop()
        upstream.stop()
        #expect(end.output == String(repeating: "Hello, World!200 ", count: 3))
    }

    @Test(arguments: [
        ("garbage\r\n\r\n", 502, "upstream_failed"), ("", 502, "upstream_failed"),
        ("HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", 502, "upstream_failed"),
        ("HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", 502, "upstream_failed"),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhi", 200, "truncated"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", 200, "truncated"),
    ])
    func `an upstream that talks garbage is 502, or the answer breaks off`(
        answer: String,
        status: Int,
        outcome: String
    ) throws {
        let upstream = try ScriptedServer { _ in answer }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        let end = try Tool.run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", lab.url("/"))
        lab.stop()
        #expect(end.output == "\(status)")
        // A client must never take half an answer for a whole one.
        #expect((end.status == 0) == (status == 502))
        #expect(
            try lab.sql("SELECT status, outcome, error <> '' FROM exchange")
                == "\(status)|\(outcome)|1"
        )
    }

    @Test func `a rule that an upstream bends is noted as the response's`() throws {
        let upstream = try ScriptedServer { _ in "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi" }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        #expect(try lab.get("/") == "hi")
        lab.stop()
        #expect(
            try lab.sql("SELECT code, message, offset FROM deviation")
                == "bare-line-feed|response|15"
        )
        #expect(
            try Tool.run(Place.lab, "show", lab.session, "1").output.contains(
                "the response ends a line with LF alone"
            )
        )
    }

    @Test func `an upstream that is down is 502 and an upstream that is silent is 504`() throws {
        let down = try LabRecord(["--upstream", "http://127.0.0.1:1"])
        #expect(try down.get("/", "-w", "%{http_code}").hasSuffix("502"))
        down.stop()
        #expect(try down.sql("SELECT status, outcome FROM exchange") == "502|upstream_refused")
        let upstream = try LabRecord(["--drain-timeout", "100ms"])
        let lab = try LabRecord(["--upstream", upstream.url(""), "--upstream-timeout", "200ms"])
        #expect(try lab.get("/sleep/20", "-w", "%{http_code}").hasSuffix("504"))
        lab.stop()
        upstream.stop()
        #expect(try lab.sql("SELECT status, outcome FROM exchange") == "504|upstream_timeout")
    }

    @Test func `a client that asks a proxy is forwarded, with Via and the target's Host`() throws {
        let origin = try ScriptedServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" }
        defer { origin.stop() }
        let lab = try LabRecord()
        let end = try Tool.run(
            "curl",
            "-s",
            "-x",
            lab.url(""),
            "http://127.0.0.1:\(origin.port)/p",
            "http://localhost:\(origin.port)/q"
        )
        lab.stop()
        #expect(end.output == "hihi")
        #expect(
            origin.requests.map { $0.split(separator: "\r\n")[0] } == [
                "GET /p HTTP/1.1", "GET /q HTTP/1.1",
            ]
        )
        #expect(
            origin.requests.allSatisfy {
                $0.contains("Via: 1.1 lab-") && !$0.contains("Proxy-Connection")
            }
        )
        #expect(
            try lab.sql(
                "SELECT count(*) FROM exchange WHERE target LIKE 'http://%' AND outcome = 'ok'"
            ) == "2"
        )
    }

    @Test func `beyond loopback an open proxy must be asked for`() throws {
        let closed = try LabRecord(["--host", "0.0.0.0"])
        #expect(
            try closed.get("/", "-x", closed.url(""), "-w", "%{http_code}", "http://127.0.0.1:1/")
                .contains("403")
        )
        closed.stop()
        let open = try LabRecord(["--host", "0.0.0.0", "--forward"])
        #expect(
            try open.get("/", "-x", open.url(""), "-w", "%{http_code}", "http://127.0.0.1:1/")
                .contains("502")
        )
        open.stop()
    }

    @Test func `nginx behind it answers as it answers alone`() throws {
        let folder = try Place.temporary()
        let port = try ScriptedServer.freePort()
        try """
        worker_processes 1; daemon off; error_log \(folder.path)/error.log; pid \(folder.path)/pid;
        events { worker_connections 64; }
        http { access_log off; client_body_temp_path \(folder.path)/b; proxy_temp_path \(folder.path)/p;
            fastcgi_temp_path \(folder.path)/f; uwsgi_temp_path \(folder.path)/u; scgi_temp_path \(folder.path)/s;
            gzip on; gzip_proxied any; gzip_types text/plain; gzip_min_length 1;
            server { listen 127.0.0.1:\(port); root \(folder.path); default_type text/plain; } }
        """.write(
            to: folder.appendingPathComponent("nginx.conf"),
            atomically: true,
            encoding: .utf8
        )
        try String(repeating: "word ", count: 10_000)
            .write(to: folder.appendingPathComponent("file"), atomically: true, encoding: .utf8)
        let nginx = try Tool(["nginx", "-c", folder.appendingPathComponent("nginx.conf").path])
        defer {
            nginx.signal(SIGTERM)
            _ = nginx.finish()
        }
        let direct = "http://127.0.0.1:\(port)"
        _ = try Tool.run(
            "curl",
            "-s",
            "--retry-connrefused",
            "--retry",
            "50",
            "--retry-delay",
            "0",
            "\(direct)/file"
        )
        let lab = try LabRecord(["--upstream", direct])
        for options in [
            [], ["--compressed"], ["-r", "5-9"], ["-I"],
            ["-H", "If-Modified-Since: Sun, 01 Jan 2090 00:00:00 GMT"],
        ] {
            for path in ["/file", "/missing"] {
                let format = ["-s", "-w", "%{http_code} %{size_download} %{content_type}"]
                let alone = try Tool(["curl"] + format + options + [direct + path]).finish().output
                let through = try Tool(["curl"] + format + options + [lab.url(path)]).finish()
                    .output
                #expect(stripped(alone) == stripped(through), "\(options) \(path)")
            }
        }
        lab.stop()
        #expect(try lab.sql("SELECT count(*) FROM exchange WHERE outcome <> 'ok'") == "0")
    }

    /// Without the lines that tell the time or the way, or concern the connection.
    private func stripped(_ text: String) -> String {
        text.split(separator: "\r\n", omittingEmptySubsequences: false)
            .filter { line in !["Date:", "Connection:", "Via:"].contains { line.hasPrefix($0) } }
            .joined(separator: "\n")
    }

}
