// A row of `recording`: one run of `lab record`.

internal import GRDB
import LabWire

/// One run of `lab record`.
public struct Recording: Codable, Sendable, Equatable {
    /// Its row.
    public var id: Int64
    /// The wall clock at ``anchorNs``, as it is stored.
    public var startedAt: String
    /// CLOCK_MONOTONIC at ``startedAt``, nanoseconds: what all instants are measured against.
    public var anchorNs: Int64
    /// The address on which it listened.
    public var host: String
    /// The port on which it listened.
    public var port: Int
    /// What answered, such as the built-in application or an upstream.
    public var mode: String
    /// The upstream, where there was one.
    public var upstream: String?
    /// The application, where there was one.
    public var app: String?
    /// How children were reaped: `drain`, `once` or `never`.
    public var reap: String
    /// The command as it was typed.
    public var commandLine: String
    /// The version of the lab that recorded.
    public var labVersion: String
    /// The wall clock at the end; nil while it records, and where its recorder was killed.
    public var endedAt: String?
    /// Why it ended.
    public var endReason: String?
    /// Its name in the `Via` of the requests that it sent on; nil where it added none.
    public var pseudonym: String?
    /// How it told the servers that it sent requests on to of the client; nil for not at all.
    public var forwarded: String?
}

extension Recording {
    /// Who sent a client's request on; nil where it was answered here, or sent on unchanged.
    func intermediary(of target: String, from clientAddress: String) -> Intermediary? {
        guard let pseudonym, upstream != nil || isForwarded(target) else { return nil }
        return Intermediary(
            pseudonym: pseudonym,
            forwardedFields: forwarded.flatMap { ForwardedFields(rawValue: $0) } ?? .none,
            clientAddress: Array(clientAddress.utf8)
        )
    }

    /// Whether a target is another server's.
    private func isForwarded(_ target: String) -> Bool {
        guard case .absolute(let other, _) = RequestTarget(absolute: Array(target.utf8)[...]) else {
            return false
        }
        return !other.isName(of: Authority(host: host, port: port))
    }

    static func all(_ db: Database) throws -> [Recording] {
        let sql = """
            SELECT id, started_at, anchor_ns, host, port, mode, upstream, app, reap, command_line,
                lab_version, ended_at, end_reason, pseudonym, forwarded
            FROM recording ORDER BY id
            """
        return try Row.fetchCursor(db, sql: sql).map { row in
            Recording(
                id: row.int(0),
                startedAt: row.text(1),
                anchorNs: row.int(2),
                host: row.text(3),
                port: Int(clamping: row.int(4)),
                mode: row.text(5),
                upstream: row.textIfAny(6),
                app: row.textIfAny(7),
                reap: row.text(8),
                commandLine: row.text(9),
                labVersion: row.text(10),
                endedAt: row.textIfAny(11),
                endReason: row.textIfAny(12),
                pseudonym: row.textIfAny(13),
                forwarded: row.textIfAny(14)
            )
        }.array()
    }
}
