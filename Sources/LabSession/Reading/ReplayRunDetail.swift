// One replay in detail: what became of its requests, and where answers were not the captured ones.

internal import GRDB

/// One replay in detail.
public struct ReplayRunDetail: Codable, Sendable, Equatable {
    /// The run.
    public var run: ReplayRunReport
    /// The settings, a JSON object as it is stored.
    public var settings: String
    /// What is known of the machine, a JSON object as it is stored.
    public var hostFacts: String
    /// How often each outcome occurred.
    public var outcomes: [OutcomeCount]
    /// How often each status was answered.
    public var statuses: [StatusCount]
    /// Why answers are not the captured ones, the most frequent first.
    public var reasons: [ReasonCount]
    /// Whether there is a row of each result: where there is none, routes and examples are not known.
    public var keepsResults: Bool
    /// The shape of its load, where its settings tell it.
    public var load: ReplayRunLoad?
    /// The target's processes, where they were watched.
    public var watched: ReplayRunWatched?
    /// The durations that were measured.
    public var series: [HistogramSeries]
    /// The routes whose answers were not the captured ones, the most frequent first.
    public var mismatches: [MismatchReport]
    /// The routes whose requests had no whole answer, the most frequent first.
    public var failures: [MismatchReport]
}

/// How often one route was answered otherwise than captured, in one way.
public struct MismatchReport: Codable, Sendable, Equatable {
    /// The method.
    public var method: String
    /// The target without what varies, as it is stored.
    public var route: String
    /// The captured status; nil where no answer began.
    public var capturedStatus: Int?
    /// The replayed status; nil where no answer began.
    public var replayedStatus: Int?
    /// How the replayed request ended.
    public var outcome: String
    /// Why it does not match, as it is stored; nil where no answer came.
    public var reason: String?
    /// How often.
    public var count: Int
    /// One exchange of which this is so.
    public var exampleID: Int64
}

/// How often answers differed for one reason.
public struct ReasonCount: Codable, Sendable, Equatable {
    /// The reason, as it is stored: `status`, `header:NAME`, `body`, `body:/pointer`, `outcome`.
    public var reason: String
    /// How often.
    public var count: Int
}

extension ReplayRunDetail {
    /// The run of a number or a label, of several with that label the newest.
    static func number(_ db: Database, _ name: String) throws -> Int64? {
        let sql = """
            SELECT id FROM replay_run WHERE id = ?1 OR label = ?2 ORDER BY id = ?1 DESC, id DESC LIMIT 1
            """
        return try Int64.fetchOne(db, sql: sql, arguments: [Int64(name), name])
    }

    /// Whether there is a row of each result of a run.
    static func keepsResults(_ db: Database, _ run: Int64) throws -> Bool {
        let sql = """
            SELECT EXISTS (SELECT 1 FROM replay_result WHERE run_id = ?1)
                OR json_extract(settings, '$.store') IS NOT 'none' FROM replay_run WHERE id = ?1
            """
        return try Bool.fetchOne(db, sql: sql, arguments: [run]) ?? true
    }

    static func find(_ db: Database, _ name: String) throws -> ReplayRunDetail? {
        let sql = "SELECT id, settings, host_facts FROM replay_run WHERE id = ?"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [try number(db, name)]),
            let run = try ReplayRunReport.all(db).first(where: { $0.id == row.int(0) })
        else { return nil }
        let tally = try ReplayTally(db, run: run.id)
        return ReplayRunDetail(
            run: run,
            settings: row.text(1),
            hostFacts: row.text(2),
            outcomes: try tally.counts("outcome", orInSummary: "outcomes").map { row in
                OutcomeCount(outcome: row.textIfAny(0), count: row.count(1))
            },
            statuses: try tally.counts("nullif(status, 0)", orInSummary: "statuses").map { row in
                StatusCount(status: row.intIfAny(0).map { Int(clamping: $0) }, count: row.count(1))
            },
            reasons: try tally.counts("mismatch", orInSummary: "mismatch_reasons").compactMap {
                row in
                row.textIfAny(0).map { ReasonCount(reason: $0, count: row.count(1)) }
            }.sorted { ($1.count, $0.reason) < ($0.count, $1.reason) },
            keepsResults: tally.keepsResults,
            load: try ReplayRunLoad.find(db, run: run.id),
            watched: try ReplayRunWatched.find(db, run: run.id),
            series: try HistogramSeries.all(db, run: run.id),
            mismatches: run.mismatches == 0
                ? [] : try MismatchReport.all(db, run.id, "r.outcome = 'ok' AND NOT r.matches"),
            failures: run.errors == 0
                ? [] : try MismatchReport.all(db, run.id, "r.outcome <> 'ok'")
        )
    }
}

/// Counts over a run's results; over its summary where no result was kept (`--store none`).
private struct ReplayTally {
    let db: Database
    let run: Int64
    let keepsResults: Bool

    init(_ db: Database, run: Int64) throws {
        self.db = db
        self.run = run
        keepsResults = try ReplayRunDetail.keepsResults(db, run)
    }

    func counts(_ column: String, orInSummary key: String) throws -> [Row] {
        let sql =
            keepsResults
            ? """
            SELECT \(column), count(*) FROM replay_result
            WHERE run_id = ? AND NOT warmup GROUP BY 1 ORDER BY 1
            """
            : """
            SELECT CASE '\(key)' WHEN 'statuses' THEN CAST(j.key AS INTEGER) ELSE j.key END, j.value
            FROM replay_run u, json_each(u.summary, '$.\(key)') j WHERE u.id = ? ORDER BY 1
            """
        return try Row.fetchAll(db, sql: sql, arguments: [run])
    }
}

extension MismatchReport {
    fileprivate static func all(
        _ db: Database,
        _ run: Int64,
        _ condition: String
    ) throws -> [MismatchReport] {
        let sql = """
            SELECT e.method, e.route, e.status, nullif(r.status, 0), r.outcome, count(*), min(e.id),
                CASE r.outcome WHEN 'ok' THEN r.mismatch END
            FROM replay_result r JOIN exchange e ON e.id = r.exchange_id
            WHERE r.run_id = ? AND NOT r.warmup AND \(condition)
            GROUP BY 1, 2, 3, 4, 5, 8 ORDER BY 6 DESC, 7, 8
            """
        return try Row.fetchCursor(db, sql: sql, arguments: [run]).map { row in
            MismatchReport(
                method: row.text(0),
                route: row.text(1),
                capturedStatus: row.intIfAny(2).map { Int(clamping: $0) },
                replayedStatus: row.intIfAny(3).map { Int(clamping: $0) },
                outcome: row.text(4),
                reason: row.textIfAny(7),
                count: row.count(5),
                exampleID: row.int(6)
            )
        }.array()
    }
}
