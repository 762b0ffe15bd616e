// The runs of shards -> one run in a new session. Everything is copied by SQLite from file to file;
// histograms are copied bucket by bucket, and whoever reads them adds the counts of equal buckets.
//
//     a.db ─┐ recording, connections, exchanges, bodies: once, from the first
//     b.db ─┼▶ run.db
//     c.db ─┘ results, the bodies of differing answers, histograms: from each

internal import GRDB

/// Writes the merged run of shards.
///
/// Not for several threads.
public final class RunMerger {
    /// The merged run's row.
    public static let runID: Int64 = 1

    private let file: SessionFile
    private let first: ShardRun

    /// A count in a bucket of a series, over all shards.
    public struct Bucket: Sendable, Equatable {
        /// The series.
        public var series: String
        /// The lowest duration in the bucket, nanoseconds.
        public var bucket: UInt64
        /// How many.
        public var count: UInt64
    }

    /// Tables that are not the recording's.
    private static let replayTables = ["replay_run", "replay_result", "replay_head", "histogram"]

    /// Makes the new session and copies the recording, from the first run's file.
    ///
    /// - Throws: ``SessionError``, ``SessionError/exists(path:)`` above all.
    public init(_ output: String, first: ShardRun) throws(SessionError) {
        file = try SessionFile.create(output)
        self.first = first
        try reading(first) { db in
            let tables = try String.fetchAll(
                db,
                sql: "SELECT name FROM main.sqlite_master WHERE type = 'table'"
            )
            for table in tables
            where !Self.replayTables.contains(table) && !table.hasPrefix("sqlite_") {
                try db.execute(
                    sql: "INSERT INTO main.\(table) SELECT * FROM shard.\(table)"
                )
            }
            try db.execute(
                sql: """
                    INSERT INTO main.replay_run (id, label, started_at, target, concurrency,
                        pacing, settings, host_facts)
                    SELECT \(Self.runID), label, started_at, target, concurrency, pacing, settings,
                        host_facts FROM shard.replay_run WHERE id = ?
                    """,
                arguments: [first.run]
            )
        }
    }

    /// Adds the results and the histograms of a run.
    ///
    /// - Parameters:
    ///   - run: The run.
    ///   - shiftNs: What its instants are moved by: the clocks of two machines count from different
    ///     moments.
    /// - Throws: ``SessionError``.
    public func add(_ run: ShardRun, shiftNs: Int64) throws(SessionError) {
        try reading(run) { db in
            try self.copyBodies(db, run.run)
            try self.copyHeads(db, run.run)
            try self.copyResults(db, run.run, shiftNs)
            try db.execute(
                sql: """
                    INSERT INTO main.histogram (run_id, shard, series, bucket, count)
                    SELECT ?, ?, series, bucket, sum(count) FROM shard.histogram
                    WHERE run_id = ? GROUP BY series, bucket
                    """,
                arguments: [Self.runID, run.index, run.run]
            )
        }
    }

    /// The bodies of answers that are not in the session yet, each once.
    private func copyBodies(_ db: Database, _ run: Int64) throws {
        let known = """
            SELECT m.id FROM main.body m WHERE m.digest = s.digest AND m.truncated <= s.truncated
            ORDER BY m.truncated LIMIT 1
            """
        try db.execute(
            sql: """
                CREATE TEMP TABLE body_place AS SELECT s.id AS old, (\(known)) AS new FROM shard.body s
                WHERE s.id IN (SELECT body_id FROM shard.replay_result WHERE run_id = \(run));
                INSERT INTO main.body (digest, size, truncated, bytes)
                SELECT digest, size, truncated, bytes FROM shard.body
                WHERE id IN (SELECT old FROM body_place WHERE new IS NULL);
                UPDATE body_place SET new = (
                    SELECT (\(known)) FROM shard.body s WHERE s.id = body_place.old
                ) WHERE new IS NULL;
                CREATE UNIQUE INDEX temp.body_old ON body_place (old);
                """
        )
    }

    /// The heads of answers that results point to, numbered on.
    private func copyHeads(_ db: Database, _ run: Int64) throws {
        let last = try Int64.fetchOne(db, sql: "SELECT max(id) FROM main.replay_head") ?? 0
        try db.execute(
            sql: """
                CREATE TEMP TABLE head_place AS
                SELECT id AS old, \(last) + row_number() OVER (ORDER BY id) AS new FROM shard.replay_head
                WHERE id IN (SELECT head_id FROM shard.replay_result WHERE run_id = \(run));
                INSERT INTO main.replay_head (id, bytes)
                SELECT p.new, h.bytes FROM head_place p JOIN shard.replay_head h ON h.id = p.old;
                CREATE UNIQUE INDEX temp.head_old ON head_place (old);
                """
        )
    }

