import Foundation
import LabTestSupport
import Testing

/// CGI programs that fail, and clients that leave them.
@Suite struct CGIFailureTests {
    private func record(_ script: String, _ options: [String] = []) throws -> LabRecord {
        let programs = try Programs(["app": "#!/bin/sh\n" + script])
        return try LabRecord(["--cgi", programs.path("app")] + options)
    }

    @Test(arguments: [
        ("echo dire >&2; exit 3", "app exited with 3 before it had printed anything"),
        ("kill -SEGV $$", "app was ended by signal 11 before it had printed anything"),
        ("", "app exited with 0 before it had printed anything"),
        ("printf 'Content-Type: a/b\\n'", "app exited with 0 before it had printed an empty line"),
        ("printf 'no colon\\n\\n'", "app printed a line without a colon in its header section"),
        (
            "printf 'Content-Type: a/b\\nX: a\\000b\\n\\n'",
            "app gave a line end or another control byte in the field 'X'"
        ),
        (
            "head -c 100000 /dev/zero | tr '\\0' a",
            "app printed a header section of more than 64 KiB"
        ),
        (
            "printf 'Location: /else\\n\\n'; kill -KILL $$",
            "app was ended by signal 9"
        ),
    ])
    func `a program that fails before its answer is a 500, and why is on record`(
        script: String,
        error: String
    ) throws {
        let lab = try record(script)
        let answer = try lab.get("/", "-w", "%{http_code}")
        lab.stop()
        #expect(answer == "lab: the application failed.\n500")
        #expect(try lab.sql("SELECT outcome, error FROM exchange") == "app_error|\(error)")
    }

