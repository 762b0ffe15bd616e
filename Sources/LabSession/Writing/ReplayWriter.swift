// The one writer of a replay: results in, rows out.

import GRDB
public import LabExchange

/// What is known of a replay when it begins.
public struct ReplayFacts: Sendable {
    /// What the user calls it; nil for no name.
    public var label: String?
    /// The wall clock, RFC 3339 in UTC.
    public var startedAt: String
    /// The target's URL.
    public var target: String
    /// How many sessions at once, at most.
    public var concurrency: Int
    /// How requests are paced: `asap`, `recorded`, `think`.
    public var pacing: String
    /// What random gaps are drawn from; nil where there are none.
    public var seed: Int64?
    /// The settings, a JSON object.
    public var settings: String
    /// The machine that sends, a JSON object.
    public var hostFacts: String
    /// Which part of the sessions it sends, from 1; 0 for all.
    public var shard: Int

    /// Makes facts.
    public init(
        label: String?,
        startedAt: String,
        target: String,
        concurrency: Int,
        pacing: String,
        seed: Int64? = nil,
        settings: String,
        hostFacts: String,
        shard: Int = 0
    ) {
        self.shard = shard
        self.label = label
        self.startedAt = startedAt
        self.target = target
        self.concurrency = concurrency
        self.pacing = pacing
        self.seed = seed
        self.settings = settings
        self.hostFacts = hostFacts
    }
}

/// Writes one replay into the session that it replays.
///
/// Not for several threads.
public final class ReplayWriter {
    /// The run's row in `replay_run`.
    public let runID: Int64

    private let file: SessionFile
    private let shard: Int
    private var captured: CapturedBodies
    private var bodies: BodyShelf
    private var heads: HeadShelf
    private let insertOne: PreparedStatement
    private let insertMany: PreparedStatement

    /// How many rows one statement inserts: to begin and end one costs as much as a row.
    private static let rowsAtOnce = 64
    private static let rowsBetweenPauses = 4 * rowsAtOnce

    /// Begins a run.
    ///
    /// - Throws: ``SessionError``.
    public init(_ file: SessionFile, _ facts: ReplayFacts) throws(SessionError) {
        self.file = file
        shard = facts.shard
        do {
            (runID, captured, bodies, heads, insertOne, insertMany) = try file.queue.write { db in
                try db.execute(
                    sql: """
                        INSERT INTO replay_run (label, started_at, target, concurrency, pacing,
                            seed, settings, host_facts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        facts.label, facts.startedAt, facts.target, facts.concurrency, facts.pacing,
                        facts.seed, facts.settings, facts.hostFacts,
                    ]
                )
                return (
                    db.lastInsertedRowID, try CapturedBodies(db), try BodyShelf(db),
                    try HeadShelf(db),
                    try Self.insertion(db, rows: 1),
                    try Self.insertion(db, rows: Self.rowsAtOnce)
                )
            }
        } catch {
            throw SessionError(error, path: file.path, doing: "write to")
        }
    }

    private static func insertion(_ db: Database, rows: Int) throws -> PreparedStatement {
        let row = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
        return try PreparedStatement(
            db,
            """
            INSERT INTO replay_result (run_id, exchange_id, round, connection, intended_ns, sent_ns,
                first_byte_ns, done_ns, status, outcome, body_digest, body_id, matches, mismatch,
                head_id, warmup)
            VALUES \(Array(repeating: row, count: rows).joined(separator: ", "))
            """
        )
    }

    /// Writes results, in one transaction.
    ///
    /// - Parameters:
    ///   - results: As they came.
    ///   - onPause: Is called after each 256 rows, which are some 300 µs of work.
    /// - Throws: ``SessionError``; none of them is then written.
    public func write(
        _ results: [ReplayResult],
        onPause: () -> Void = {}
    ) throws(SessionError) {
        do {
            try file.queue.write { _ in
                var rest = results[...]
                var rowsWritten = 0
                while rest.count >= Self.rowsAtOnce {
                    for result in rest.prefix(Self.rowsAtOnce) { try bind(result, to: insertMany) }
                    try insertMany.run()
                    rowsWritten += Self.rowsAtOnce
                    if rowsWritten % Self.rowsBetweenPauses == 0 { onPause() }
                    rest = rest.dropFirst(Self.rowsAtOnce)
                }
                for result in rest {
                    try bind(result, to: insertOne)
                    try insertOne.run()
                }
            }
        } catch {
            insertOne.forget()
            insertMany.forget()
            bodies.forget()
            heads.forget()
            throw SessionError(error, path: file.path, doing: "write to")
        }
    }

    private func bind(_ result: ReplayResult, to insert: PreparedStatement) throws {
        let body = try storedBody(result)
        let head = try result.head.map { try heads.id($0) }
        insert.bind(runID)
        insert.bind(result.exchangeID)
        insert.bind(result.round)
        insert.bind(result.connection)
        insert.bind(result.intendedNs)
        insert.bind(result.sentNs == 0 ? nil : result.sentNs)
        insert.bind(result.firstByteNs == 0 ? nil : result.firstByteNs)
        insert.bind(result.doneNs)
        insert.bind(result.status == 0 ? nil : result.status)
        insert.bind(text: result.outcome.rawValue)
        if let body {
            insert.bind(blob: body.digest)
            insert.bind(body.id)
        } else {
            insert.bindNull()
            insert.bindNull()
        }
        insert.bind(result.matches ? 1 : 0)
        if let reason = result.mismatch { insert.bind(text: reason) } else { insert.bindNull() }
        insert.bind(head)
        insert.bind(result.isWarmup ? 1 : 0)
    }

    /// The answer's content, in the session once: the captured one, or one of its own.
    private func storedBody(_ result: ReplayResult) throws -> (id: Int64, digest: [UInt8])? {
        if let body = result.differingBody {
            guard body.size > 0 else { return nil }
            let id = try bodies.id(digest: body.digest, size: body.size, bytes: body.bytes)
            return (id, body.digest)
        }
        return result.outcome == .ok ? try captured.body(of: result.exchangeID) : nil
    }

    /// Ends the run.
    ///
    /// - Parameters:
    ///   - histograms: Series by their names: the lowest value of each bucket in ns, and its count.
    ///   - summary: The totals, a JSON object.
    ///   - reason: Why, in a word: `done`, `interrupted`, `failed`.
    ///   - at: The wall clock, RFC 3339 in UTC.
    /// - Throws: ``SessionError``.
    public func end(
        histograms: [(series: String, buckets: [(bucket: UInt64, count: UInt64)])],
        summary: String,
        reason: String,
        at: String
    ) throws(SessionError) {
        do {
            try file.queue.write { db in
                let insert = try db.makeStatement(
                    sql: "INSERT INTO histogram VALUES (?, ?, ?, ?, ?)"
                )
                for (series, buckets) in histograms {
                    for entry in buckets {
                        try insert.execute(
                            arguments: [
                                runID, shard, series, Int64(entry.bucket), Int64(entry.count),
                            ]
                        )
                    }
                }
                try db.execute(
                    sql:
                        "UPDATE replay_run SET ended_at = ?, end_reason = ?, summary = ? WHERE id = ?",
                    arguments: [at, reason, summary, runID]
                )
            }
        } catch {
            throw SessionError(error, path: file.path, doing: "write to")
        }
    }
}
