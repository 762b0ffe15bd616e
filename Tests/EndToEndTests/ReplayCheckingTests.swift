import Foundation
import LabTestSupport
import Testing

/// What a replay compares, says of what differs, and keeps.
@Suite struct ReplayCheckingTests {
    /// An upstream that answers like the captured one but for what the target asks for.
    private static func answer(_ head: String, isNew: Bool) -> String {
        let path = head.split(separator: " ").dropFirst().first ?? ""
        let at = isNew ? "2026" : "2025"
        var body = #"{"id":7,"at":"\#(at)","items":[{"n":1,"at":"\#(at)"}]}"#
        var fields = "Content-Type: application/json\r\nDate: \(at)\r\n"
        if path == "/value", isNew { body = #"{"id":8,"at":"2026","items":[{"n":1,"at":"2026"}]}"# }
        if path == "/header" { fields += "Cache-Control: \(isNew ? "no-store" : "public")\r\n" }
        let status = path == "/status" && isNew ? "500 No" : "200 OK"
        return "HTTP/1.1 \(status)\r\n\(fields)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private let session: String
    private let server: ScriptedServer

    init() throws {
        let upstream = try ScriptedServer { Self.answer($0, isNew: false) }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        for path in ["/same", "/value", "/header", "/status"] { try lab.get(path) }
        lab.stop()
        upstream.stop()
        session = lab.session
        server = try ScriptedServer { Self.answer($0, isNew: true) }
    }

    private func replay(_ words: String...) throws -> Finished {
        try Tool(
            [
                Place.lab, "replay", session, "--target", "http://127.0.0.1:\(server.port)", "-c",
                "1",
            ]
                + words
        ).finish()
    }

    private func sql(_ query: String) throws -> String { try LabRecord.sql(session, query) }

    /// The reasons of the newest run, by exchange.
    private func reasons() throws -> String {
        try sql(
            """
            SELECT group_concat(ifnull(mismatch, '-'), ' ') FROM (SELECT mismatch FROM replay_result
            WHERE run_id = (SELECT max(id) FROM replay_run) ORDER BY exchange_id)
            """
        )
    }

    @Test func `mismatches are told with their reasons, and are an exit code where one asks`()
        throws
    {
        let quiet = try replay()
        #expect(quiet.status == 0)
        #expect(try reasons() == "body body body status")
        #expect(quiet.output.contains("content differs  lab show 1 --run 1"))
        #expect(quiet.output.contains("status differs   lab show 4 --run 1"))

        let loud = try replay("--match", "status,headers", "--json")
        #expect(loud.status == 1)
        #expect(try reasons() == "- - header:cache-control status")
        #expect(
            loud.errors.contains(
                "2 of 4 answers are not the captured ones: 1 header:cache-control, 1 status."
            )
        )
        #expect(
            loud.output.contains(#""mismatch_reasons":{"header:cache-control":1,"status":1}"#)
        )

        let ignoring = try replay(
            "--match",
            "status,headers,body",
            "--ignore-header",
            "cache-control",
            "--ignore-json",
            "/at",
            "--ignore-json",
            "/items/*/at"
        )
        #expect(ignoring.status == 1)
        #expect(try reasons() == "- body:/id - status")
        #expect(ignoring.output.contains("content differs at /id  lab show 2 --run 3"))
        #expect(
            try replay("--match", "headers", "--ignore-header", "Cache-Control").status == 0
        )
    }

    @Test func `with --store none there are totals and no rows, and a report says so`() throws {
        let end = try replay("--store", "none", "--label", "lean")
        #expect(end.status == 0)
        #expect(end.output.contains("results were not kept (--store none)"))
        #expect(end.output.contains("requests       4,"))
        #expect(try sql("SELECT count(*) FROM replay_result") == "0")
        #expect(try sql("SELECT count(*) FROM replay_head") == "0")
        #expect(try sql("SELECT sum(count) FROM histogram WHERE series = 'service'") == "4")
        let report = try Tool.run(Place.lab, "report", session, "--run", "lean")
        #expect(report.output.contains("content differs      3"))
        let json = try Tool.run(Place.lab, "report", session, "--run", "lean", "--json")
        #expect(json.output.contains(#""keeps_results" : false"#))
        #expect(try Tool.run(Place.lab, "check", session).status == 0)
    }