    @Test
    func `what it says of its failure is in the session, and goes to the client with --debug only`()
        throws
    {
        let script = "echo 'a traceback' >&2; exit 1"
        let lab = try record(script)
        #expect(try !lab.get("/").contains("traceback"))
        lab.stop()
        let shown = try Tool.run(Place.lab, "show", lab.session, "1").output
        #expect(shown.contains("\n\nErrors of the application\na traceback\n\n"))
        let found = try Tool.run(
            Place.lab,
            "list",
            lab.session,
            "--where",
            "errors LIKE '%trace%'",
            "--json"
        )
        #expect(found.status == 0)
        let debugging = try record(script, ["--debug"])
        #expect(
            try debugging.get("/")
                == "lab: app exited with 1 before it had printed anything.\n\na traceback\n"
        )
        debugging.stop()
    }

    @Test func `a program that dies in the middle of its answer breaks it off`() throws {
        let lab = try record("printf 'Content-Type: a/b\\n\\nhalf'; kill -KILL $$")
        let answer = try lab.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        lab.stop()
        #expect(answer.contains("4\r\nhalf\r\n"))
        #expect(!answer.contains("0\r\n\r\n"))
        #expect(
            try lab.sql("SELECT status, outcome, error FROM exchange")
                == "200|app_error|app was ended by signal 9"
        )
    }

    @Test func `an exit code after a whole answer is on record, and the answer stands`() throws {
        let lab = try record("printf 'Content-Type: a/b\\n\\nwhole'; exit 4")
        #expect(try lab.get("/", "-w", "%{http_code} %{exitcode}") == "whole200 0")
        lab.stop()
        #expect(try lab.sql("SELECT outcome, error FROM exchange") == "app_error|app exited with 4")
    }

    @Test(arguments: [("exit 4", "4"), ("kill -SEGV $$", "139"), ("exit 0", "0")])
    func `a child leaves with the status of the program that failed, and the report counts it`(
        last: String,
        code: String
    ) throws {
        let lab = try record(
            "printf 'Content-Type: a/b\\n\\n'; [ $PATH_INFO = /good ] && exit 0; \(last)"
        )
        // One child serves them all; what went well later takes nothing back.
        try Tool.run("curl", "-s", lab.url("/good"), lab.url("/bad"), lab.url("/good"))
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql("SELECT exit_code, fate, exiting_ns IS NOT NULL FROM child")
                .hasPrefix("\(code)|exited|1")
        )
        let report = try Tool.run(Place.lab, "report", lab.session).output
        #expect(report.contains("exited with code \(code) "))
    }

    @Test func `more content than was announced is cut, and less breaks the answer off`() throws {
        let lab = try record(
            """
            printf 'Content-Type: a/b\\nContent-Length: 4\\n\\n'
            [ "$PATH_INFO" = /more ] && printf 123456 || printf 12
            """
        )
        #expect(try lab.get("/more", "-w", " %{exitcode}") == "1234 0")
        #expect(try lab.get("/less", "-w", " %{exitcode}") == "12 18")
        lab.stop()
        #expect(
            try lab.sql("SELECT group_concat(outcome || ': ' || error, '; ') FROM exchange")
                == "app_error: the application gave 2 bytes more than it had announced; "
                + "app_error: the application gave 2 bytes less than it had announced"
        )
    }

    @Test func `content that breaks off is answered 400, and no program takes it for whole`() throws
    {
        let programs = try Programs(["app": "#!/bin/sh\ncat >/dev/null\ntouch done\n"])
        let lab = try LabRecord(["--cgi", programs.path("app")])
        let client = try RawClient(port: lab.port)
        try client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\n\r\nabcd")
        client.endSending()
        #expect(client.readToEnd().hasPrefix("HTTP/1.1 400 "))
        lab.stop()
        #expect(try lab.sql("SELECT outcome FROM exchange") == "truncated")
        #expect(!FileManager.default.fileExists(atPath: programs.path("done")))
    }

    @Test func `a program that never ends meets --child-timeout, and goes with its child`() throws {
        let programs = try Programs(["app": "#!/bin/sh\necho $$ > pid\nsleep 1000 & wait\n"])
        let lab = try LabRecord(["--cgi", programs.path("app"), "--child-timeout", "500ms"])
        #expect(try lab.get("/", "-w", "%{http_code}") == "504")
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT e.status, e.outcome, c.fate FROM exchange e JOIN child c USING (connection_id)"
            ) == "504|child_died|timed_out"
        )
        // The program and what it had started were adopted and reaped, or are gone without.
        let pid = try String(contentsOfFile: programs.path("pid"), encoding: .utf8)
        #expect(!isAlive(pid))
    }

    @Test func `a program that is silent for too long is ended, and answered 504`() throws {
        let lab = try record("trap '' TERM; sleep 1000", ["--upstream-timeout", "200ms"])
        #expect(try lab.get("/", "-o", "/dev/null", "-w", "%{http_code}") == "504")
        lab.stop()
        #expect(
            try lab.sql("SELECT outcome, error FROM exchange")
                == "app_error|app was silent for 200 ms"
        )
    }

    @Test(arguments: [true, false])
    func `a client that leaves takes the program with it`(resets: Bool) throws {
        let programs = try Programs([
            "app": "#!/bin/sh\ntrap '' TERM\necho $$ > pid\necho begun >&2\nexec sleep 1000\n"
        ])
        let lab = try LabRecord(["--cgi", programs.path("app"), "-v"])
        var client: RawClient? = try RawClient(port: lab.port)
        try client?.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        while try lab.sql("SELECT count(*) FROM exchange WHERE errors IS NOT NULL") == "0" {}
        if resets { client?.reset() }
        client = nil
        #expect(lab.outputLine(with: "client_closed") != nil)
        let pid = try String(contentsOfFile: programs.path("pid"), encoding: .utf8)
        #expect(!isAlive(pid))
        lab.stop()
    }

    @Test func `a client that only ends its sending side gets its answer`() throws {
        let programs = try Programs([
            "app": """
            #!/bin/sh
            while [ ! -e go ]; do sleep 0.01; done
            printf 'Content-Type: a/b\\n\\nhello'
            """
        ])
        let lab = try LabRecord(["--cgi", programs.path("app")])
        let client = try RawClient(port: lab.port)
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.endSending()
        // The server asks whether somebody is there.
        _ = client.read { $0.hasSuffix("HTTP/1.1 100 Continue\r\n\r\n") }
        try programs.add("go", "")
        #expect(client.readToEnd().contains("hello"))
        lab.stop()
        #expect(try lab.sql("SELECT outcome FROM exchange") == "ok")
    }

    @Test func `a file that the system can't run is a 500 that says what it lacks`() throws {
        let programs = try Programs(["app": "#!/none/such\n"])
        let lab = try LabRecord(["--cgi", programs.path("app")])
        #expect(try lab.get("/", "-o", "/dev/null", "-w", "%{http_code}") == "500")
        lab.stop()
        #expect(
            try lab.sql("SELECT error FROM exchange")
                == "app could not be run: No such file or directory (is the interpreter of its first line there?)"
        )
    }

    @Test func `a program that is missing or not executable stops the recording with a sentence`()
        throws
    {
        let programs = try Programs(["app": "#!/bin/sh\n"], mode: 0o644)
        for (path, words) in [
            ("/none/such", "No such file"), (programs.path("app"), "Make it executable: chmod +x"),
        ] {
            let end = try Tool.run(Place.lab, "record", "--port", "0", "--cgi", path)
            #expect(end.status == 2)
            #expect(end.errors.contains("Cannot run --cgi '\(path)'"))
            #expect(end.errors.contains(words))
        }
        let both = try Tool.run(Place.lab, "record", "--cgi", "a", "--upstream", "http://a")
        #expect(both.status == 64)
    }

    /// Whether a process of this PID runs, and is no zombie.
    private func isAlive(_ pid: String) -> Bool {
        let path = "/proc/\(pid.trimmingCharacters(in: .whitespacesAndNewlines))/stat"
        guard let facts = try? String(contentsOfFile: path, encoding: .utf8) else { return false }
        return !facts.contains(") Z")
    }
}
