// The results of a stored replay, as a comparison of two of them reads them.

internal import GRDB
public import LabExchange

/// One row of `replay_result`, its bytes named and not read.
public struct StoredResult: Sendable, Equatable {
    /// The exchange that was sent.
    public var exchangeID: Int64
    /// Which pass over the session it belongs to, from 0.
    public var round: Int
    /// How it ended.
    public var outcome: ReplayOutcome
    /// The status; 0 where no head came.
    public var status: Int
    /// From the first byte sent to the end, nanoseconds.
    public var serviceNs: Int64
    /// The answer's content, a row of `body`; nil where there was none, or it was not kept.
    public var bodyID: Int64?
    /// The answer's head, a row of `replay_head`; nil where it was not kept.
    public var headID: Int64?
}

extension SessionReader {
    /// Gives each result of a run that is no warm-up, in the order in which they were written.
    ///
    /// - Throws: ``SessionError``, or what `body` threw.
    public func forEachResult(ofRun id: Int64, _ body: (StoredResult) throws -> Void) throws {
        try readThrough { db in
            let rows = try Row.fetchCursor(
                db,
                sql: """
                    SELECT exchange_id, round, outcome, status, sent_ns, done_ns, body_id, head_id
                    FROM replay_result WHERE run_id = ? AND NOT warmup
                    """,
                arguments: [id]
            )
            while let row = try rows.next() {
                let sent = row.intIfAny(4) ?? 0
                try body(
                    StoredResult(
                        exchangeID: row.int(0),
                        round: row.count(1),
                        outcome: ReplayOutcome(rawValue: row.text(2)) ?? .malformed,
                        status: row.intIfAny(3).map { Int(clamping: $0) } ?? 0,
                        serviceNs: (row.intIfAny(5) ?? sent) - sent,
                        bodyID: row.intIfAny(6),
                        headID: row.intIfAny(7)
                    )
                )
            }
        }
    }

    /// The bytes of a stored content, or of its beginning where no more was kept; nil where there is
    /// none of that number.
    ///
    /// - Throws: ``SessionError`` where the file cannot be read.
    public func content(_ id: Int64) throws(SessionError) -> (bytes: [UInt8], isWhole: Bool)? {
        try read { db in
            try Row.fetchOne(
                db,
                sql: "SELECT bytes, truncated FROM body WHERE id = ?",
                arguments: [id]
            )
            .map { ($0.bytesIfAny(0) ?? [], $0.int(1) == 0) }
        }
    }

    /// The bytes of a stored head; nil where there is none of that number.
    ///
    /// - Throws: ``SessionError`` where the file cannot be read.
    public func head(_ id: Int64) throws(SessionError) -> [UInt8]? {
        try read { db in
            try Row.fetchOne(
                db,
                sql: "SELECT bytes FROM replay_head WHERE id = ?",
                arguments: [id]
            )?
            .bytesIfAny(0)
        }
    }
}
