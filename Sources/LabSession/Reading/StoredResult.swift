// The results of stored replays, as a comparison reads them.

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
    /// A replay whose results are asked for.
    ///
    /// - Parameter name: Its number, or its label; of several with that label the newest is meant.
    /// - Returns: Its row in `replay_run`, and whether there is a row of each of its results.
    /// - Throws: ``SessionError/noSuchRun(name:path:)``, or where the file cannot be read.
    public func storedRun(
        _ name: String
    ) throws(SessionError) -> (id: Int64, keepsResults: Bool) {
        let found = try read { db in
            try ReplayRunDetail.number(db, name).map {
                ($0, try ReplayRunDetail.keepsResults(db, $0))
            }
        }
        guard let found else { throw .noSuchRun(name: name, path: path) }
        return found
    }
}
