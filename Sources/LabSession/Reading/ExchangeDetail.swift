// One exchange with all that belongs to it: what `lab show` tells.

internal import GRDB
public import LabExchange

/// One exchange with all that belongs to it.
public struct ExchangeDetail: Sendable, Equatable {
    /// The exchange in a line.
    public var summary: ExchangeSummary
    /// The version, such as `HTTP/1.1`.
    public var version: String
    /// The reason phrase of the answer.
    public var reason: String?
    /// What went wrong, in words.
    public var error: String?
    /// What the application wrote to its error stream, or the beginning of it; nil for nothing.
    public var errors: [UInt8]?
    /// How much it wrote, bytes.
    public var errorsSize: Int64
    /// The request's head as it came.
    public var requestHead: [UInt8]
    /// The request's content; nil where there was none.
    public var requestBody: StoredBody?
    /// The answer's head as it went out; nil where no answer began.
    public var responseHead: [UInt8]?
    /// The answer's content; nil where there was none.
    public var responseBody: StoredBody?
    /// The trailer section of the request, as it came; empty where there was none.
    public var requestTrailers: [UInt8]
    /// The trailer section of the answer, as it came; empty where there was none.
    public var responseTrailers: [UInt8]
    /// What an upstream sent as the head of its answer, and that is none; nil where it sent a head.
    public var refusedAnswer: [UInt8]?
    /// How long each phase took, nanoseconds; only those that are known.
    public var phases: [PhaseDuration]
    /// What the application was told, in order.
    public var environ: [EnvironEntry]
    /// The rules that the messages bent.
    public var deviations: [StoredDeviation]
    /// The recording it belongs to; nil where the file is damaged.
    public var recording: Recording?
    /// The connection on which it came; nil where the file is damaged.
    public var connection: ConnectionDetail?
    /// The process that served it; nil where the server had none of its own.
    public var child: ChildDetail?
}

/// How long one phase of one exchange took.
public struct PhaseDuration: Codable, Sendable, Equatable {
    /// The phase.
    public var phase: Phase
    /// Nanoseconds.
    public var durationNs: Int64
}

/// A name and a value of an environ.
public struct EnvironEntry: Codable, Sendable, Equatable {
    /// The name.
    public var name: String
    /// The value: code points 0 to 255, each of them a byte; of what is no string, its JSON.
    public var value: String
}

/// A rule that a message bent, as it is stored.
public struct StoredDeviation: Codable, Sendable, Equatable {
    /// The rule.
    public var code: String
    /// Where it is written.
    public var section: String
    /// Bytes from the start of the message.
    public var offset: Int
    /// Whose message: `request` or `response`.
    public var message: String
}

/// The connection of an exchange.
public struct ConnectionDetail: Codable, Sendable, Equatable {
    /// The client's address.
    public var peerAddress: String
    /// The client's port.
    public var peerPort: Int
    /// The wall clock when it was accepted, UTC, to the millisecond; nil where that is not known.
    public var acceptedAt: String?
    /// From the recording's start to `accept`, nanoseconds.
    public var acceptedOffsetNs: Int64
    /// How long it was open, nanoseconds; nil where its end is not known.
    public var openNs: Int64?
    /// The exchanges that it carried.
    public var exchanges: Int
}

