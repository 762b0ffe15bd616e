import Foundation
import LabTestSupport
import Testing

/// A load as it is asked for on the command line, and what is said of it.
@Suite struct `The load of a replay` {
    private struct Totals: Decodable {
        struct Latency: Decodable {
            var count: Int
            var p50: Double?
            var max: Double?
        }

        struct Sessions: Decodable { var started, completed, dropped: Int }

        struct Load: Decodable {
            var loop, pace, sessions, connections: String
            var rate: Double?
        }

        struct Route: Decodable {
            var route: String
            var latencyMs: Latency
        }

        var requests, ok, errors, dropped, warmup: Int
        var latencyKind, coordinatedOmission: String
        var latencyMs, serviceMs: Latency
        var responseMs, lagMs: Latency?
        var load: Load
        var sessions: Sessions
        var byStatus: [String: Latency]
        var byRoute: [Route]
        var connectionsOpened: Int
    }

    private func replay(_ words: [String]) throws -> (Totals, Finished) {
        let end = try Tool([Place.lab, "replay"] + words + ["--json"]).finish()
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return (try decoder.decode(Totals.self, from: Data(end.output.utf8)), end)
    }

    /// Ten connections with two requests each.
    private func recorded() throws -> LabRecord {
        let lab = try LabRecord()
        for _ in 0..<10 {
            _ = try Tool.run("curl", "-s", "-b", "sid=abc", lab.url("/"), lab.url("/status/404"))
        }
        lab.stop()
        return lab
    }

