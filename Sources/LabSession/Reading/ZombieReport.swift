// How long the dead stood. A zombie's life is known as bounds: it began after the child's own last
// word and before the first SIGCHLD that was handled after its death.

internal import GRDB

/// How long children were zombies, and what the signals for them did.
public struct ZombieReport: Codable, Sendable, Equatable {
    /// From the first SIGCHLD after the death to the reaping, nanoseconds: it stood at least so long.
    public var atLeastNs: Spread
    /// From the child's last word to the reaping, nanoseconds: it stood at most so long.
    public var atMostNs: Spread
    /// Children that nobody waited for while the server ran.
    public var left: Int
    /// Children that have said their last word, and whose reaping is not on record.
    public var waiting: Int
    /// The SIGCHLDs that were handled.
    public var signals: Int
    /// The processes that were reaped for them, adopted ones included.
    public var reapedForSignals: Int
    /// The most processes that were reaped in one go.
    public var mostAtOnce: Int
    /// Those that stood longest for certain, longest first; three at most.
    public var longest: [Zombie]
}

/// One child's life after death.
public struct Zombie: Codable, Sendable, Equatable {
    /// The connection it served.
    public var connectionID: Int64
    /// The process.
    public var pid: Int64
    /// It stood at least so long, nanoseconds; nil where no signal was seen.
    public var atLeastNs: Int64?
    /// It stood at most so long, nanoseconds; nil where it had no last word.
    public var atMostNs: Int64?
}

extension ZombieReport {
    init(_ db: Database, _ events: EventPass) throws {
        var least: [Int64] = []
        var most: [Int64] = []
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT max(0, reaped_ns - sigchld_ns), max(0, reaped_ns - exiting_ns)
                FROM child WHERE reaped_ns IS NOT NULL
                """
        )
        while let row = try rows.next() {
            if let known = row.intIfAny(0) { least.append(known) }
            if let known = row.intIfAny(1) { most.append(known) }
        }
        let counts = try Row.fetchOne(
            db,
            sql: """
                SELECT ifnull(sum(fate = 'unreaped'), 0),
                    ifnull(sum(fate = 'running' AND exiting_ns IS NOT NULL AND reaped_ns IS NULL), 0)
                FROM child
                """
        )
        longest = try Row.fetchCursor(
            db,
            sql: """
                SELECT connection_id, pid, max(0, reaped_ns - sigchld_ns) AS least,
                    max(0, reaped_ns - exiting_ns)
                FROM child WHERE reaped_ns IS NOT NULL AND sigchld_ns IS NOT NULL
                ORDER BY least DESC, connection_id LIMIT 3
                """
        ).map { row in
            Zombie(
                connectionID: row.int(0),
                pid: row.int(1),
                atLeastNs: row.intIfAny(2),
                atMostNs: row.intIfAny(3)
            )
        }.array()
        atLeastNs = Spread(least)
        atMostNs = Spread(most)
        left = counts?.count(0) ?? 0
        waiting = counts?.count(1) ?? 0
        signals = events.signals
        reapedForSignals = events.reapedForSignals
        mostAtOnce = events.mostAtOnce
    }
}
