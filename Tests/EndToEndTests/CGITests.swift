import Foundation
import LabTestSupport
import Testing

/// CGI programs (RFC 3875), one run for each request.
@Suite struct CGITests {
    /// `lab record` with one shell script.
    private func record(
        _ script: String,
        name: String = "app",
        _ options: [String] = []
    ) throws -> LabRecord {
        let programs = try Programs([name: "#!/bin/sh\n" + script])
        return try LabRecord(["--cgi", programs.path(name)] + options)
    }

    private static let environScript = """
        #!/usr/bin/python3 -SE
        import sys
        own = open('/proc/self/environ', 'rb').read()
        sys.stdout.buffer.write(b'Content-Type: text/plain\\n\\n' + own.replace(b'\\0', b'\\n'))
        """

    @Test func `the environ on record is the program's environment, byte for byte`() throws {
        let programs = try Programs(["app": Self.environScript])
        let lab = try LabRecord(["--cgi", programs.folder.path])
        let seen = programs.path("seen")
        try lab.get(
            "/app/a%20b%FF%5C/c?x=1+%2F",
            "-o",
            seen,
            "--path-as-is",
            "-H",
            "Proxy: evil",
            "-H",
            "Authorization: Basic eDp5",
            "-H",
            "Proxy-Authorization: Basic eDp5",
            "-H",
            "X_Under: no",
            "-H",
            "Cookie: a=b",
            "-H",
            "X: one",
            "-H",
            "x: two",
            "-d",
            "12345"
        )
        lab.stop()
        let shown = try Tool.run(
            "bash",
            "-c",
            "'\(Place.lab)' show --environ '\(lab.session)' 1 | while IFS= read -r line; do printf '%b\\n' \"$line\"; done | cmp - '\(seen)'"
        )
        #expect(shown.status == 0, "\(shown.output)")
        let text = try String(decoding: Data(contentsOf: URL(fileURLWithPath: seen)), as: UTF8.self)
        let lines = Set(text.split(separator: "\n").map { String($0) })
        for line in [
            "GATEWAY_INTERFACE=CGI/1.1", "SCRIPT_NAME=/app", "QUERY_STRING=x=1+%2F",
            "REQUEST_URI=/app/a%20b%FF%5C/c?x=1+%2F", "SCRIPT_FILENAME=\(programs.path("app"))",
            "CONTENT_LENGTH=5", "CONTENT_TYPE=application/x-www-form-urlencoded",
            "HTTP_COOKIE=a=b", "HTTP_X=one, two", "REQUEST_METHOD=POST", "REMOTE_HOST=127.0.0.1",
            "SERVER_PROTOCOL=HTTP/1.1", "SERVER_SOFTWARE=lab", "SERVER_PORT=\(lab.port)",
        ] { #expect(lines.contains(line), "\(line)") }
        for name in ["HTTP_PROXY", "AUTHORIZATION", "UNDER", "wsgi", "HOME="] {
            #expect(!text.contains(name), "\(name)")
        }
    }

    @Test func `content in chunks is measured before the program runs, and on its standard input`()
        throws
    {
        let lab = try record("echo Content-Type: text/plain; echo; echo $CONTENT_LENGTH; wc -c")
        let content = try Programs(["content": String(repeating: "a", count: 1 << 20)])
        let answer = try lab.get(
            "/",
            "-H",
            "Transfer-Encoding: chunked",
            "--data-binary",
            "@\(content.path("content"))"
        )
        lab.stop()
        #expect(answer == "1048576\n1048576\n")
        #expect(
            try lab.sql("SELECT value FROM environ WHERE name = 'CONTENT_LENGTH'") == "1048576"
        )
    }

