import Foundation
import LabTestSupport
import Testing

/// What `lab record` serves, seen by real clients, and what the session then holds.
@Suite struct RecordTests {
    @Test func `each exchange is stored with the child that served it`() throws {
        let lab = try LabRecord()
        #expect(try lab.get("/") == "Hello, World!")
        #expect(try lab.get("/echo", "--data", "some words") == "some words")
        #expect(try lab.get("/bytes/3000000").utf8.count == 3_000_000)
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql("SELECT method, target, status, outcome FROM exchange ORDER BY id")
                == "GET|/|200|ok\nPOST|/echo|200|ok\nGET|/bytes/3000000|200|ok"
        )
        #expect(
            try lab.sql(
                "SELECT count(*) FROM child c JOIN exchange e USING (connection_id) WHERE c.pid = e.child_pid AND c.fate = 'exited' AND c.exit_code = 0 AND c.reaped_ns > c.exiting_ns AND c.exiting_ns > c.started_ns AND c.started_ns > c.fork_started_ns AND c.minor_faults > 0"
            ) == "3"
        )
        #expect(
            try lab.sql(
                "SELECT CAST(b.bytes AS TEXT) FROM exchange e JOIN body b ON b.id = e.request_body_id"
            )
                == "some words"
        )
        #expect(try lab.sql("SELECT max(size), max(length(bytes)) FROM body") == "3000000|3000000")
        #expect(try lab.sql("PRAGMA integrity_check") == "ok")
    }

    @Test func `the environ that is stored is the one that the application got`() throws {
        let lab = try LabRecord()
        let seen = try lab.get("/environ?a=b%20c", "-H", "X-Thing: 1", "-H", "Proxy: evil")
        lab.stop()
        #expect(try lab.sql("SELECT environ FROM exchange") == seen)
        #expect(try lab.sql("SELECT value FROM environ WHERE name = 'HTTP_X_THING'") == "1")
        #expect(try lab.sql("SELECT count(*) FROM environ WHERE name = 'HTTP_PROXY'") == "0")
        #expect(try lab.sql("SELECT code FROM deviation") == "proxy-field-dropped")
    }

    @Test func `a request that kills its child is on record with the signal`() throws {
        let lab = try LabRecord()
        #expect(try Tool.run("curl", "-s", lab.url("/crash/11")).status == 52)
        #expect(try Tool.run("curl", "-s", lab.url("/exit/3")).status == 52)
        #expect(try Tool.run("curl", "-s", lab.url("/exit/0")).status == 52)
        #expect(try lab.get("/") == "Hello, World!")
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql(
                "SELECT e.target, e.outcome, c.fate, c.term_signal, c.exit_code FROM exchange e JOIN child c USING (connection_id) ORDER BY e.id"
            ) == """
                /crash/11|child_died|signalled|11|
                /exit/3|child_died|exited||3
                /exit/0|app_error|exited||0
                /|ok|exited||0
                """
        )
    }

    @Test func `keep-alive serves many requests in one child, and a limit ends it`() throws {
        let lab = try LabRecord()
        _ = try Tool.run("curl", "-s", lab.url("/"), lab.url("/status/404"), lab.url("/"))
        lab.stop()
        #expect(
            try lab.sql("SELECT count(DISTINCT child_pid), count(*), max(sequence) FROM exchange")
                == "1|3|3"
        )
        let limited = try LabRecord(["--max-requests-per-child", "1"])
        _ = try Tool.run("curl", "-s", limited.url("/"), limited.url("/"))
        limited.stop()
        #expect(
            try limited.sql("SELECT count(DISTINCT connection_id), count(*) FROM exchange") == "2|2"
        )
    }

    @Test func `pipelined requests are answered in order on one connection`() throws {
        let lab = try LabRecord()
        let both = try lab.exchange(
            "GET /status/201 HTTP/1.1\r\nHost: a\r\n\r\nGET /status/202 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        lab.stop()
        let first = try #require(both.range(of: "201 Created"))
        let second = try #require(both.range(of: "202 Accepted"))
        #expect(first.upperBound < second.lowerBound)
        #expect(
            try lab.sql("SELECT group_concat(sequence || ':' || status) FROM exchange")
                == "1:201,2:202"
        )
    }

    @Test func `chunked content and Expect are understood`() throws {
        let lab = try LabRecord()
        let words = String(repeating: "0123456789", count: 20_000)
        let file = try Place.temporary().appendingPathComponent("words").path
        try words.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(
            try lab.get("/echo", "-H", "Transfer-Encoding: chunked", "--data-binary", "@\(file)")
                == words
        )
        #expect(
            try lab.get("/echo", "-H", "Expect: 100-continue", "--data-binary", "@\(file)") == words
        )
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT count(*), count(DISTINCT request_body_id), min(b.size) FROM exchange e JOIN body b ON b.id = e.request_body_id"
            )
                == "2|1|200000"
        )
    }

    @Test func `the tutorial's client with bare line feeds is served and noted`() throws {
        let lab = try LabRecord()
        let answer = try lab.exchange("GET / HTTP/1.1\nHost: localhost\nConnection: close\n\n")
        lab.stop()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK"))
        #expect(try lab.sql("SELECT code, section FROM deviation") == "bare-line-feed|RFC 9112 2.2")
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\r\nHost: a\r\nBad : x\r\n\r\n", 400),
        ("GET / HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400
        ),
        ("GET foo HTTP/1.1\r\nHost: a\r\n\r\n", 400), ("\u{16}\u{3}\u{1}\u{2}\r\n\r\n", 400),
        ("POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        ("BREW / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 501),
    ])
    func `a bad request is answered, closed, and stored with its bytes`(
        request: String,
        status: Int
    ) throws {
        let lab = try LabRecord()
        let answer = try lab.exchange(request)
        lab.stop()
        #expect(answer.hasPrefix("HTTP/1.1 \(status) "))
        #expect(answer.contains("Connection: close"))
        let head = request.components(separatedBy: "\r\n\r\n")[0] + "\r\n\r\n"
        #expect(
            try lab.sql("SELECT status, hex(request_head) FROM exchange")
                == "\(status)|"
                + head.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }
                .joined()
        )
        if status != 501 { #expect(try lab.sql("SELECT outcome FROM exchange") == "bad_request") }
    }

    @Test func `a connection without a request is a connection and no exchange`() throws {
        let lab = try LabRecord()
        let client = try RawClient(port: lab.port)
        client.endSending()
        #expect(client.readToEnd().isEmpty)
        lab.stop()
        #expect(
            try lab.sql("SELECT (SELECT count(*) FROM connection), (SELECT count(*) FROM exchange)")
                == "1|0"
        )
    }

    @Test func `a slow head is answered 408`() throws {
        let lab = try LabRecord(["--header-timeout", "200ms"])
        let client = try RawClient(port: lab.port)
        try client.send("GET / HTTP/1.1\r\nHost")
        let answer = client.readToEnd()
        lab.stop()
        #expect(answer.hasPrefix("HTTP/1.1 408 "))
        #expect(try lab.sql("SELECT status, outcome FROM exchange") == "408|bad_request")
    }

    @Test func `an idle connection is closed and nothing is stored for it`() throws {
        let lab = try LabRecord(["--idle-timeout", "200ms"])
        let client = try RawClient(port: lab.port)
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        let all = client.readToEnd()
        lab.stop()
        #expect(all.hasSuffix("Hello, World!"))
        #expect(try lab.sql("SELECT count(*) FROM exchange") == "1")
    }

    @Test func `a client that vanishes leaves a row that says so`() throws {
        let lab = try LabRecord(["-v"])
        do {
            let client = try RawClient(port: lab.port)
            try client.send("GET /bytes/100000000 HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = client.read { $0.utf8.count > 1000 }
            client.reset()
        }
        #expect(lab.outputLine(with: "client_closed") != nil)
        lab.stop()
        #expect(try lab.sql("SELECT outcome FROM exchange") == "client_closed")
        #expect(try lab.sql("SELECT fate, exit_code FROM child") == "exited|0")
    }

    @Test func `a body beyond the limit is cut and its digest is that of the whole`() throws {
        let lab = try LabRecord(["--max-stored-body", "1KiB"])
        let words = String(repeating: "x", count: 100_000)
        let file = try Place.temporary().appendingPathComponent("words").path
        try words.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try lab.get("/echo", "--data-binary", "@\(file)") == words)
        lab.stop()
        let digest = try Tool.run("sha256sum", file).output.prefix(64).uppercased()
        #expect(
            try lab.sql("SELECT size, truncated, length(bytes), hex(digest) FROM body")
                == "100000|1|1024|\(digest)"
        )
    }

    @Test func `a grandchild that nobody waits for is adopted, reaped and recorded`() throws {
        let lab = try LabRecord(["--json"])
        _ = try lab.get("/")
        let said = try lab.get("/spawn-zombie")
        #expect(said.hasPrefix("Left zombie "))
        #expect(lab.outputLine(with: "\"orphan\"") != nil)
        lab.stop()
        let pid = said.split(whereSeparator: { !$0.isNumber }).first.map(String.init)
        #expect(try lab.sql("SELECT pid FROM server_event WHERE kind = 'orphan'") == pid)
        #expect(
            try lab.sql(
                "SELECT json_extract(detail, '$.connection_id') FROM server_event WHERE kind = 'orphan'"
            ) == "2"
        )
    }

    @Test func `limits end the recording by themselves`() throws {
        let byCount = try LabRecord(["--requests", "2"])
        _ = try byCount.get("/")
        _ = try byCount.get("/")
        #expect(byCount.finish().status == 0)
        #expect(try byCount.sql("SELECT end_reason FROM recording") == "requests")
        let byTime = try LabRecord(["--duration", "100ms"])
        #expect(byTime.finish().status == 0)
        #expect(try byTime.sql("SELECT end_reason FROM recording") == "duration")
    }
}
