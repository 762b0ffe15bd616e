import Foundation
import LabTestSupport
import Testing

/// The child is the application: how it ends, what it costs, and what it leaves behind are its own.
@Suite struct WSGIProcessTests {
    private static let fates = """
        SELECT e.outcome, e.status, c.fate, c.exit_code, c.term_signal, e.error, e.errors
        FROM exchange e JOIN child c USING (connection_id)
        """

    @Test(arguments: [
        ("exit", "app_error|500|exited|3||the application called sys.exit(3)"),
        ("exit_words", "app_error|500|exited|1||the application called sys.exit('enough')"),
        (
            "interrupt",
            "app_error|500|exited|130||the application was interrupted (KeyboardInterrupt)"
        ),
        ("os_exit", "child_died||exited|5||"),
        ("crash", "child_died||signalled||11|"),
    ])
    func `an application that ends its process is on record with its exit status`(
        route: String,
        told: String
    ) throws {
        let lab = try WSGIApplications.host("wrong:app")
        try lab.get("/" + route)
        #expect(try lab.get("/empty", "-i").hasPrefix("HTTP/1.1 200 OK"))
        lab.stop()
        #expect(try lab.sql(Self.fates + " WHERE e.id = 1").hasPrefix(told))
        if route == "os_exit" {
            #expect(try lab.sql("SELECT errors FROM exchange WHERE id = 1") == "last words")
        }
    }

    @Test func `its own children have their true exit codes, and signals are at their defaults`()
        throws
    {
        let lab = try WSGIApplications.host("wrong:app")
        for _ in 0..<5 { #expect(try lab.get("/subprocess") == "[7, 3, -9, \"42\"]") }
        #expect(
            try lab.get("/signals")
                == """
                {"SIGCHLD": "0", "SIGINT": "0", "SIGTERM": "0", "SIGHUP": "0", "SIGPIPE": "1", "SIGUSR1": "0", \
                "blocked": 0, "caught": "0000000000000000"}
                """
        )
        #expect(lab.stop().status == 0)
        #expect(try lab.sql("SELECT count(*) FROM server_event WHERE kind = 'orphan'") == "0")
    }

    @Test func `what it prints is kept with the exchange, whichever stream it takes`() throws {
        let lab = try WSGIApplications.host("wrong:app", ["--json"])
        try lab.get("/print")
        try lab.get("/thread")
        let end = lab.stop()
        #expect(
            try lab.sql("SELECT errors FROM exchange")
                == "printed\non standard error\nline one\nline two \u{2603}\nbytes\nno line end\nfrom a thread"
        )
        // Standard output is the recorder's.
        #expect(end.output.split(separator: "\n").allSatisfy { $0.hasPrefix("{") })
        #expect(!end.errors.contains("printed"))
    }

    @Test func `a thread that outlives its answer runs while the child waits for its client`()
        throws
    {
        let lab = try WSGIApplications.host("wrong:app")
        let client = try RawClient(port: lab.port)
        try client.send("GET /background HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.read { $0.hasSuffix("begun\n") }.hasPrefix("HTTP/1.1 200 OK"))
        #expect(lab.line(with: "done behind the answer") != nil)
        lab.stop()
    }

    @Test func `a process that the application forks has no way to the recorder or the client`()
        throws
    {
        let lab = try WSGIApplications.host("wrong:app")
        #expect(try lab.get("/fork") == "0\n")
        #expect(lab.line(with: "from a fork") != nil)
        #expect(lab.stop().status == 0)
        #expect(try lab.sql("SELECT outcome, status, errors FROM exchange") == "ok|200|")
    }

    @Test func `a traceback goes over the wire with --debug alone`() throws {
        let lab = try WSGIApplications.host("wrong:app", ["--debug"])
        let answer = try lab.get("/raise", "-i")
        #expect(answer.hasPrefix("HTTP/1.1 500 ") && answer.contains("in do_raise\n"))
        lab.stop()
    }

    @Test func `the environ on record is the one that the application saw, byte for byte`() throws {
        let lab = try WSGIApplications.host("wrong:app")
        var answers: [String] = []
        for head in [
            "GET /environ?a=%20b&c HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: b=2\r\nX-A: 1\r\nX-A: 2",
            "GET /%65nviron HTTP/1.1\r\nHost: a\r\nX-Latin: caf\u{e9}\r\nX_Shadow: 1\r\nProxy: http://evil/",
            "GET http://other.example:81/environ HTTP/1.1\r\nHost: a",
            "POST /environ HTTP/1.1\r\nHost: a\r\nContent-Type: x/y; z=\"q\\\"\"\r\nContent-Length: 0",
            "GET /environ HTTP/1.0",
        ] {
            let answer = try lab.exchange(head + "\r\nConnection: close\r\n\r\n")
            #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n"), "\(answer)")
            let body = answer.components(separatedBy: "\r\n\r\n").last ?? ""
            #expect(!body.contains("SHADOW") && !body.contains("HTTP_PROXY"))
            answers.append(body)
        }
        #expect(
            answers[0].contains("\"HTTP_COOKIE\":\"a=1; b=2\"")
                && answers[0].contains("\"HTTP_X_A\":\"1, 2\"")
        )
        #expect(answers[2].contains("\"HTTP_HOST\":\"other.example:81\""))
        lab.stop()
        let stored = try lab.sql("SELECT environ FROM exchange ORDER BY id").components(
            separatedBy: "\n"
        )
        #expect(stored == answers)
    }

    @Test func `the report tells which route costs what`() throws {
        let lab = try WSGIApplications.host("wrong:app")
        for route in ["spin", "leak", "crash", "orphan", "empty"] { try lab.get("/" + route) }
        #expect(lab.stop().status == 0)
        func child(_ what: String, _ route: String) throws -> Int {
            let value = try lab.sql(
                "SELECT \(what) FROM exchange e JOIN child c USING (connection_id) WHERE target = '/\(route)'"
            )
            return Int(value) ?? -1
        }
        let cpu = "c.user_cpu_us + c.system_cpu_us"
        #expect(try child(cpu, "spin") > 10 * child(cpu, "empty"))
        let memory = "c.max_rss_kib - c.baseline_rss_kib"
        #expect(try child(memory, "leak") > 30 << 10)
        #expect(try child(memory, "empty") < 8 << 10)
        #expect(try child("c.minor_faults", "leak") > child("c.minor_faults", "empty") + 1000)
        #expect(try child("c.term_signal", "crash") == SIGSEGV)
        #expect(
            try lab.sql(
                """
                SELECT e.target, v.detail ->> 'wait_status' FROM server_event v
                JOIN exchange e ON e.connection_id = v.detail ->> 'connection_id' WHERE v.kind = 'orphan'
                """
            ).contains("/orphan|0")
        )
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    ])
    func `nobody lingers over a request without content that the application left unread`(
        request: String
    ) throws {
        let lab = try WSGIApplications.host("counter:app", ["--json"])
        // It stays open: a child that lingers waits for its end.
        let client = try RawClient(port: lab.port)
        try client.send(request)
        #expect(lab.outputLine(with: "\"event\":\"child\",\"connection_id\":1,") != nil)
        #expect(lab.stop().status == 0)
        #expect(try lab.sql("SELECT request_ns IS NOT NULL FROM exchange") == "1")
        withExtendedLifetime(client) {}
    }
}