    @Test func `content of a known length streams: an answer begins before it has ended`() throws {
        let lab = try record(
            "printf 'Content-Type: a/b\\nContent-Length: 8\\n\\n'; head -c 4; head -c 4"
        )
        let client = try RawClient(port: lab.port)
        try client.send(
            "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 8\r\nExpect: 100-continue\r\n\r\n"
        )
        let before = client.read { $0.contains("100 Continue\r\n\r\n") }
        try client.send("abcd")
        let begun = before + client.read { $0.hasSuffix("abcd") }
        #expect(begun.contains("HTTP/1.1 200 OK"))
        try client.send("efgh")
        #expect(client.read { $0.hasSuffix("efgh") } == "efgh")
        lab.stop()
        #expect(try lab.sql("SELECT outcome FROM exchange") == "ok")
    }

    @Test func `Status and both redirects, the local one ten times at most`() throws {
        let lab = try record(
            """
            case $PATH_INFO in
            /status) printf 'Status: 418 Teapot\\nConnection: x\\n\\n%s' "$REQUEST_METHOD$(cat)";;
            /away) printf 'Location: http://a.test/\\n\\n';;
            /here) printf 'Location: /status?q\\n\\nnobody reads this';;
            /loop) printf 'Location: /loop\\n\\n';;
            esac
            """
        )
        #expect(try lab.get("/status", "-d", "x", "-w", "%{http_code}") == "POSTx418")
        #expect(try lab.get("/away", "-w", "%{http_code} %{redirect_url}") == "302 http://a.test/")
        #expect(try lab.get("/here", "-d", "x", "-w", "%{http_code}") == "GET418")
        #expect(try lab.get("/loop", "-o", "/dev/null", "-w", "%{http_code}") == "500")
        lab.stop()
        #expect(try lab.sql("SELECT group_concat(outcome) FROM exchange") == "ok,ok,ok,app_error")
        #expect(
            try lab.sql(
                "SELECT group_concat(name || '=' || value, '|') FROM environ WHERE exchange_id = 3 AND name IN ('QUERY_STRING', 'CONTENT_LENGTH', 'REQUEST_URI', 'REQUEST_METHOD')"
            ) == "REQUEST_METHOD=GET|QUERY_STRING=q|REQUEST_URI=/status?q"
        )
    }

    @Test func `HEAD, 304, HTTP 1.0, and several requests on one connection`() throws {
        let lab = try record(
            """
            [ "$PATH_INFO" = /304 ] && printf 'Status: 304\\n'
            printf 'Content-Type: a/b\\n\\nhello'
            """
        )
        let all = try lab.exchange(
            """
            HEAD / HTTP/1.1\r\nHost: a\r\n\r\nGET /304 HTTP/1.1\r\nHost: a\r\n\r\n\
            GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n
            """
        )
        #expect(all.components(separatedBy: "HTTP/1.1 200 OK").count == 3)
        #expect(all.contains("HTTP/1.1 304 Not Modified"))
        #expect(all.components(separatedBy: "hello").count == 2)
        #expect(all.hasSuffix("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"))
        let old = try lab.exchange("GET / HTTP/1.0\r\n\r\n")
        #expect(old.hasSuffix("\r\nConnection: close\r\n\r\nhello"))
        lab.stop()
        #expect(
            try lab.sql("SELECT count(*), count(DISTINCT connection_id) FROM exchange") == "4|2"
        )
    }

    @Test func `the answer of an nph program goes out as it is`() throws {
        let lab = try record("printf 'HTTP/1.1 299 Mine\\r\\nX: y\\r\\n\\r\\nz'", name: "nph-app")
        let answer = try lab.exchange("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        lab.stop()
        #expect(answer == "HTTP/1.1 299 Mine\r\nX: y\r\n\r\nz")
        #expect(try lab.sql("SELECT status, reason, outcome FROM exchange") == "299|Mine|ok")
    }

    @Test func `a program has three descriptors, no blocked or ignored signal, its own folder`()
        throws
    {
        let programs = try Programs([
            "app": """
            #!/usr/bin/python3 -SE
            import os, sys
            print('Content-Type: text/plain\\n')
            for one in range(1024):
                try: os.fstat(one)
                except OSError: continue
                print('descriptor', one)
            print(''.join(line for line in open('/proc/self/status') if line[:6] == 'SigBlk'))
            print(os.getcwd())
            print('arguments', len(sys.argv) - 1)
            """,
            "signals": """
            #!/bin/sh
            echo Content-Type: text/plain; echo
            grep SigIgn /proc/$$/status
            """,
        ])
        let lab = try LabRecord(["--cgi", programs.folder.path])
        let seen = try lab.get("/app?query+without+sign")
        let ignored = try lab.get("/signals")
        lab.stop()
        let descriptors = seen.split(separator: "\n").filter { $0.hasPrefix("descriptor") }
        #expect(descriptors == ["descriptor 0", "descriptor 1", "descriptor 2"])
        #expect(seen.contains("SigBlk:\t0000000000000000\n"))
        #expect(seen.contains("/\(programs.folder.lastPathComponent)\n"))
        #expect(seen.contains("arguments 0"))
        // Not in Python, which ignores some itself.
        #expect(ignored == "SigIgn:\t0000000000000000\n")
    }

    @Test func `a directory serves its executables and nothing else`() throws {
        let programs = try Programs([
            "app": "#!/bin/sh\nprintf 'Content-Type: a/b\\n\\n%s' \"$PATH_INFO\""
        ])
        try programs.add("data", "", mode: 0o644)
        let lab = try LabRecord(["--cgi", programs.folder.path])
        #expect(try lab.get("/app/x%20y") == "/x y")
        for (path, status) in [
            ("/", "404"), ("/none", "404"), ("/data", "403"), ("/../bin/sh", "404"),
            ("/%2e%2e/bin/sh", "404"), ("/app%00", "404"),
        ] {
            let seen = try lab.get(path, "--path-as-is", "-o", "/dev/null", "-w", "%{http_code}")
            #expect(seen == status, "\(path)")
        }
        lab.stop()
        #expect(
            try lab.sql("SELECT DISTINCT outcome FROM exchange WHERE status = 404") == "ok"
        )
    }

    @Test func `a program answers whatever host a target names, and forwards to nobody`() throws {
        let lab = try record("printf 'Content-Type: a/b\\n\\n%s' \"$HTTP_HOST $PATH_INFO\"")
        let absolute = try lab.exchange(
            "GET http://other.test/a HTTP/1.1\r\nHost: b\r\nConnection: close\r\n\r\n"
        )
        #expect(absolute.contains("other.test /a\r\n0\r\n"))
        let tunnel = try lab.exchange(
            "CONNECT other.test:443 HTTP/1.1\r\nHost: other.test:443\r\n\r\n"
        )
        #expect(tunnel.hasPrefix("HTTP/1.1 501 "))
        lab.stop()
    }

    @Test func `what a program costs is what its exchange and its child cost`() throws {
        let programs = try Programs([
            "app": """
            #!/usr/bin/python3 -SE
            import time
            while time.process_time() < 0.1: pass
            print('Content-Type: text/plain\\n\\n')
            """
        ])
        let lab = try LabRecord(["--cgi", programs.path("app")])
        try lab.get("/")
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT e.user_cpu_us + e.system_cpu_us >= 100000, c.user_cpu_us + c.system_cpu_us >= e.user_cpu_us + e.system_cpu_us FROM exchange e JOIN child c USING (connection_id)"
            ) == "1|1"
        )
    }

    @Test func `a process that a program leaves behind holds up nobody, and is found`() throws {
        let lab = try record(
            "printf 'Content-Type: a/b\\n\\nhi'; sleep 0.5 &",
            ["-v"]
        )
        #expect(try lab.get("/") == "hi")
        #expect(lab.outputLine(with: "orphan") != nil)
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT json_extract(detail, '$.connection_id') FROM server_event WHERE kind = 'orphan'"
            ) == "1"
        )
        #expect(
            try lab.sql(
                "SELECT c.reaped_ns < v.at_ns FROM child c, server_event v WHERE v.kind = 'orphan'"
            ) == "1"
        )
    }
}