    @Test func `an open loop has response times, service times and lag, by status and route`()
        throws
    {
        let lab = try recorded()
        let server = try LabRecord()
        let (totals, end) = try replay([
            lab.session, "--target", server.url(""), "-R", "200", "--loop", "5", "--arrival",
            "poisson", "--seed", "7",
        ])
        #expect(end.status == 0)
        #expect(totals.requests == 100 && totals.ok == 100)
        #expect(totals.latencyKind == "response" && totals.coordinatedOmission == "corrected")
        #expect(totals.responseMs?.count == 100 && totals.lagMs?.count == 100)
        #expect(totals.serviceMs.count == 100)
        #expect(totals.latencyMs.p50 == totals.responseMs?.p50 && totals.latencyMs.p50 != nil)
        #expect(totals.load.loop == "open" && totals.load.rate == 200)
        #expect(totals.sessions.started == 50 && totals.sessions.completed == 50)
        #expect(totals.byStatus["2xx"]?.count == 50 && totals.byStatus["4xx"]?.count == 50)
        #expect(Set(totals.byRoute.map(\.route)) == ["GET /", "GET /status/{id}"])
        #expect(totals.connectionsOpened == 50)
        #expect(
            try lab.sql(
                "SELECT group_concat(series) FROM (SELECT DISTINCT series FROM histogram ORDER BY series)"
            )
                == "lag,response,response route GET /,response route GET /status/{id},response status 2xx,response status 4xx,service"
        )
        #expect(
            try lab.sql("SELECT sum(count) FROM histogram WHERE series = 'response'") == "100"
        )
        #expect(try lab.sql("SELECT pacing, seed FROM replay_run") == "asap|7")
        // Response time is the rows' own: done - due.
        let longest = try lab.sql("SELECT max(done_ns - intended_ns) / 1e6 FROM replay_result")
        let max = try #require(Double(longest))
        #expect(abs((totals.latencyMs.max ?? 0) - max) <= max / 500)
        server.stop()
    }

    @Test func `a closed loop is labelled as what it is`() throws {
        let lab = try recorded()
        let server = try LabRecord()
        let (totals, _) = try replay([lab.session, "--target", server.url("")])
        #expect(totals.latencyKind == "service" && totals.coordinatedOmission == "not corrected")
        #expect(totals.responseMs == nil && totals.lagMs == nil)
        // Twenty answers carry a median and no more.
        #expect(totals.latencyMs.p50 != nil)
        #expect(totals.load.connections == "captured" && totals.connectionsOpened == 10)
        let text = try Tool.run(
            Place.lab,
            "replay",
            lab.session,
            "--target",
            server.url(""),
            "-n",
            "60",
            "--label",
            "many"
        )
        .output
        server.stop()
        #expect(text.contains("closed loop, 10 sessions at once, pace asap, connections shared"))
        #expect(text.contains("coordinated omission is not corrected"))
        #expect(text.contains("Slowest routes"))
        let open = try Tool.run(Place.lab, "report", lab.session, "--run", "many").output
        #expect(open == text)
    }

    @Test func `what cannot start is dropped, told and counted`() throws {
        let lab = try recorded()
        let server = try ScriptedServer { _ in "" }
        let busy = try ScriptedServer.freePort()
        let (none, _) = try replay([
            lab.session, "--target", "http://127.0.0.1:\(busy)", "-R", "1000", "--max-in-flight",
            "10",
        ])
        #expect(none.errors + none.dropped == 20)
        let (totals, end) = try replay([
            lab.session, "--target", "http://127.0.0.1:\(server.port)", "--pace", "recorded",
            "--speed", "1000000", "--max-in-flight", "1",
        ])
        server.stop()
        #expect(totals.requests + totals.dropped == 20)
        #expect(totals.sessions.dropped * 2 == totals.dropped && totals.dropped > 0)
        #expect(end.errors.contains("were dropped: too many were under way when they were due"))
    }

    @Test func `a warm-up is stored with a mark, and a cookie makes one session of all`() throws {
        let lab = try recorded()
        let server = try LabRecord()
        let (totals, _) = try replay([
            lab.session, "--target", server.url(""), "--warmup", "5", "--sessions", "cookie:sid",
            "--connections", "session",
        ])
        server.stop()
        #expect(totals.requests == 15 && totals.warmup == 5)
        #expect(totals.sessions.started == 1 && totals.connectionsOpened == 1)
        #expect(totals.load.sessions == "cookie:sid")
        #expect(
            try lab.sql(
                "SELECT count(*), sum(warmup), count(DISTINCT connection) FROM replay_result"
            )
                == "20|5|1"
        )
        #expect(
            try lab.sql(
                "SELECT sum(a.done_ns > b.sent_ns) FROM replay_result a JOIN replay_result b ON b.exchange_id = a.exchange_id + 1"
            )
                == "0"
        )
        // The target's own record: the captured order, on one connection.
        #expect(
            try server.sql("SELECT count(*) FROM exchange") == "20"
                && server.sql("SELECT count(DISTINCT connection_id) FROM exchange") == "1"
        )
        #expect(
            try server.sql(
                "SELECT group_concat(target) FROM (SELECT target FROM exchange ORDER BY sequence)"
            )
                == lab.sql(
                    "SELECT group_concat(target) FROM (SELECT target FROM exchange ORDER BY started_ns)"
                )
        )
    }

    @Test func `a start that is past is told, and one to come is waited for`() throws {
        let lab = try recorded()
        let server = try LabRecord()
        let (_, late) = try replay([
            lab.session, "--target", server.url(""), "--start-at", "2020-01-31T12:00:00+01:00",
        ])
        #expect(late.status == 0 && late.errors.contains("s past; sending starts at once"))
        let (_, soon) = try replay([
            lab.session, "--target", server.url(""), "--start-at", "+300ms", "--label", "soon",
        ])
        server.stop()
        #expect(soon.status == 0 && !soon.errors.contains("past"))
        let begin = try lab.sql(
            "SELECT settings ->> '$.start_at_ns' FROM replay_run WHERE label = 'soon'"
        )
        #expect(
            try lab.sql(
                "SELECT min(sent_ns) >= \(begin) FROM replay_result r JOIN replay_run u ON u.id = r.run_id WHERE label = 'soon'"
            )
                == "1"
        )
    }

    @Test(arguments: [
        (["-R", "0"], "-R"), (["-R", "5/x"], "-R"),
        (["-R", "5", "-c", "3"], "--concurrency"),
        (["--arrival", "poisson"], "need --rate"), (["--speed", "2"], "need --pace"),
        (["--speed", "0", "--pace", "think"], "--speed"), (["--timeout", "0"], "time above 0"),
        (["--connect-timeout", "0s"], "time above 0"), (["--loop", "0"], "--loop"),
        (["-R", "5", "--rate-unit", "requests", "--pace", "think"], "Give one of them"),
        (["--max-in-flight", "5"], "bounds an open loop"), (["--warmup", "-1"], "--warmup"),
        (["--sessions", "cookie:"], "--sessions"), (["--connections", "some"], "--connections"),
        (["--start-at", "2026-02-30T00:00:00Z"], "--start-at"),
        (["--start-at", "noon"], "--start-at"),
    ])
    func `a load that cannot be is bad usage, in a sentence`(words: [String], about: String) throws
    {
        let end = try Tool([Place.lab, "replay", "nothing.db"] + words).finish()
        #expect(end.status == 64)
        #expect(end.errors.contains(about))
    }
}
