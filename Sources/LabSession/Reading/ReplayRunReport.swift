// The replays of a session: `replay_run` with what its results and histograms say.

internal import GRDB

/// One replay of a session.
public struct ReplayRunReport: Codable, Sendable, Equatable {
    /// Its row.
    public var id: Int64
    /// Its label.
    public var label: String?
    /// The wall clock at its start, as it is stored.
    public var startedAt: String
    /// What was tried.
    public var target: String
    /// How many connections at once.
    public var concurrency: Int
    /// How requests were paced, as it is stored.
    public var pacing: String
    /// Why it ended; nil while it runs, and where it was killed.
    public var endReason: String?
    /// The requests that were sent.
    public var requests: Int
    /// Those that had no whole answer.
    public var errors: Int
    /// Those whose end was not the captured one; those that had no answer are among them.
    public var mismatches: Int
    /// From the first request to the last answer, nanoseconds; nil where that is not known.
    public var durationNs: Int64?
    /// Nanoseconds: in an open loop from the moment when a request was due to its answer's last byte,
    /// else from sending to it, of those that had a whole answer.
    public var latencyNs: Spread

    /// Requests per second; nil where the duration is not known.
    public var rate: Double? {
        durationNs.flatMap { $0 > 0 ? Double(requests) * 1e9 / Double($0) : nil }
    }
}

extension ReplayRunReport {
    static func all(_ db: Database) throws -> [ReplayRunReport] {
        let sql = """
            SELECT u.id, u.label, u.started_at, u.target, u.concurrency, u.pacing, u.end_reason,
                json_extract(s.summary, '$.requests'), json_extract(s.summary, '$.errors'),
                json_extract(s.summary, '$.mismatches'), json_extract(s.summary, '$.duration_s'),
                x.requests, x.errors, x.mismatches, x.duration
            FROM replay_run u
            LEFT JOIN (
                SELECT id, CASE WHEN json_valid(summary) THEN summary END AS summary FROM replay_run
            ) s ON s.id = u.id
            LEFT JOIN (
                SELECT run_id, count(*) AS requests, sum(outcome <> 'ok') AS errors,
                    sum(NOT matches) AS mismatches,
                    max(done_ns) - min(ifnull(sent_ns, intended_ns)) AS duration
                FROM replay_result WHERE NOT warmup AND run_id IN (
                    SELECT id FROM replay_run WHERE CASE WHEN json_valid(summary)
                        THEN json_extract(summary, '$.requests') END IS NULL)
                GROUP BY run_id
            ) x ON x.run_id = u.id
            ORDER BY u.id
            """
        let rows = try Row.fetchAll(db, sql: sql)
        return try rows.map { row in
            // The summary counts all that was sent; rows may be kept of a part only (--store).
            func number(_ summary: Int, _ counted: Int) -> Int {
                row.intIfAny(summary).map { Int(clamping: $0) } ?? row.count(counted)
            }
            let seconds = row.doubleIfAny(10).flatMap { $0 >= 0 && $0 < 1e9 ? $0 : nil }
            return ReplayRunReport(
                id: row.int(0),
                label: row.textIfAny(1),
                startedAt: row.text(2),
                target: row.text(3),
                concurrency: row.count(4),
                pacing: row.text(5),
                endReason: row.textIfAny(6),
                requests: number(7, 11),
                errors: number(8, 12),
                mismatches: number(9, 13),
                durationNs: seconds.map { Int64($0 * 1e9) } ?? row.intIfAny(14),
                latencyNs: try latency(db, run: row.int(0))
            )
        }
    }

    private static func latency(_ db: Database, run: Int64) throws -> Spread {
        let series = try HistogramSeries.all(db, run: run, only: ["response", "service"])
        // By name, so that a response time comes first.
        if let primary = series.first { return primary.valuesNs }
        let sql = """
            SELECT done_ns - sent_ns FROM replay_result
            WHERE run_id = ? AND outcome = 'ok' AND done_ns >= sent_ns AND NOT warmup
            """
        return Spread(
            try Row.fetchCursor(db, sql: sql, arguments: [run]).map { $0.int(0) }.array()
        )
    }
}

/// A named set of durations of a run, merged over its shards.
public struct HistogramSeries: Codable, Sendable, Equatable {
    /// The name, as it is stored.
    public var name: String
    /// Nanoseconds.
    public var valuesNs: Spread

    /// Makes a series.
    public init(name: String, valuesNs: Spread) {
        self.name = name
        self.valuesNs = valuesNs
    }
}

extension HistogramSeries {
    /// The series of a run by name; those of `names`, where only they are wanted.
    static func all(
        _ db: Database,
        run: Int64,
        only wanted: [String] = []
    ) throws -> [HistogramSeries] {
        let condition =
            wanted.isEmpty ? "" : "AND series IN ('\(wanted.joined(separator: "', '"))')"
        let sql = """
            SELECT series, bucket, sum(count) FROM histogram WHERE run_id = ? \(condition)
            GROUP BY series, bucket ORDER BY series, bucket
            """
        var names: [String] = []
        var buckets: [String: [(value: Int64, count: Int)]] = [:]
        let rows = try Row.fetchCursor(db, sql: sql, arguments: [run])
        while let row = try rows.next() {
            let name = row.text(0)
            if buckets[name] == nil { names.append(name) }
            buckets[name, default: []].append((row.int(1), max(0, row.count(2))))
        }
        return names.map { HistogramSeries(name: $0, valuesNs: Spread(buckets: buckets[$0] ?? [])) }
    }
}
