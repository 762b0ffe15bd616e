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

    /// Every captured exchange, by connection and in order on each; each distinct body is loaded
    /// once and its bytes are shared.
    ///
    /// An exchange whose end nobody told is given the outcome `childDied`: its request was read, and
    /// an answer is not known.
    ///
    /// - Parameter answers: Whether the heads of answers are read too.
    /// - Returns: The exchanges.
    /// - Throws: ``SessionError/nothingToReplay(path:)`` where there are none, or where the file
    ///   cannot be read.
    public func capturedExchanges(
        withAnswerHeads answers: Bool = false
    ) throws(SessionError) -> [CapturedExchange] {
        let captured = try read { db in
            let bodies = try storedBodies(db)
            let recordings = try Recording.all(db)
            let clocks = try RecordingClock.all(db)
            let sql = """
                SELECT e.id, e.connection_id, e.sequence, e.request_head, e.request_body_id, e.status,
                    e.response_body_id, e.outcome, e.request_ns, n.recording_id, e.target,
                    n.peer_address, e.request_trailers, e.started_ns,
                    max(e.started_ns, ifnull(e.request_ns, 0), ifnull(e.response_started_ns, 0),
                        ifnull(e.response_ended_ns, 0)),
                    \(answers ? "e.response_head" : "NULL")
                FROM exchange e LEFT JOIN connection n ON n.id = e.connection_id
                ORDER BY e.connection_id, e.sequence, e.id
                """
            return try Row.fetchCursor(db, sql: sql).map { row in
                let clock = clocks[row.intIfAny(9) ?? 0] ?? RecordingClock()
                return CapturedExchange(
                    id: row.int(0),
                    connectionID: row.int(1),
                    sequence: row.count(2),
                    requestHead: row.bytesIfAny(3) ?? [],
                    requestBody: row.intIfAny(4).flatMap { bodies[$0] },
                    requestTrailers: row.bytesIfAny(12) ?? [],
                    status: row.intIfAny(5).map { Int(clamping: $0) },
                    responseBody: row.intIfAny(6).flatMap { bodies[$0] },
                    outcome: ExchangeOutcome(rawValue: row.text(7)) ?? .childDied,
                    isRequestComplete: row.intIfAny(8) != nil || row.intIfAny(4) == nil,
                    intermediary: recordings.first { $0.id == row.intIfAny(9) }?
                        .intermediary(of: row.text(10), from: row.text(11)),
                    startedNs: clock.time(of: row.int(13)),
                    endedNs: clock.time(of: row.int(14)),
                    client: row.text(11),
                    responseHead: row.bytesIfAny(15)
                )
            }.array()
        }
        guard !captured.isEmpty else { throw .nothingToReplay(path: path) }
        return captured
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

    private func storedBodies(_ db: Database) throws -> [Int64: StoredBody] {
        // A replay's differing answers are bodies too, and no exchange's: they are left out.
        let sql = """
            SELECT id, digest, size, truncated, bytes FROM body WHERE id IN (
                SELECT request_body_id FROM exchange UNION SELECT response_body_id FROM exchange)
            """
        var bodies: [Int64: StoredBody] = [:]
        let rows = try Row.fetchCursor(db, sql: sql)
        while let row = try rows.next() {
            let body = StoredBody(row)
            bodies[body.id] = body
        }
        return bodies
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
