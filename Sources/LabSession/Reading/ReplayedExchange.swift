// What became of one exchange in one replay: what `lab show --run` tells.

internal import GRDB
public import LabExchange

/// What became of one exchange in one replay.
public struct ReplayedExchange: Sendable, Equatable {
    /// The run's row.
    public var run: Int64
    /// The run's label.
    public var label: String?
    /// The run's target.
    public var target: String
    /// How many results of this exchange the run has, and how many of them do not match.
    public var results: Int
    /// How many of them do not match.
    public var mismatches: Int
    /// How often the session had been sent before.
    public var round: Int
    /// The status; nil where no answer came.
    public var status: Int?
    /// How it ended, as it is stored.
    public var outcome: String
    /// Why it does not match, as it is stored; nil where it does.
    public var mismatch: String?
    /// From sending to the last byte, nanoseconds; nil where it was not sent.
    public var tookNs: Int64?
    /// The answer's head; nil where it was not kept.
    public var head: [UInt8]?
    /// The answer's content; nil where there was none.
    public var body: StoredBody?
}

extension ReplayedExchange {
    static func find(_ db: Database, _ id: Int64, run: Int64) throws -> ReplayedExchange? {
        let sql = """
            SELECT u.label, u.target, r.round, nullif(r.status, 0), r.outcome, r.mismatch,
                r.done_ns - r.sent_ns, h.bytes, r.body_id
            FROM replay_result r JOIN replay_run u ON u.id = r.run_id
            LEFT JOIN replay_head h ON h.id = r.head_id
            WHERE r.run_id = ?1 AND r.exchange_id = ?2 ORDER BY r.matches, r.round LIMIT 1
            """
        let counts = """
            SELECT count(*), ifnull(sum(NOT matches), 0) FROM replay_result
            WHERE run_id = ? AND exchange_id = ?
            """
        let body = "SELECT id, digest, size, truncated, bytes FROM body WHERE id = ?"
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [run, id]),
            let count = try Row.fetchOne(db, sql: counts, arguments: [run, id])
        else { return nil }
        return ReplayedExchange(
            run: run,
            label: row.textIfAny(0),
            target: row.text(1),
            results: count.count(0),
            mismatches: count.count(1),
            round: row.count(2),
            status: row.intIfAny(3).map { Int(clamping: $0) },
            outcome: row.text(4),
            mismatch: row.textIfAny(5),
            tookNs: row.intIfAny(6),
            head: row.bytesIfAny(7),
            body: try row.intIfAny(8).flatMap { number in
                try Row.fetchOne(db, sql: body, arguments: [number]).map { StoredBody($0) }
            }
        )
    }
}
