import Foundation
import LabTestSupport
import Testing

/// Traffic that once broke something: each test is named for what was seen.
@Suite struct HostileTests {
    @Test func `a head larger than a datagram ended the recording`() throws {
        let lab = try LabRecord(["--max-header-bytes", "1MiB"])
        let fields = (0..<60).map { "X-\($0): " + String(repeating: "v", count: 10_000) }
        let request =
            "GET / HTTP/1.1\r\nHost: a\r\n" + fields.joined(separator: "\r\n")
            + "\r\nConnection: close\r\n\r\n"
        #expect(try lab.exchange(request).hasPrefix("HTTP/1.1 200"))
        #expect(try lab.get("/") == "Hello, World!")
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql("SELECT outcome, length(request_head) FROM exchange ORDER BY id LIMIT 1")
                == "ok|\(request.utf8.count)"
        )
    }

    @Test func `an upstream with a huge reason ended the recording`() throws {
        let upstream = try ScriptedServer { _ in
            "HTTP/1.1 200 " + String(repeating: "a", count: 40_000)
                + "\r\nContent-Length: 0\r\n\r\n"
        }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        #expect(try lab.get("/", "-w", "%{http_code}") == "200")
        #expect(lab.stop().status == 0)
        #expect(try lab.sql("SELECT outcome FROM exchange") == "ok")
    }

    @Test func `a flood of empty lines cost seconds of CPU`() throws {
        let lab = try LabRecord()
        let flood = String(repeating: "\n", count: 60_000)
        let answer = try lab.exchange(flood + "GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 400"))
        lab.stop()
        #expect(try lab.sql("SELECT user_cpu_us + system_cpu_us < 200000 FROM child") == "1")
        #expect(try lab.sql("SELECT group_concat(code) FROM deviation") == "leading-empty-line")
    }

    @Test func `Connection naming Content-Length smuggled a request`() throws {
        let upstream = try ScriptedServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        _ = try lab.exchange(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: Content-Length, Host, close\r\nContent-Length: 3\r\n\r\nabc"
        )
        lab.stop()
        let head = try #require(upstream.requests.first)
        #expect(head.contains("Content-Length: 3\r\n"))
        #expect(head.contains("Host: 127.0.0.1"))
    }

    @Test func `an upstream that is the recorder itself forked without end`() throws {
        let port = try ScriptedServer.freePort()
        let end = try Tool.run(
            Place.lab,
            "record",
            "--port",
            "\(port)",
            "--upstream",
            "http://127.0.0.1:\(port)",
            in: try Place.temporary()
        )
        #expect(end.status == 64)
        #expect(end.errors.contains("is this server itself"))
    }

    @Test func `a POST was sent twice when the kept connection had closed`() throws {
        // It answers the first request of each connection, keeps it open by its words, and closes.
        let upstream = try ScriptedServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        let client = try RawClient(port: lab.port)
        for _ in 0..<3 {
            try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n")
            #expect(client.read { $0.hasSuffix("hi") }.hasPrefix("HTTP/1.1 200"))
        }
        client.endSending()
        lab.stop()
        #expect(upstream.requests.count == 3)
        #expect(try lab.sql("SELECT count(*), sum(outcome = 'ok') FROM exchange") == "3|3")
    }

    @Test func `an upstream's reset passed for the end of its answer`() throws {
        let upstream = try ScriptedServer(resets: true) { _ in "HTTP/1.1 200 OK\r\n\r\nhalf of it" }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        #expect(try Tool.run("curl", "-s", "-o", "/dev/null", lab.url("/")).status != 0)
        lab.stop()
        #expect(try lab.sql("SELECT outcome = 'ok' FROM exchange") == "0")
    }

    @Test func `a client that stalled in its upload was called a silent upstream`() throws {
        let upstream = try LabRecord(["--drain-timeout", "100ms"])
        let lab = try LabRecord(["--upstream", upstream.url(""), "--upstream-timeout", "200ms"])
        let client = try RawClient(port: lab.port)
        try client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
        #expect(client.readToEnd().hasPrefix("HTTP/1.1 408"))
        lab.stop()
        upstream.stop()
        #expect(try lab.sql("SELECT status, outcome FROM exchange") == "408|truncated")
    }

    @Test func `a client that took nothing was called a silent upstream`() throws {
        let upstream = try LabRecord(["--drain-timeout", "100ms"])
        let lab = try LabRecord([
            "--upstream", upstream.url(""), "--upstream-timeout", "300ms", "-v",
        ])
        let client = try RawClient(port: lab.port)
        try client.send("GET /bytes/500000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(
            lab.outputLine(with: "client_closed: timeout: the client took nothing for 300 ms")
                != nil
        )
        client.reset()
        lab.stop()
        upstream.stop()
        #expect(try lab.sql("SELECT status, outcome FROM exchange") == "200|client_closed")
    }

    @Test func `an upstream that switched protocols unasked passed for an answer`() throws {
        let upstream = try ScriptedServer { _ in "HTTP/1.1 101 Switching Protocols\r\n\r\n" }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        #expect(try lab.get("/", "-o", "/dev/null", "-w", "%{http_code}") == "502")
        lab.stop()
        #expect(try lab.sql("SELECT outcome FROM exchange") == "upstream_failed")
    }

    @Test func `a CONNECT that broke no rule was called a bad request`() throws {
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:1"])
        let answer = try lab.exchange("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n")
        #expect(answer.hasPrefix("HTTP/1.1 501"))
        lab.stop()
        #expect(try lab.sql("SELECT status, outcome FROM exchange") == "501|ok")
    }

    @Test func `a reader that left ended the recording`() throws {
        let folder = try Place.temporary()
        let session = folder.appendingPathComponent("session.db").path
        let errors = folder.appendingPathComponent("errors").path
        let shell = try Tool([
            "sh", "-c",
            "{ '\(Place.lab)' record --port 0 --output '\(session)' -v 2>'\(errors)'; echo $? > '\(folder.path)/status'; } | head -n 1",
        ])
        var port = ""
        while port.isEmpty {
            let text = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
            port =
                text.split(separator: "\n").first.flatMap { $0.split(separator: ":").last }.map(
                    String.init
                ) ?? ""
            if !text.hasSuffix("\n") { port = "" }
        }
        for _ in 0..<5 {
            #expect(
                try Tool.run("curl", "-s", "http://127.0.0.1:\(port)/").output == "Hello, World!"
            )
        }
        let pid = try Tool.run("pgrep", "-f", "record --port 0 --output \(session) -v").output
        for word in pid.split(separator: "\n") { kill(Int32(word) ?? 0, SIGINT) }
        _ = shell.finish()
        let status = try String(
            contentsOfFile: folder.appendingPathComponent("status").path,
            encoding: .utf8
        )
        #expect(status == "0\n")
        #expect(
            try LabRecord.sql(session, "SELECT count(*) FROM exchange WHERE outcome = 'ok'") == "5"
        )
    }

    @Test func `a reader that paused stopped the server`() throws {
        let folder = try Place.temporary()
        let pipe = folder.appendingPathComponent("pipe").path
        try Tool.run("mkfifo", pipe)
        // Holds the pipe open and never reads.
        let holder = open(pipe, O_RDWR | O_CLOEXEC)
        defer { close(holder) }
        let session = folder.appendingPathComponent("session.db").path
        let lab = try Tool([
            "sh", "-c",
            "exec '\(Place.lab)' record --port 0 --output '\(session)' --json > '\(pipe)'",
        ])
        let line = try #require(lab.line(with: "listening"))
        let port = try #require(line.split(separator: ":").last)
        let load = try Tool.run("ab", "-q", "-n", "2000", "-c", "8", "http://127.0.0.1:\(port)/")
        #expect(load.output.contains("Failed requests:        0"))
        lab.signal(SIGINT)
        #expect(lab.finish().status == 0)
        #expect(
            try LabRecord.sql(session, "SELECT count(*) FROM exchange WHERE outcome = 'ok'")
                == "2000"
        )
    }

    @Test(arguments: ["a:1:2", "[::1", "::1]", "a]", "[]", "a[b", ":80", "a:999999"])
    func `a Host that is no host was let pass`(host: String) throws {
        let lab = try LabRecord()
        #expect(
            try lab.exchange("GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n").hasPrefix("HTTP/1.1 400")
        )
        lab.stop()
    }

    @Test(arguments: ["a", "a:80", "[::1]", "[::1]:80", "127.0.0.1:1", "a:"])
    func `a Host that is a host passes`(host: String) throws {
        let lab = try LabRecord()
        let request = "GET / HTTP/1.1\r\nHost: \(host)\r\nConnection: close\r\n\r\n"
        #expect(try lab.exchange(request).hasPrefix("HTTP/1.1 200"))
        lab.stop()
    }

    @Test func `a client that resets inside its head left no row`() throws {
        let lab = try LabRecord(["-v"])
        do {
            let client = try RawClient(port: lab.port)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\nX-Half")
            client.reset()
        }
        #expect(lab.outputLine(with: "client_closed") != nil)
        lab.stop()
        #expect(try lab.sql("SELECT outcome, status IS NULL FROM exchange") == "client_closed|1")
    }

    @Test func `a stopping signal left a child that nothing ended`() throws {
        let lab = try LabRecord()
        #expect(try lab.get("/crash/19", "-w", "%{http_code}").hasSuffix("400"))
        lab.stop()
    }

    @Test func `spaces after a chunk size had no end`() throws {
        let lab = try LabRecord()
        let spaces = String(repeating: " ", count: 40_000)
        let answer = try lab.exchange(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\(spaces)"
        )
        lab.stop()
        #expect(answer.hasPrefix("HTTP/1.1 400"))
    }

    @Test func `a session of a forward proxy was replayed at the proxy`() throws {
        let origin = try ScriptedServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" }
        defer { origin.stop() }
        let lab = try LabRecord()
        _ = try Tool.run("curl", "-s", "-x", lab.url(""), "http://127.0.0.1:\(origin.port)/p")
        lab.stop()
        let end = try Tool.run(Place.lab, "replay", lab.session)
        #expect(end.status == 2)
        #expect(end.errors.contains("--target"))
        let told = try Tool.run(
            Place.lab,
            "replay",
            lab.session,
            "--target",
            "http://127.0.0.1:\(origin.port)"
        )
        #expect(told.status == 0)
        #expect(try lab.sql("SELECT group_concat(matches) FROM replay_result") == "1")
    }

    @Test func `an answer that the client did not take whole was held against the replay`() throws {
        let lab = try LabRecord(["-v"])
        do {
            let client = try RawClient(port: lab.port)
            try client.send("GET /bytes/50000000 HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = client.read { $0.utf8.count > 1000 }
            client.reset()
        }
        #expect(lab.outputLine(with: "client_closed") != nil)
        lab.stop()
        let server = try LabRecord()
        _ = try Tool.run(Place.lab, "replay", lab.session, "--target", server.url(""))
        server.stop()
        #expect(try lab.sql("SELECT status, outcome, matches FROM replay_result") == "200|ok|1")
    }
}