    @Test func `heads of answers that differ are kept, and all of them where one asks`() throws {
        _ = try replay("--match", "status,headers")
        #expect(try sql("SELECT count(head_id), count(*) FROM replay_result") == "2|4")
        #expect(
            try sql(
                "SELECT count(*) FROM replay_head WHERE CAST(bytes AS TEXT) LIKE '%Cache-Control: no-store%'"
            ) == "1"
        )
        _ = try replay("--store", "all", "--max-stored-body", "10")
        #expect(
            try sql("SELECT count(head_id), count(*) FROM replay_result WHERE run_id = 2") == "4|4"
        )
        // Two runs of the same answers: the body that was kept whole is not stored again cut.
        #expect(
            try sql(
                "SELECT count(DISTINCT b.digest), count(DISTINCT b.id), min(truncated) FROM replay_result r JOIN body b ON b.id = r.body_id"
            ) == "2|2|0"
        )
        #expect(try Tool.run(Place.lab, "check", session).status == 0)
    }

    @Test func `what a replay was answered is shown beside what was captured`() throws {
        _ = try replay("--match", "status,headers,body", "--ignore-json", "/at", "--label", "new")
        let shown = try Tool.run(Place.lab, "show", session, "3", "--run", "new")
        #expect(
            shown.output.contains("Replayed in run 1 (new) at http://127.0.0.1:\(server.port)\n")
        )
        #expect(shown.output.contains(": header differs: cache-control\n"))
        #expect(
            shown.output.contains(
                "- Cache-Control: public\n+ Date: 2026\n+ Cache-Control: no-store\n"
            )
        )
        let json = try Tool.run(Place.lab, "show", session, "3", "--run", "1", "--json")
        #expect(json.output.contains(#""mismatch" : "header:cache-control""#))
        let none = try Tool.run(Place.lab, "show", session, "3", "--run", "old")
        #expect(none.status == 2 && none.errors.contains("There is no replay run 'old'"))
        let usage = try Tool.run(Place.lab, "show", session, "3", "--run", "1", "--curl")
        #expect(usage.status == 64)
    }

    @Test func `exchanges are listed with what a replay did otherwise`() throws {
        _ = try replay("--match", "status,headers")
        func list(_ words: String...) throws -> Finished {
            try Tool([Place.lab, "list", session] + words).finish()
        }
        let listed = try list("--run", "1").output
        #expect(listed.split(separator: "\n").count == 5)
        #expect(listed.contains("replayed: header differs: cache-control\n"))
        #expect(listed.contains("replayed: status differs\n"))
        let json = try list("--run", "1", "--where", "mismatch LIKE 'header:%'", "--json").output
        #expect(json.split(separator: "\n").count == 1)
        #expect(json.contains(#""mismatch":"header:cache-control""#))
        #expect(try list("--where", "mismatch IS NULL").output.split(separator: "\n").count == 5)
        let none = try list("--run", "7")
        #expect(none.status == 2 && none.errors.contains("There is no replay run '7'"))
    }

    @Test(arguments: [
        (["--match", "status,cookies"], "--match does not know 'status,cookies'"),
        (["--match", ""], "--match does not know ''"),
        (["--ignore-header", "date"], "add --match status,headers,body"),
        (["--match", "headers", "--ignore-header", "a b"], "'a b' is none"),
        (["--match", "status", "--ignore-json", "/a"], "add body to --match"),
        (["--ignore-json", "a"], "'a' is none"), (["--store", "some"], "'some' is invalid"),
    ])
    func `what cannot be meant is bad usage`(words: [String], sentence: String) throws {
        let end = try Tool([Place.lab, "replay", session] + words).finish()
        #expect(end.status == 64)
        #expect(end.errors.contains(sentence))
    }
}
