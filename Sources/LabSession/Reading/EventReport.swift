// What befell the server, from `server_event`.

internal import GRDB

/// What befell the server.
public struct EventReport: Codable, Sendable, Equatable {
    /// How often each kind of event is on record.
    public var counts: [EventCount]
    /// The first events that a person should see: failures, killings, orphans; twenty at most.
    public var incidents: [ServerIncident]

    /// How often a kind of event is on record.
    public func count(of kind: String) -> Int { counts.first { $0.kind == kind }?.count ?? 0 }
}

/// How often a kind of event is on record.
public struct EventCount: Codable, Sendable, Equatable {
    /// The kind.
    public var kind: String
    /// How often.
    public var count: Int
}

/// An event as it is stored.
public struct ServerIncident: Codable, Sendable, Equatable {
    /// The recording.
    public var recordingID: Int64
    /// From the recording's start, nanoseconds.
    public var offsetNs: Int64
    /// The kind.
    public var kind: String
    /// The process that it concerns.
    public var pid: Int64?
    /// A JSON object.
    public var detail: String
}

/// What is gathered from `server_event`, for ``EventReport`` and ``ZombieReport``.
struct EventPass {
    let report: EventReport
    /// SIGCHLDs handled, and the processes that were reaped for them.
    let signals: Int
    let reapedForSignals: Int
    let mostAtOnce: Int

    init(_ db: Database, _ accounts: inout Accounts) throws {
        let counts = try Row.fetchCursor(
            db,
            sql: "SELECT kind, count(*) FROM server_event GROUP BY kind ORDER BY kind"
        ).map { EventCount(kind: $0.text(0), count: $0.count(1)) }.array()
        let incidents = try Row.fetchCursor(
            db,
            sql: """
                SELECT v.recording_id, v.at_ns - ifnull(r.anchor_ns, v.at_ns), v.kind, v.pid, v.detail
                FROM server_event v LEFT JOIN recording r ON r.id = v.recording_id
                WHERE v.kind IN ('accept_failed', 'fork_failed', 'listen_overflow', 'killed', 'orphan')
                ORDER BY v.recording_id, v.at_ns LIMIT 20
                """
        ).map { row in
            ServerIncident(
                recordingID: row.int(0),
                offsetNs: row.int(1),
                kind: row.text(2),
                pid: row.intIfAny(3),
                detail: row.text(4)
            )
        }.array()
        report = EventReport(counts: counts, incidents: incidents)

        // The handler may have run several times before the loop came round: `signals` says how often.
        let sql = """
            SELECT ifnull(sum(signals), 0), ifnull(sum(reaped), 0), ifnull(max(reaped), 0) FROM (
                SELECT ifnull(json_extract(detail, '$.signals'), 1) AS signals,
                    json_extract(detail, '$.reaped') AS reaped
                FROM server_event WHERE kind = 'sigchld' AND json_valid(detail))
            """
        let row = try Row.fetchOne(db, sql: sql)
        signals = row?.count(0) ?? 0
        reapedForSignals = row?.count(1) ?? 0
        mostAtOnce = row?.count(2) ?? 0
        try Self.addDrains(db, &accounts)
    }

    /// The fork server's own counts are in the `drain` event that ends a recording; an earlier one,
    /// with no counts, says only that it stopped accepting.
    private static func addDrains(_ db: Database, _ accounts: inout Accounts) throws {
        let sql = """
            SELECT recording_id, at_ns, json_extract(detail, '$.accepted'),
                json_extract(detail, '$.forks'), json_extract(detail, '$.fork_failed'),
                json_extract(detail, '$.reaped')
            FROM server_event WHERE kind = 'drain' AND json_valid(detail) ORDER BY at_ns
            """
        let rows = try Row.fetchCursor(db, sql: sql)
        while let row = try rows.next() {
            accounts.saw(row.int(1), in: row.int(0))
            guard let accepted = row.intIfAny(2), let forks = row.intIfAny(3) else { continue }
            accounts.count(in: row.int(0)) { counts in
                counts.drain = DrainCounts(
                    accepted: Int(clamping: accepted),
                    forks: Int(clamping: forks),
                    forkFailed: row.count(4),
                    reaped: row.intIfAny(5).map { Int(clamping: $0) }
                )
            }
        }
    }
}
