// What was captured, some whole connections at a time: a replay begins to send while the rest of a
// large session is still to be read, and never holds all of it.

internal import GRDB
public import LabExchange
import LabWire

/// Reads the captured exchanges of a session in runs of whole connections.
///
/// Connections come in the order of their first exchanges, and each one's exchanges in theirs. What is
/// recorded after the reader was made is left out. Not for several threads at a time.
public final class CapturedReader {
    /// How many exchanges a run has at least, unless it is the last one.
    public static let leastExchanges = 1024
    /// How many connections are looked up at once.
    private static let connectionsAhead = 256

    private let path: String
    private let file: SessionFile
    private let statements: Statements
    private let clocks: [Int64: RecordingClock]
    private let recordings: [Int64: Recording]
    private var bodies = BodyCache()
    /// The last exchange that is read, and that up to which connections were looked up.
    private let lastID: Int64
    private var reachedID: Int64 = 0
    /// Connections that were looked up and not read yet, the next one last.
    private var ahead: [Int64] = []

    private struct Statements {
        let connections: PreparedStatement
        let connection: PreparedStatement
        let exchanges: PreparedStatement
        let body: PreparedStatement
    }

    /// Begins to read.
    ///
    /// - Parameters:
    ///   - reader: The session.
    ///   - answers: Whether the heads of answers are read too.
    /// - Throws: ``SessionError`` where the file cannot be read.
    public init(
        _ reader: SessionReader,
        withAnswerHeads answers: Bool = false
    ) throws(SessionError) {
        path = reader.path
        file = reader.file
        (statements, clocks, recordings, lastID) = try reader.read { db in
            (
                try Self.prepare(db, answers), try RecordingClock.all(db),
                try Dictionary(Recording.all(db).map { ($0.id, $0) }) { $1 },
                try Int64.fetchOne(db, sql: "SELECT max(id) FROM exchange") ?? 0
            )
        }
    }

    private static func prepare(_ db: Database, _ answers: Bool) throws -> Statements {
        Statements(
            connections: try PreparedStatement(
                db,
                """
                SELECT id, connection_id FROM exchange e WHERE id > ? AND id <= ? AND id = (
                    SELECT id FROM exchange o WHERE o.connection_id = e.connection_id
                    ORDER BY o.sequence, o.id LIMIT 1)
                ORDER BY id LIMIT \(connectionsAhead)
                """
            ),
            connection: try PreparedStatement(
                db,
                "SELECT recording_id, peer_address FROM connection WHERE id = ?"
            ),
            exchanges: try PreparedStatement(
                db,
                """
                SELECT id, sequence, request_head, request_body_id, status, response_body_id, outcome,
                    request_ns, request_trailers, started_ns,
                    max(started_ns, ifnull(request_ns, 0), ifnull(response_started_ns, 0),
                        ifnull(response_ended_ns, 0)),
                    target, \(answers ? "response_head" : "NULL")
                FROM exchange WHERE connection_id = ? AND id <= ? ORDER BY sequence, id
                """
            ),
            body: try PreparedStatement(
                db,
                "SELECT digest, size, truncated, bytes FROM body WHERE id = ?"
            )
        )
    }

    /// The exchanges of the next connections; nil where all were read.
    ///
    /// - Throws: ``SessionError`` where the file cannot be read.
    public func next() throws(SessionError) -> [CapturedExchange]? {
        var found: [CapturedExchange] = []
        do {
            try file.queue.read { _ in
                while found.count < Self.leastExchanges, let connection = try nextConnection() {
                    try read(connection, into: &found)
                }
            }
        } catch {
            throw SessionError(error, path: path, doing: "read")
        }
        return found.isEmpty ? nil : found
    }

    private func nextConnection() throws -> Int64? {
        if ahead.isEmpty, reachedID < lastID {
            statements.connections.bind(reachedID)
            statements.connections.bind(lastID)
            try statements.connections.forEachRow { row in
                reachedID = row.int(0)
                ahead.append(row.int(1))
            }
            if ahead.count < Self.connectionsAhead { reachedID = lastID }
            ahead.reverse()
        }
        return ahead.popLast()
    }

    /// An exchange whose end nobody told is given the outcome `childDied`: its request was read, and
    /// an answer is not known.
    private func read(_ connection: Int64, into found: inout [CapturedExchange]) throws {
        var recording: Int64 = 0
        var client = ""
        statements.connection.bind(connection)
        try statements.connection.forEachRow { row in
            recording = row.int(0)
            client = row.textIfAny(1) ?? ""
        }
        let clock = clocks[recording] ?? RecordingClock()
        let origin = recordings[recording]
        statements.exchanges.bind(connection)
        statements.exchanges.bind(lastID)
        try statements.exchanges.forEachRow { row in
            found.append(
                CapturedExchange(
                    id: row.int(0),
                    connectionID: connection,
                    sequence: Int(clamping: row.int(1)),
                    requestHead: row.bytesIfAny(2) ?? [],
                    requestBody: try row.intIfAny(3).flatMap { try body($0) },
                    requestTrailers: row.bytesIfAny(8) ?? [],
                    status: row.intIfAny(4).map { Int(clamping: $0) },
                    responseBody: try row.intIfAny(5).flatMap { try body($0) },
                    outcome: row.textIfAny(6).flatMap { ExchangeOutcome(rawValue: $0) }
                        ?? .childDied,
                    isRequestComplete: row.intIfAny(7) != nil || row.intIfAny(3) == nil,
                    intermediary: origin.flatMap { origin in
                        origin.pseudonym == nil
                            ? nil : origin.intermediary(of: row.textIfAny(11) ?? "", from: client)
                    },
                    startedNs: clock.time(of: row.int(9)),
                    endedNs: clock.time(of: row.int(10)),
                    client: client,
                    responseHead: row.bytesIfAny(12)
                )
            )
        }
    }

    /// A body, from the file where it was not met lately.
    private func body(_ id: Int64) throws -> StoredBody? {
        if let known = bodies[id] { return known }
        var body: StoredBody?
        statements.body.bind(id)
        try statements.body.forEachRow { row in
            body = StoredBody(
                id: id,
                digest: row.bytesIfAny(0) ?? [],
                size: row.int(1),
                bytes: row.bytesIfAny(3) ?? [],
                isTruncated: row.int(2) != 0
            )
        }
        if let body { bodies.add(body) }
        return body
    }
}

/// The bodies met last, so that the bytes of one that comes often are in memory once.
private struct BodyCache {
    /// How many bytes it holds before it is emptied.
    private static let mostBytes = 16 << 20

    private var known: [Int64: StoredBody] = [:]
    private var bytes = 0

    subscript(id: Int64) -> StoredBody? { known[id] }

    mutating func add(_ body: StoredBody) {
        // What a body takes beside its content.
        bytes += body.bytes.count + 256
        if bytes > Self.mostBytes {
            known.removeAll(keepingCapacity: true)
            bytes = body.bytes.count + 256
        }
        known[body.id] = body
    }
}