extension ExchangeDetail {
    static func find(_ db: Database, _ id: Int64) throws -> ExchangeDetail? {
        guard let summary = try ExchangeQuery.matching("id = \(id)").all(db).first else {
            return nil
        }
        let sql = """
            SELECT version, reason, error, request_head, response_head, request_body_id,
                response_body_id, environ, errors, errors_size, request_trailers,
                response_trailers, refused_answer
            FROM exchange WHERE id = ?
            """
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [id]) else { return nil }
        return ExchangeDetail(
            summary: summary,
            version: row.text(0),
            reason: row.textIfAny(1),
            error: row.textIfAny(2),
            errors: row.bytesIfAny(8),
            errorsSize: row.intIfAny(9) ?? 0,
            requestHead: row.bytesIfAny(3) ?? [],
            requestBody: try body(db, row.intIfAny(5)),
            responseHead: row.bytesIfAny(4),
            responseBody: try body(db, row.intIfAny(6)),
            requestTrailers: row.bytesIfAny(10) ?? [],
            responseTrailers: row.bytesIfAny(11) ?? [],
            refusedAnswer: row.bytesIfAny(12),
            phases: try phases(db, id),
            environ: try environ(db, row.textIfAny(7)),
            deviations: try deviations(db, id),
            recording: try Recording.all(db).first { $0.id == summary.recordingID },
            connection: try ConnectionDetail.find(db, summary.connectionID),
            child: try ChildDetail.find(db, summary.connectionID)
        )
    }

    private static func body(_ db: Database, _ id: Int64?) throws -> StoredBody? {
        guard let id else { return nil }
        let sql = "SELECT id, digest, size, truncated, bytes FROM body WHERE id = ?"
        return try Row.fetchOne(db, sql: sql, arguments: [id]).map { StoredBody($0) }
    }

    private static func phases(_ db: Database, _ id: Int64) throws -> [PhaseDuration] {
        let sql = """
            SELECT CASE WHEN e.sequence = 1 THEN n.accepted_ns - n.arrived_ns END,
                CASE WHEN e.sequence = 1 THEN c.started_ns - n.accepted_ns END,
                e.head_ns - e.started_ns, e.request_ns - e.head_ns,
                e.upstream_connected_ns - e.head_ns, e.response_started_ns - e.head_ns,
                e.response_ended_ns - e.response_started_ns, e.response_ended_ns - e.started_ns
            FROM exchange e
            LEFT JOIN connection n ON n.id = e.connection_id
            LEFT JOIN child c ON c.connection_id = e.connection_id
            WHERE e.id = ?
            """
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [id]) else { return [] }
        return Phase.allCases.enumerated().compactMap { column, phase in
            row.intIfAny(column).map { PhaseDuration(phase: phase, durationNs: $0) }
        }
    }

    private static func environ(_ db: Database, _ json: String?) throws -> [EnvironEntry] {
        // SQLite keeps the order of the names; a JSON decoder's dictionary does not.
        let sql = """
            SELECT key, CASE type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE value END
            FROM json_each(CASE WHEN json_valid(?1) THEN ?1 ELSE '{}' END)
            """
        return try Row.fetchCursor(db, sql: sql, arguments: [json]).map { row in
            let value = row.textIfAny(1) ?? row.intIfAny(1).map { "\($0)" } ?? "null"
            return EnvironEntry(name: row.text(0), value: value)
        }.array()
    }

    private static func deviations(_ db: Database, _ id: Int64) throws -> [StoredDeviation] {
        let sql =
            "SELECT code, section, offset, message FROM deviation WHERE exchange_id = ? ORDER BY message, offset"
        return try Row.fetchCursor(db, sql: sql, arguments: [id]).map { row in
            StoredDeviation(
                code: row.text(0),
                section: row.text(1),
                offset: row.count(2),
                message: row.text(3)
            )
        }.array()
    }
}

extension ConnectionDetail {
    static func find(_ db: Database, _ id: Int64) throws -> ConnectionDetail? {
        let sql = """
            SELECT n.peer_address, n.peer_port, n.accepted_ns - r.anchor_ns,
                n.closed_ns - n.accepted_ns,
                (SELECT count(*) FROM exchange e WHERE e.connection_id = n.id),
                strftime('%Y-%m-%d %H:%M:%f', julianday(r.started_at)
                    + (n.accepted_ns - r.anchor_ns) / 86400e9)
            FROM connection n LEFT JOIN recording r ON r.id = n.recording_id WHERE n.id = ?
            """
        return try Row.fetchOne(db, sql: sql, arguments: [id]).map { row in
            ConnectionDetail(
                peerAddress: row.text(0),
                peerPort: row.count(1),
                acceptedAt: row.textIfAny(5),
                acceptedOffsetNs: row.int(2),
                openNs: row.intIfAny(3),
                exchanges: row.count(4)
            )
        }
    }
}