    /// The results, with what names a row of another table changed to what it is called here.
    private func copyResults(_ db: Database, _ run: Int64, _ shiftNs: Int64) throws {
        let connections =
            try Int64.fetchOne(db, sql: "SELECT max(connection) FROM main.replay_result") ?? 0
        let columns = try String.fetchAll(
            db,
            sql: "SELECT name FROM pragma_table_info('replay_result', 'main') ORDER BY cid"
        )
        let values = columns.map { column in
            switch column {
            case "run_id": "\(Self.runID)"
            case "connection": "r.connection + (r.connection > 0) * \(connections)"
            case "body_id": "(SELECT new FROM body_place WHERE old = r.body_id)"
            case "head_id": "(SELECT new FROM head_place WHERE old = r.head_id)"
            case _ where column.hasSuffix("_ns"): "r.\(column) + \(shiftNs)"
            default: "r.\(column)"
            }
        }
        try db.execute(
            sql: """
                INSERT INTO main.replay_result (\(columns.joined(separator: ", ")))
                SELECT \(values.joined(separator: ", ")) FROM shard.replay_result r
                WHERE r.run_id = \(run) ORDER BY r.rowid;
                DROP TABLE temp.body_place;
                DROP TABLE temp.head_place;
                """
        )
    }

    /// Every series, over all shards that were added.
    ///
    /// - Returns: The buckets that hold something, by series and lowest first.
    /// - Throws: ``SessionError``.
    public func buckets() throws(SessionError) -> [Bucket] {
        try written("read") { db in
            let sql = """
                SELECT series, bucket, sum(count) FROM histogram
                GROUP BY series, bucket ORDER BY series, bucket
                """
            return try Row.fetchCursor(db, sql: sql).map { row in
                Bucket(
                    series: row.text(0),
                    bucket: UInt64(clamping: row.int(1)),
                    count: UInt64(clamping: row.int(2))
                )
            }.array()
        }
    }

    /// From the first request to the last answer, nanoseconds; nil where no results are kept.
    ///
    /// - Returns: The time.
    /// - Throws: ``SessionError``.
    public func durationNs() throws(SessionError) -> Int64? {
        try written("read") { db in
            try Int64.fetchOne(
                db,
                sql: """
                    SELECT max(done_ns) - min(ifnull(sent_ns, intended_ns)) FROM replay_result
                    WHERE NOT warmup
                    """
            )
        }
    }

    /// Writes what is known of the merged run.
    ///
    /// - Parameter run: The run; `path`, `run` and the shard are not looked at.
    /// - Throws: ``SessionError``.
    public func end(_ run: ShardRun) throws(SessionError) {
        try written("write to") { db in
            try db.execute(
                sql: """
                    UPDATE replay_run SET label = ?, started_at = ?, concurrency = ?, settings = ?,
                        host_facts = ?, ended_at = ?, end_reason = ?, summary = ? WHERE id = ?
                    """,
                arguments: [
                    run.label, run.startedAt, run.concurrency, run.settings, run.hostFacts,
                    run.endedAt, run.endReason, run.summary, Self.runID,
                ]
            )
        }
    }

    private func written<Value>(
        _ doing: String,
        _ body: (Database) throws -> Value
    ) throws(SessionError) -> Value {
        do {
            return try file.queue.write(body)
        } catch {
            throw SessionError(error, path: file.path, doing: doing)
        }
    }

    /// Runs `body` in a transaction, with a run's file at hand as `shard`.
    private func reading(
        _ run: ShardRun,
        _ body: @escaping (Database) throws -> Void
    ) throws(SessionError) {
        do {
            try file.queue.writeWithoutTransaction { db in
                // As a value: a path is no SQL.
                try db.execute(sql: "ATTACH DATABASE ? AS shard", arguments: [run.path])
                defer { try? db.execute(sql: "DETACH DATABASE shard") }
                try db.inTransaction {
                    try body(db)
                    return .commit
                }
            }
        } catch {
            // Half a replay must not pass for one.
            for suffix in ["", "-wal", "-shm"] { removeFile(file.path + suffix) }
            throw SessionError(error, path: file.path, doing: "merge '\(run.path)' into")
        }
    }
}
