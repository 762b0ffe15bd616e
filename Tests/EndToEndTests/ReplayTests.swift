import Foundation
import LabTestSupport
import Testing

/// A recorded session, sent again.
@Suite struct ReplayTests {
    private struct Totals: Decodable {
        var requests: Int
        var ok: Int
        var errors: Int
        var mismatches: Int
        var interrupted: Bool
    }

    private func replay(_ words: [String]) throws -> (Totals, Finished) {
        let end = try Tool([Place.lab, "replay"] + words + ["--json"]).finish()
        let decoder = JSONDecoder()
        return (try decoder.decode(Totals.self, from: Data(end.output.utf8)), end)
    }

    private func recorded() throws -> LabRecord {
        let lab = try LabRecord()
        _ = try Tool.run(
            "curl",
            "-s",
            lab.url("/"),
            lab.url("/bytes/100000"),
            lab.url("/status/404")
        )
        _ = try lab.get("/echo", "--data", "some words")
        _ = try lab.get("/", "-I")
        lab.stop()
        return lab
    }

    @Test func `the same server answers the same, and every result is a row`() throws {
        let lab = try recorded()
        let server = try LabRecord()
        let (totals, end) = try replay([lab.session, "--target", server.url("")])
        server.stop()
        #expect(end.status == 0)
        #expect(totals.requests == 5 && totals.ok == 5 && totals.mismatches == 0)
        #expect(
            try lab.sql(
                "SELECT count(*), sum(matches), sum(r.body_id IS e.response_body_id), sum(done_ns >= first_byte_ns AND first_byte_ns >= sent_ns) FROM replay_result r JOIN exchange e ON e.id = r.exchange_id"
            ) == "5|5|5|5"
        )
        #expect(try lab.sql("SELECT sum(count) FROM histogram WHERE series = 'service'") == "5")
        // The server's own record proves that it was sent so, in order on one connection.
        #expect(
            try server.sql(
                "SELECT group_concat(target) FROM (SELECT target FROM exchange WHERE connection_id = (SELECT connection_id FROM exchange WHERE target LIKE '/bytes%') ORDER BY sequence)"
            )
            .hasPrefix("/,/bytes/100000,/status/404")
        )
    }

    @Test func `a server that answers otherwise is found out`() throws {
        let lab = try recorded()
        let other = try ScriptedServer { head in
            head.hasPrefix("HEAD")
                ? "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\n"
                : "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, Earth!"
        }
        defer { other.stop() }
        let (totals, end) = try replay([lab.session, "--target", "http://127.0.0.1:\(other.port)"])
        #expect(end.status == 0)
        // All but the HEAD, whose status is the same and which has no content.
        #expect(totals.requests == 5 && totals.mismatches == 4)
        #expect(
            try lab.sql(
                "SELECT DISTINCT CAST(b.bytes AS TEXT) FROM replay_result r JOIN body b ON b.id = r.body_id WHERE NOT matches"
            )
                == "Hello, Earth!"
        )
    }

    @Test
    func
        `a session is sent over and over until the number is reached, at once from many connections`()
        throws
    {
        let lab = try recorded()
        let server = try LabRecord()
        let (totals, _) = try replay([
            lab.session, "--target", server.url(""), "-n", "500", "-c", "50", "--label", "many",
        ])
        server.stop()
        #expect(totals.requests == 500 && totals.ok == 500 && totals.mismatches == 0)
        #expect(try lab.sql("SELECT count(*), max(round) >= 99 FROM replay_result") == "500|1")
        #expect(
            try lab.sql("SELECT label, concurrency, end_reason FROM replay_run") == "many|50|done"
        )
        #expect(try server.sql("SELECT count(*) FROM exchange") == "500")
    }

    @Test func `the default target is where the session was recorded`() throws {
        let origin = try LabRecord()
        let lab = try LabRecord(["--upstream", origin.url("")])
        _ = try lab.get("/")
        lab.stop()
        let (totals, _) = try replay([lab.session])
        origin.stop()
        #expect(totals.ok == 1 && totals.mismatches == 0)
    }

    @Test func `a request that killed its child then and kills it now is no difference`() throws {
        let lab = try LabRecord()
        _ = try Tool.run("curl", "-s", lab.url("/crash/11"))
        lab.stop()
        let server = try LabRecord()
        let (totals, end) = try replay([lab.session, "--target", server.url("")])
        #expect(totals.errors == 1 && totals.mismatches == 0)
        #expect(end.status == 1)
        server.stop()
        let cured = try ScriptedServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" }
        defer { cured.stop() }
        let (after, _) = try replay([lab.session, "--target", "http://127.0.0.1:\(cured.port)"])
        #expect(after.ok == 1 && after.mismatches == 1)
    }

    @Test func `an interrupted replay keeps what was done`() throws {
        let lab = try LabRecord()
        _ = try Tool.run("curl", "-s", lab.url("/"), lab.url("/sleep/0.05"))
        lab.stop()
        let server = try LabRecord()
        let run = try Tool([
            Place.lab, "replay", lab.session, "--target", server.url(""), "--duration", "60s",
            "--json",
        ])
        while try server.sql("SELECT count(*) > 4 FROM exchange") != "1" {}
        run.signal(SIGINT)
        let end = run.finish()
        server.stop()
        #expect(end.status == 130)
        let totals = try JSONDecoder().decode(Totals.self, from: Data(end.output.utf8))
        #expect(totals.interrupted)
        #expect(totals.requests > 4)
        #expect(try lab.sql("SELECT count(*) FROM replay_result") == "\(totals.requests)")
        #expect(try lab.sql("SELECT end_reason FROM replay_run") == "interrupted")
    }

    @Test func `a condition that holds is 1, one that can't be judged 3, one that passes 0`() throws
    {
        let lab = try recorded()
        let server = try LabRecord()
        func end(_ conditions: String...) throws -> Finished {
            try Tool(
                [Place.lab, "replay", lab.session, "--target", server.url(""), "--json"]
                    + conditions.flatMap { ["--fail-if", $0] }
            ).finish()
        }
        let bad = try end("max>0ms", "mismatches>0", "rate<1000000000")
        #expect(bad.status == 1)
        #expect(bad.errors.contains("The condition 'max>0ms' holds: it is "))
        #expect(bad.output.contains(#""failed_conditions":["max>0ms","rate<1000000000"]"#))
        let usage = try end("p99>1h", "errors>0")
        #expect(usage.status == 64)
        #expect(usage.errors.contains("does not know 'p99>1h'"))
        let unknown = try end("max>0ms", "p99>1000s")
        #expect(unknown.status == 3)
        #expect(unknown.errors.contains("5 whole answers are too few, it needs 1000"))
        #expect(try end("max>1000s", "errors>0", "mismatches>=1%", "rate<0").status == 0)
        server.stop()
    }

    @Test func `only what the filter takes is sent, and a bad filter is bad usage`() throws {
        let lab = try recorded()
        let server = try LabRecord()
        func end(_ filter: String) throws -> Finished {
            try Tool.run(
                Place.lab,
                "replay",
                lab.session,
                "--target",
                server.url(""),
                "--filter",
                filter
            )
        }
        #expect(try end("method = 'POST' OR status = 404").status == 0)
        let none = try end("status = 999")
        #expect(none.status == 2 && none.errors.contains("holds no exchange of which"))
        let bad = try end("nothing = 1")
        #expect(bad.status == 64 && bad.errors.contains("Cannot use the expression"))
        server.stop()
        #expect(
            try server.sql(
                "SELECT group_concat(target) FROM (SELECT target FROM exchange ORDER BY target)"
            )
                == "/echo,/status/404"
        )
        #expect(
            try lab.sql("SELECT settings ->> '$.filter' FROM replay_run")
                == "method = 'POST' OR status = 404"
        )
    }
}
