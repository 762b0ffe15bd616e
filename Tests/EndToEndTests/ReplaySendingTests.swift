import Foundation
import LabTestSupport
import Testing

/// What a replay sends, where it is not what was captured.
@Suite struct ReplaySendingTests {
    private func recorded() throws -> LabRecord {
        let lab = try LabRecord()
        _ = try Tool.run(
            "curl",
            "-s",
            lab.url("/v1/items/1"),
            lab.url("/v1/items/2"),
            "-H",
            "Cookie: secret"
        )
        _ = try lab.get("/echo", "--data", "some words")
        _ = try lab.get("/v1/items/3", "-X", "DELETE")
        lab.stop()
        return lab
    }

    private func replay(_ lab: LabRecord, _ words: String...) throws -> Finished {
        try Tool([Place.lab, "replay", lab.session] + words).finish()
    }

    @Test func `requests are changed as the options say, and the target's own record proves it`()
        throws
    {
        let lab = try recorded()
        let server = try LabRecord()
        let end = try replay(
            lab,
            "--target",
            server.url(""),
            "--method-allow",
            "GET,POST",
            "--rewrite",
            #"^/v1/(\w+)/=>/v2/$1/old-"#,
            "--rewrite",
            "old-1=>new-1",
            "--set-header",
            "X-Build: b 7 ",
            "--remove-header",
            "cookie",
            "--keep-host"
        )
        #expect(end.status == 0)
        #expect(end.errors.contains("left out 1 exchange(s) whose method is not in --method-allow"))
        server.stop()
        #expect(
            try server.sql(
                "SELECT group_concat(target, ' ') FROM (SELECT target FROM exchange ORDER BY 1)"
            )
                == "/echo /v2/items/new-1 /v2/items/old-2"
        )
        func heads(_ pattern: String) throws -> String {
            try server.sql(
                "SELECT count(*) FROM exchange WHERE CAST(request_head AS TEXT) LIKE '%\(pattern)%'"
            )
        }
        #expect(try heads("\r\nX-Build: b 7\r\n") == "3")
        #expect(try heads("Cookie") == "0")
        #expect(try heads("\r\nHost: 127.0.0.1:\(lab.port)\r\n") == "3")
        #expect(
            try server.sql(
                "SELECT CAST(b.bytes AS TEXT) FROM exchange e JOIN body b ON b.id = request_body_id"
            )
                == "some words"
        )
        #expect(
            try lab.sql(
                "SELECT settings ->> '$.rewrites[1]', settings ->> '$.set_headers[0]', settings ->> '$.keeps_host' FROM replay_run"
            ) == "old-1=>new-1|X-Build: b 7|1"
        )
    }

    @Test func `what may change something is not sent to another machine unless that is allowed`()
        throws
    {
        let lab = try recorded()
        // An address for documentation (RFC 5737): nobody is there.
        let target = "http://192.0.2.1:9"
        let refused = try replay(lab, "--target", target)
        #expect(refused.status == 2)
        #expect(
            refused.errors.contains(
                "Will not send 2 request(s) that may change something at http://192.0.2.1:9, which is not "
                    + "on this machine: 1 DELETE, 1 POST. "
            )
        )
        #expect(refused.errors.contains("--allow-unsafe"))
        #expect(try lab.sql("SELECT count(*) FROM replay_run") == "0")
        // The controls: those that are safe, those that are allowed, and those that stay here.
        #expect(
            try replay(lab, "--target", target, "--dry-run", "--method-allow", "GET").status == 0
        )
        #expect(try replay(lab, "--target", target, "--dry-run", "--allow-unsafe").status == 0)
        #expect(try replay(lab, "--target", "http://localhost:9", "--dry-run").status == 0)
    }

    @Test func `a dry run tells what would be sent, and sends and stores nothing`() throws {
        let lab = try recorded()
        let server = try ScriptedServer { _ in "" }
        defer { server.stop() }
        let url = "http://127.0.0.1:\(server.port)"
        let end = try replay(
            lab,
            "--target",
            url,
            "--dry-run",
            "--rewrite",
            "^/v1=>/v2",
            "--remove-header",
            "X-None",
            "-n",
            "1000"
        )
        #expect(end.status == 0)
        // Columns are as wide as they must be: only what stands in them counts.
        let said = end.output.replacing(#/ +/#, with: " ")
        for line in [
            "Dry run: nothing was sent", " target \(url)",
            " the session 4 requests on 3 captured connections, 3 sessions",
            " sent 1,000 requests, over and over, on 10 connections at once", " GET 2\n",
            " DELETE 1 may change something", " GET /v2/items/{id} 2",
            " --rewrite '^/v1=>/v2' 3", " --remove-header X-None 0", "> GET /v2/items/1 HTTP/1.1",
            "> Host: 127.0.0.1:\(server.port)",
        ] { #expect(said.contains(line)) }
        #expect(server.requests.isEmpty)
        #expect(try lab.sql("SELECT count(*) FROM replay_run") == "0")

        // Sessions that start by the clock have their times.
        let timed = try replay(lab, "--target", url, "--dry-run", "--rate", "2")
        #expect(timed.output.contains("1.00 s until the last one is due"))

        let away = try replay(lab, "--target", "http://192.0.2.1:9", "--dry-run", "--json")
        #expect(away.status == 2)
        #expect(away.output.contains(#""needs_allow_unsafe" : true"#))
        #expect(away.output.contains(#""planned_requests" : 4"#))
        #expect(away.output.contains(#""duration_s" : null"#))
    }

    @Test func `a rule that makes no target of one stops the replay before it starts`() throws {
        let lab = try recorded()
        let end = try replay(lab, "--target", "http://127.0.0.1:9", "--rewrite", "^/v1/=>")
        #expect(end.status == 2)
        #expect(end.errors.contains("Cannot send 3 request(s): --rewrite makes a target of them"))
        let none = try replay(lab, "--target", "http://127.0.0.1:9", "--method-allow", "PATCH")
        #expect(none.status == 2)
        #expect(none.errors.contains("holds no request of --method-allow PATCH."))
    }

    @Test(arguments: [
        (["--set-header", "Content-Length: 5"], "cannot change Content-Length"),
        (["--set-header", "transfer-encoding: chunked"], "cannot change transfer-encoding"),
        (["--remove-header", "Content-Length"], "cannot change Content-Length"),
        (["--remove-header", "host"], "cannot leave out Host"),
        (["--set-header", "Host: a", "--set-header", "Host: b"], "A request has one Host"),
        (["--set-header", "Host: a", "--keep-host"], "A request has one Host"),
        (["--set-header", "Host: a b"], "takes a host, not 'a b'"),
        (["--set-header", "A: b\r\nC: d"], "has a control character"),
        (["--set-header", "no colon"], "has no colon"), (["--set-header", "a b: c"], "is no name"),
        (["--remove-header", "a:"], "not 'a:'"), (["--rewrite", "a"], "'a' has no '=>'"),
        (["--rewrite", "(=>b"], "is no regular expression"),
        (["--rewrite", "a=>$1"], "has no group $1"),
        (["--method-allow", "GET,"], "not 'GET,'"),
    ])
    func `what cannot be sent is bad usage`(words: [String], sentence: String) throws {
        let end = try Tool([Place.lab, "replay", "none.db"] + words).finish()
        #expect(end.status == 64)
        #expect(end.errors.contains(sentence))
    }
}
