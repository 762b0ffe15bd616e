import Foundation
import LabTestSupport
import Testing

/// Shards of one replay, joined.
@Suite struct MergeTests {
    /// A session of 12 connections with 2 requests each.
    private static func recorded() throws -> LabRecord {
        let lab = try LabRecord()
        for number in 0..<12 {
            try Tool.run("curl", "-s", lab.url("/?\(number)"), lab.url("/bytes/\(number * 100)"))
        }
        lab.stop()
        return lab
    }

    /// Copies of a session, each with one shard's run.
    private static func shards(
        _ session: String,
        _ target: String,
        _ parts: [String]
    ) throws -> [String] {
        let folder = try Place.temporary()
        return try parts.enumerated().map { number, part in
            let copy = folder.appendingPathComponent("\(number).db").path
            try FileManager.default.copyItem(atPath: session, toPath: copy)
            let end = try Tool.run(
                Place.lab,
                "replay",
                copy,
                "--shard",
                part,
                "--target",
                target,
                "--label",
                "load"
            )
            #expect(end.status == 0, "\(end.errors)")
            return copy
        }
    }

    private func output() throws -> String {
        try Place.temporary().appendingPathComponent("run.db").path
    }

    private func merge(_ files: [String], _ output: String, _ more: String...) throws -> Finished {
        try Tool([Place.lab, "merge"] + files + ["--output", output] + more).finish()
    }

    private func sql(_ file: String, _ query: String) throws -> String {
        let end = try Tool.run("sqlite3", file, query)
        return end.output.trimmingCharacters(in: .newlines)
    }

    private struct Totals: Decodable {
        var requests: Int
        var ok: Int
        var mismatches: Int
        var connectionsOpened: Int
        var statuses: [String: Int]
        var shards: [String]?
    }

    private func totals(_ json: String) throws -> Totals {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Totals.self, from: Data(json.utf8))
    }

    @Test func `four shards make one replay, count by count and bucket by bucket`() throws {
        let lab = try Self.recorded()
        let server = try LabRecord()
        defer { server.stop() }
        let files = try Self.shards(lab.session, server.url(""), ["1/4", "2/4", "3/4", "4/4"])
        let run = try output()
        let end = try merge(files.reversed(), run, "--json")
        #expect(end.status == 0 && end.errors == "", "\(end.errors)")

        let merged = try totals(end.output)
        let parts = try files.map { try totals(sql($0, "SELECT summary FROM replay_run")) }
        #expect(merged.requests == 24 && merged.ok == 24 && merged.mismatches == 0)
        #expect(merged.requests == parts.reduce(0) { $0 + $1.requests })
        #expect(merged.connectionsOpened == parts.reduce(0) { $0 + $1.connectionsOpened })
        #expect(merged.statuses == ["200": 24])
        #expect(merged.shards == ["1/4", "2/4", "3/4", "4/4"])

        // One recorder's histogram has the same buckets, for each value falls into one.
        let query = "SELECT series, bucket, sum(count) FROM histogram GROUP BY series, bucket"
        var sums: [String: Int] = [:]
        for file in files {
            for line in try sql(file, query).split(separator: "\n") {
                let fields = line.split(separator: "|")
                sums["\(fields[0])|\(fields[1])", default: 0] += try #require(Int(fields[2]))
            }
        }
        let expected = sums.map { "\($0.key)|\($0.value)" }.sorted()
        #expect(try sql(run, query).split(separator: "\n").map(String.init).sorted() == expected)

        // Every result is there once, on a connection of its own shard, in the order of time.
        #expect(
            try sql(
                run,
                "SELECT count(*), count(DISTINCT exchange_id), count(DISTINCT connection) FROM replay_result"
            )
                == "24|24|\(merged.connectionsOpened)"
        )
        #expect(
            try sql(
                run,
                "SELECT sum(r.body_id IS e.response_body_id) FROM replay_result r JOIN exchange e ON e.id = r.exchange_id"
            )
                == "24"
        )
        #expect(try sql(run, "SELECT count(*) FROM exchange") == "24")
        #expect(try sql(run, "SELECT label, concurrency FROM replay_run") == "load|40")
        #expect(try Tool.run(Place.lab, "check", run).status == 0)
        let report = try Tool.run(Place.lab, "report", run, "--run", "load")
        #expect(report.output.contains("requests       24"))
    }

    @Test func `answers that differ are kept once, whichever shard had them`() throws {
        let lab = try Self.recorded()
        let other = try ScriptedServer { _ in
            "HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nHello, Earth!"
        }
        defer { other.stop() }
        let files = try Self.shards(lab.session, "http://127.0.0.1:\(other.port)", ["1/2", "2/2"])
        let run = try output()
        #expect(try merge(files, run).status == 0)
        #expect(
            try sql(run, "SELECT count(*) FROM body WHERE CAST(bytes AS TEXT) = 'Hello, Earth!'")
                == "1"
        )
        // Their heads too, each with its result.
        #expect(
            try sql(
                run,
                "SELECT count(*) FROM replay_result r JOIN replay_head h ON h.id = r.head_id WHERE CAST(h.bytes AS TEXT) LIKE 'HTTP/1.1 200 OK%'"
            ) == "24"
        )
        #expect(
            try sql(
                run,
                "SELECT count(*), sum(CAST(b.bytes AS TEXT) = 'Hello, Earth!') FROM replay_result r JOIN body b ON b.id = r.body_id"
            )
                == "24|24"
        )
    }

    @Test func `a missing shard is told, and the result is not to be trusted`() throws {
        let lab = try Self.recorded()
        let server = try LabRecord()
        defer { server.stop() }
        let files = try Self.shards(lab.session, server.url(""), ["1/3", "3/3"])
        let run = try output()
        let end = try merge(files, run)
        #expect(end.status == 3)
        #expect(end.errors.contains("1 of 3 shards are missing: 2/3."), "\(end.errors)")
        #expect(try sql(run, "SELECT count(*) > 0 FROM replay_result") == "1")
    }

    @Test func `what is not of one replay is refused, and nothing is written`() throws {
        let lab = try Self.recorded()
        let another = try Self.recorded()
        let server = try LabRecord()
        let elsewhere = try LabRecord()
        defer {
            server.stop()
            elsewhere.stop()
        }
        let mine = try Self.shards(lab.session, server.url(""), ["1/2", "1/2", "2/3"])
        let theirs = try Self.shards(another.session, server.url(""), ["2/2"])
        let away = try Self.shards(lab.session, elsewhere.url(""), ["2/2"])
        let run = try output()
        for (files, sentence) in [
            ([mine[0], mine[1]], "both are shard 1/2"),
            ([mine[0], mine[2]], "the number of shards is '3' in the one and '2' in the other"),
            ([mine[0], theirs[0]], "they are not copies of one session"),
            ([mine[0], away[0]], "the target is "),
            ([mine[0], lab.session], "it has no run of a shard"),
            ([mine[0], "/nowhere.db"], "there is no such file"),
        ] {
            let end = try merge(files, run)
            #expect(end.status == 2)
            #expect(end.errors.contains(sentence), "\(end.errors)")
            #expect(!FileManager.default.fileExists(atPath: run))
        }
        let end = try merge([mine[0]], lab.session)
        #expect(end.status == 2 && end.errors.contains("never overwritten"))
    }
}
