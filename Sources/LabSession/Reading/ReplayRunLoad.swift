// The shape of a replay's load, and how well it was kept: of the settings, and of the summary once
// the replay is over.

internal import GRDB

/// The load of one replay.
public struct ReplayRunLoad: Codable, Sendable, Equatable {
    /// Whether sessions started by the clock; otherwise one started when one had ended.
    public var isOpen: Bool
    /// When requests inside a session were sent: `asap`, `recorded`, `think`.
    public var pace: String
    /// What recorded gaps were divided by.
    public var speed: Double
    /// How many started in a second; nil where no rate was asked for.
    public var rate: Double?
    /// What the rate counts: `sessions` or `requests`.
    public var rateUnit: String?
    /// How the starts were spread: `const` or `poisson`.
    public var arrival: String?
    /// How many sessions could be under way at once.
    public var atOnce: Int
    /// On which connections requests went.
    public var connections: String
    /// Sessions that started, that were sent to their end, and that could not start when due.
    public var started: Int?
    /// Sessions of which all requests were sent.
    public var completed: Int?
    /// Sessions that could not start when they were due.
    public var dropped: Int?
    /// The requests in those.
    public var droppedRequests: Int?
    /// Requests that no figure counts, for they belong to the warm-up.
    public var warmup: Int?
    /// Requests that left more than 1 ms after they were due.
    public var late: Int?
    /// Those of them that waited for the answer before them.
    public var lateBehindAnswer: Int?
}

extension ReplayRunLoad {
    /// The load of a run; nil where its settings do not tell it.
    static func find(_ db: Database, run: Int64) throws -> ReplayRunLoad? {
        let load = [
            "loop", "pace", "speed", "rate", "rate_unit", "arrival", "at_once", "connections",
        ]
        .map { "json_extract(s, '$.load.\($0)')" }
        let kept = [
            "sessions.started", "sessions.completed", "sessions.dropped", "dropped", "warmup",
            "late.requests", "late.behind_answer",
        ].map { "json_extract(t, '$.\($0)')" }
        let sql = """
            SELECT \((load + kept).joined(separator: ", ")) FROM (
                SELECT CASE WHEN json_valid(settings) THEN settings END AS s,
                    CASE WHEN json_valid(summary) THEN summary END AS t
                FROM replay_run WHERE id = ?)
            """
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [run]),
            let loop = row.textIfAny(0), let pace = row.textIfAny(1)
        else { return nil }
        func count(_ column: Int) -> Int? { row.intIfAny(column).map { Int(clamping: $0) } }
        return ReplayRunLoad(
            isOpen: loop == "open",
            pace: pace,
            speed: row.doubleIfAny(2) ?? 1,
            rate: row.doubleIfAny(3),
            rateUnit: row.textIfAny(4),
            arrival: row.textIfAny(5),
            atOnce: count(6) ?? 0,
            connections: row.textIfAny(7) ?? "",
            started: count(8),
            completed: count(9),
            dropped: count(10),
            droppedRequests: count(11),
            warmup: count(12),
            late: count(13),
            lateBehindAnswer: count(14)
        )
    }
}
