// Rows to values: what reports, lists and replays read of a session file.
//
//     session.db ──▶ SessionReader ──▶ SessionReport      lab report
//                                  ──▶ ExchangeSummary…   lab list, one at a time
//                                  ──▶ ExchangeDetail     lab show
//                                  ──▶ CapturedExchange…  lab replay
//
// Each call reads one snapshot, so what it gives is consistent while a recorder goes on writing.

internal import GRDB

/// Reads a session file.
public struct SessionReader: Sendable {
    /// The path, as the user gave it.
    public let path: String
    let file: SessionFile

    /// Opens a session to read it.
    ///
    /// - Throws: ``SessionError`` where it is missing, empty, no session or too new.
    public init(_ path: String) throws(SessionError) {
        self.path = path
        file = try SessionFile.open(forReader: path)
    }

    /// The recordings that the session holds, in order.
    ///
    /// - Throws: ``SessionError`` where the file cannot be read.
    public func recordings() throws(SessionError) -> [Recording] {
        try read { db in try Recording.all(db) }
    }

    /// How many exchanges the session holds.
    ///
    /// - Returns: The number.
    /// - Throws: ``SessionError`` where the file cannot be read.
    public func exchangeCount() throws(SessionError) -> Int {
        try read { db in try Int.fetchOne(db, sql: "SELECT count(*) FROM exchange") ?? 0 }
    }

    /// All that `lab report` tells.
    ///
    /// - Throws: ``SessionError`` where the file cannot be read.
    public func report() throws(SessionError) -> SessionReport {
        // Asked before the rows are read: a recorder that ends between the two has then ended there.
        let isRecording = RecordingLock.isHeld(path)
        var report = try read { db in try SessionReport(db, path: path) }
        for index in report.recordings.indices
        where report.recordings[index].identity.verdict == .open
            && !(isRecording && index == report.recordings.count - 1)
        {
            report.recordings[index].identity.verdict = .abandoned
        }
        return report
    }

    /// One replay run in detail.
    ///
    /// - Parameter name: Its number, or its label.
    /// - Returns: The run; of several with that label the newest.
    /// - Throws: ``SessionError/noSuchRun(name:path:)``, or where the file cannot be read.
    public func run(_ name: String) throws(SessionError) -> ReplayRunDetail {
        let found = try read { db in try ReplayRunDetail.find(db, name) }
        guard let found else { throw .noSuchRun(name: name, path: path) }
        return found
    }

    /// One exchange with all that belongs to it.
    ///
    /// - Throws: ``SessionError/noSuchExchange(id:path:)``, or where the file cannot be read.
    public func exchange(_ id: Int64) throws(SessionError) -> ExchangeDetail {
        let found = try read { db in try ExchangeDetail.find(db, id) }
        guard let found else { throw .noSuchExchange(id: id, path: path) }
        return found
    }

    /// What became of an exchange in a replay: of several results the first that does not match.
    ///
    /// - Parameters:
    ///   - id: The exchange.
    ///   - name: The run's number, or its label.
    /// - Returns: The result.
    /// - Throws: ``SessionError/noSuchRun(name:path:)``, ``SessionError/noSuchResult(id:run:path:)``,
    ///   or where the file cannot be read.
    public func replayed(_ id: Int64, in name: String) throws(SessionError) -> ReplayedExchange {
        let (run, found) = try read { db in
            let run = try ReplayRunDetail.number(db, name)
            return (run, try run.flatMap { try ReplayedExchange.find(db, id, run: $0) })
        }
        guard run != nil else { throw .noSuchRun(name: name, path: path) }
        guard let found else { throw .noSuchResult(id: id, run: name, path: path) }
        return found
    }

    /// Reads one snapshot.
    func read<Value>(_ body: (Database) throws -> Value) throws(SessionError) -> Value {
        do {
            return try file.queue.read(body)
        } catch {
            throw SessionError(error, path: path, doing: "read")
        }
    }

    /// Reads one snapshot and lets the errors of `body` through as they are.
    func readThrough(_ body: (Database) throws -> Void) throws {
        try file.queue.read(body)
    }
}
