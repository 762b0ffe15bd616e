// The results of stored replays, side by side, as a comparison reads them.
//
//     run ── sorted ──┐
//     run ── sorted ──┼──▶ one request at a time, with its route
//     exchange ───────┘
//
// SQLite sorts, in the memory of its cache and on disk beyond that, so a million results take no more
// of it than a thousand.

internal import GRDB
import LabExchange

/// What became of one request, in one pass over the session, in several replays.
public struct SideBySide: Sendable, Equatable {
    /// The exchange that was sent.
    public var exchangeID: Int64
    /// Its method and route, such as `GET /items/{id}`; `?` where its request had none.
    public var route: String
    /// The result of each replay, in the order in which they were asked for; nil where it has none.
    public var results: [StoredResult?]
}

extension SessionReader {
    /// Gives the results of several replays side by side, in the order of exchanges and passes; those
    /// that only warmed up, and those of exchanges that are gone, are left out.
    ///
    /// Of several results of one exchange in one pass the last one counts.
    ///
    /// - Parameters:
    ///   - runs: The rows of the replays in `replay_run`.
    ///   - body: What is done with each, and what reads the bytes that results name.
    /// - Throws: ``SessionError``, or what `body` threw.
    public func forEachResult(
        ofRuns runs: [Int64],
        _ body: (SideBySide, StoredBytes) throws -> Void
    ) throws {
        try readThrough { db in
            do {
                let bytes = try StoredBytes(db)
                let routes = try RouteRows(db)
                let results = try runs.map { try ResultRows(db, run: $0) }
                while let place = results.compactMap({ $0.current.map(Place.init) }).min() {
                    let route = try routes.name(of: place.exchangeID)
                    let found = try results.map { try $0.take(place) }
                    guard let route else { continue }
                    try body(
                        SideBySide(exchangeID: place.exchangeID, route: route, results: found),
                        bytes
                    )
                }
            } catch let error as DatabaseError {
                throw SessionError(error, path: path, doing: "read")
            }
        }
    }
}

/// A request in one pass over the session.
private struct Place: Comparable {
    var exchangeID: Int64
    var round: Int

    init(_ result: StoredResult) {
        exchangeID = result.exchangeID
        round = result.round
    }

    static func < (left: Place, right: Place) -> Bool {
        (left.exchangeID, left.round) < (right.exchangeID, right.round)
    }
}

/// The results of one replay, in the order of exchanges and passes.
private final class ResultRows {
    private(set) var current: StoredResult?
    private let statement: PreparedStatement

    init(_ db: Database, run: Int64) throws {
        statement = try PreparedStatement(
            db,
            """
            SELECT exchange_id, round, outcome, status, sent_ns, done_ns, body_id, head_id
            FROM replay_result WHERE run_id = ? AND NOT warmup ORDER BY exchange_id, round, rowid
            """
        )
        statement.bind(run)
        try advance()
    }

    /// The result at a place, and on to what comes after it.
    func take(_ place: Place) throws -> StoredResult? {
        var found: StoredResult?
        while let result = current, Place(result) == place {
            found = result
            try advance()
        }
        return found
    }

    private func advance() throws {
        current = try statement.next { row in
            let sent = row.int(4)
            return StoredResult(
                exchangeID: row.int(0),
                round: Int(clamping: row.int(1)),
                outcome: row.textIfAny(2).flatMap { ReplayOutcome(rawValue: $0) } ?? .malformed,
                status: Int(clamping: row.int(3)),
                serviceNs: (row.intIfAny(5) ?? sent) &- sent,
                bodyID: row.intIfAny(6),
                headID: row.intIfAny(7)
            )
        }
    }
}

/// The routes of exchanges, in the order of their numbers.
private final class RouteRows {
    private var current: (id: Int64, name: String)?
    private let statement: PreparedStatement

    init(_ db: Database) throws {
        statement = try PreparedStatement(
            db,
            "SELECT id, method, route FROM exchange ORDER BY id"
        )
        try advance()
    }

    /// The route of an exchange; nil where there is none of that number.
    ///
    /// Numbers must not fall.
    func name(of wanted: Int64) throws -> String? {
        while let current, current.id < wanted { try advance() }
        return current?.id == wanted ? current?.name : nil
    }

    private func advance() throws {
        current = try statement.next { row in
            let method = row.textIfAny(1) ?? ""
            return (row.int(0), method.isEmpty ? "?" : "\(method) \(row.textIfAny(2) ?? "")")
        }
    }
}
