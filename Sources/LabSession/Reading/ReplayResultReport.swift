// The results of one replay, a request each.

internal import GRDB

/// What became of one replayed request: a row of `replay_result` with the request that was sent.
public struct ReplayResultReport: Codable, Sendable, Equatable {
    /// The captured exchange that was sent.
    public var exchangeID: Int64
    /// How often the session had been sent before.
    public var round: Int
    /// The number of the replay's own connection, from 1; 0 where none was opened.
    public var connection: Int
    /// The method.
    public var method: String
    /// The target, as it was captured.
    public var target: String
    /// The status; nil where no answer began.
    public var status: Int?
    /// How it ended.
    public var outcome: String
    /// Whether its end is the captured one.
    public var matches: Bool
    /// When it was meant to be sent, nanoseconds of CLOCK_MONOTONIC.
    public var intendedNs: Int64
    /// When it was sent; nil for never.
    public var sentNs: Int64?
    /// When the answer began; nil for never.
    public var firstByteNs: Int64?
    /// When it was over.
    public var doneNs: Int64?
}

extension SessionReader {
    /// Calls `body` with each result of a run but the warm-up's, in the order in which they are
    /// stored, holding one at a time.
    ///
    /// - Throws: ``SessionError`` where the file cannot be read, and what `body` throws.
    public func forEachResult(
        ofRun run: Int64,
        _ body: (ReplayResultReport) throws -> Void
    ) throws {
        try readThrough { db in
            let sql = """
                SELECT r.exchange_id, r.round, r.connection, e.method, e.target, r.status, r.outcome,
                    r.matches, r.intended_ns, r.sent_ns, r.first_byte_ns, r.done_ns
                FROM replay_result r LEFT JOIN exchange e ON e.id = r.exchange_id
                WHERE r.run_id = ? AND NOT r.warmup ORDER BY r.rowid
                """
            do {
                let rows = try Row.fetchCursor(db, sql: sql, arguments: [run])
                while let row = try rows.next() { try body(ReplayResultReport(row)) }
            } catch let error as DatabaseError {
                throw SessionError(error, path: path, doing: "read")
            }
        }
    }
}

extension ReplayResultReport {
    fileprivate init(_ row: Row) {
        self.init(
            exchangeID: row.int(0),
            round: row.count(1),
            connection: row.count(2),
            method: row.text(3),
            target: row.text(4),
            status: row.intIfAny(5).map { Int(clamping: $0) },
            outcome: row.text(6),
            matches: row.int(7) != 0,
            intendedNs: row.int(8),
            sentNs: row.intIfAny(9),
            firstByteNs: row.intIfAny(10),
            doneNs: row.intIfAny(11)
        )
    }
}
