// Many exchanges: one line at a time for lists, whole and in order for replays.

internal import GRDB
public import LabExchange
import LabWire

extension SessionReader {
    /// Calls `body` with each exchange, in the order of their numbers, holding one at a time.
    ///
    /// - Parameters:
    ///   - expression: A SQL condition over ``ExpressionError/columns``; nil for all.
    ///   - name: The number or label of a replay: the exchanges then have their `mismatch` in it, and
    ///     without an expression those that have none are left out.
    ///   - body: What is done with each.
    /// - Throws: ``ExpressionError``, ``SessionError``, and what `body` throws.
    public func forEachExchange(
        where expression: String? = nil,
        run name: String? = nil,
        _ body: (ExchangeSummary) throws -> Void
    ) throws {
        try readThrough { db in
            do {
                let run = try name.map { name in
                    guard let run = try ReplayRunDetail.number(db, name) else {
                        throw SessionError.noSuchRun(name: name, path: path)
                    }
                    return run
                }
                let query = ExchangeQuery.matching(
                    expression ?? run.map { _ in "mismatch IS NOT NULL" },
                    run: run
                )
                let rows = try Row.fetchCursor(db, sql: query.sql)
                while let row = try rows.next() { try body(ExchangeSummary(row)) }
            } catch let error as DatabaseError {
                if let expression, let reason = complaint(error) {
                    throw ExpressionError(expression: expression, reason: reason)
                }
                throw SessionError(error, path: path, doing: "read")
            }
        }
    }

    /// When the last answer ended, on the clock of ``CapturedExchange/startedNs``, nanoseconds.
    ///
    /// - Throws: ``SessionError`` where the file cannot be read.
    public func lastInstantNs() throws(SessionError) -> Int64 {
        try read { db in
            let clocks = try RecordingClock.all(db)
            let sql = """
                SELECT n.recording_id, max(max(e.started_ns, ifnull(e.request_ns, 0),
                    ifnull(e.response_started_ns, 0), ifnull(e.response_ended_ns, 0)))
                FROM exchange e LEFT JOIN connection n ON n.id = e.connection_id GROUP BY 1
                """
            return try Row.fetchAll(db, sql: sql).map { row in
                (clocks[row.int(0)] ?? RecordingClock()).time(of: row.int(1))
            }.max() ?? 0
        }
    }

    /// Every captured exchange, by connection and in order on each; the bytes of equal bodies are
    /// shared.
    ///
    /// - Parameter answers: Whether the heads of answers are read too.
    /// - Returns: The exchanges, as ``CapturedReader`` gives them.
    /// - Throws: ``SessionError/nothingToReplay(path:)`` where there are none, or where the file
    ///   cannot be read.
    public func capturedExchanges(
        withAnswerHeads answers: Bool = false
    ) throws(SessionError) -> [CapturedExchange] {
        let captured = try CapturedReader(self, withAnswerHeads: answers)
        var all: [CapturedExchange] = []
        while let some = try captured.next() { all += some }
        guard !all.isEmpty else { throw .nothingToReplay(path: path) }
        return all
    }

    /// What SQLite has against an expression; nil where the file is at fault.
    private func complaint(_ error: DatabaseError) -> String? {
        switch error.resultCode {
        // GRDB's own word for an expression that goes on after a semicolon.
        case .SQLITE_MISUSE: "more than one statement"
        case .SQLITE_ERROR: error.message ?? "\(error)"
        default: nil
        }
    }
}

extension StoredBody {
    init(_ row: Row) {
        self.init(
            id: row.int(0),
            digest: row.bytesIfAny(1) ?? [],
            size: row.int(2),
            bytes: row.bytesIfAny(4) ?? [],
            isTruncated: row.int(3) != 0
        )
    }
}
