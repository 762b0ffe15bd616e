// An exchange in a line: what `lab list` and the slowest of a report show.

internal import GRDB

/// An exchange in a line.
public struct ExchangeSummary: Codable, Sendable, Equatable {
    /// Its row.
    public var id: Int64
    /// The recording it belongs to.
    public var recordingID: Int64
    /// The connection on which it came.
    public var connectionID: Int64
    /// Its place on that connection, from 1.
    public var sequence: Int
    /// The process that served it.
    public var pid: Int64
    /// From the recording's start to the request's first byte, nanoseconds.
    public var offsetNs: Int64
    /// The method.
    public var method: String
    /// The target, as it came.
    public var target: String
    /// The target without what varies, as it is stored.
    public var route: String
    /// The status; nil where no answer began.
    public var status: Int?
    /// How it ended; nil while it goes on.
    public var outcome: String?
    /// From the request's first byte to the answer's last, nanoseconds; nil where there was no end.
    public var totalNs: Int64?
    /// The child's CPU time for it, microseconds.
    public var cpuUs: Int64?
    /// Head and body of the request, bytes.
    public var requestBytes: Int64
    /// Head and body of the response, bytes.
    public var responseBytes: Int64
    /// What is known of its child's end, as it is stored.
    public var fate: String?
    /// The exit code of its child.
    public var exitCode: Int?
    /// The signal that ended its child.
    public var signal: Int?
    /// Whether its child ended while it served this exchange.
    public var killedItsChild: Bool
    /// Why a replay was answered otherwise, as it is stored; nil where it was not, or was not asked for.
    public var mismatch: String?
}

/// A question to the exchanges of a session.
struct ExchangeQuery {
    /// The columns that an expression may name, each with the SQL that gives it.
    static let columns: [(name: String, sql: String)] = [
        ("id", "e.id"), ("recording_id", "n.recording_id"), ("connection_id", "e.connection_id"),
        ("sequence", "e.sequence"), ("pid", "e.child_pid"), ("method", "e.method"),
        ("target", "e.target"), ("route", "e.route"), ("version", "e.version"),
        ("status", "e.status"), ("reason", "e.reason"), ("outcome", "e.outcome"),
        ("error", "e.error"), ("offset_ms", "(e.started_ns - r.anchor_ns) / 1e6"),
        ("queue_ms", "CASE WHEN e.sequence = 1 THEN (n.accepted_ns - n.arrived_ns) / 1e6 END"),
        ("fork_ms", "CASE WHEN e.sequence = 1 THEN (c.started_ns - n.accepted_ns) / 1e6 END"),
        ("head_ms", "(e.head_ns - e.started_ns) / 1e6"),
        ("body_ms", "(e.request_ns - e.head_ns) / 1e6"),
        ("connect_ms", "(e.upstream_connected_ns - e.head_ns) / 1e6"),
        ("wait_ms", "(e.response_started_ns - e.head_ns) / 1e6"),
        ("answer_ms", "(e.response_ended_ns - e.response_started_ns) / 1e6"),
        ("total_ms", "(e.response_ended_ns - e.started_ns) / 1e6"),
        ("cpu_ms", "(e.user_cpu_us + e.system_cpu_us) / 1e3"),
        ("request_bytes", "length(e.request_head) + ifnull(q.size, 0)"),
        ("response_bytes", "ifnull(length(e.response_head), 0) + ifnull(a.size, 0)"),
        ("peer_address", "n.peer_address"), ("peer_port", "n.peer_port"), ("fate", "c.fate"),
        ("exit_code", "c.exit_code"), ("term_signal", "c.term_signal"),
        ("core_dumped", "c.core_dumped"),
        ("child_cpu_ms", "(c.user_cpu_us + c.system_cpu_us) / 1e3"),
        ("max_rss_kib", "c.max_rss_kib"), ("baseline_rss_kib", "c.baseline_rss_kib"),
        ("minor_faults", "c.minor_faults"), ("major_faults", "c.major_faults"),
        ("voluntary_switches", "c.voluntary_switches"),
        ("involuntary_switches", "c.involuntary_switches"),
        ("zombie_at_least_ms", "max(0, c.reaped_ns - c.sigchld_ns) / 1e6"),
        ("zombie_at_most_ms", "(c.reaped_ns - c.exiting_ns) / 1e6"),
        ("request_head", "e.request_head"), ("response_head", "e.response_head"),
        ("environ", "e.environ"), ("errors", "CAST(e.errors AS TEXT)"),
        ("errors_size", "e.errors_size"),
        ("request_body", "q.bytes"), ("response_body", "a.bytes"),
    ]

    private var condition: String
    private var tail: String
    /// The replay run that `mismatch` is taken from; nil where it is NULL.
    private var run: Int64?

    /// All, in order, of which `expression` is true.
    static func matching(_ expression: String?, run: Int64? = nil) -> ExchangeQuery {
        // On lines of its own, so that a comment in the expression ends with it.
        ExchangeQuery(
            condition: expression.map { "WHERE (\n\($0)\n)" } ?? "",
            tail: "ORDER BY id",
            run: run
        )
    }

    /// The slowest, slowest first; a tunnel stands for as long as both sides want, and is not slow.
    static func slowest(_ count: Int) -> ExchangeQuery {
        ExchangeQuery(
            condition: "WHERE total_ms IS NOT NULL AND outcome IS NOT 'tunnel'",
            tail: "ORDER BY response_ended_ns - started_ns DESC, id LIMIT \(count)"
        )
    }

    var sql: String {
        let names = Self.columns.map { "\($0.sql) AS \($0.name)" }.joined(separator: ", ")
        // Of several results of an exchange the reason that comes first in the alphabet.
        let replayed = run.map { run in
            """
            LEFT JOIN (SELECT exchange_id, min(mismatch) AS mismatch FROM replay_result
                WHERE run_id = \(run) GROUP BY exchange_id) m ON m.exchange_id = e.id
            """
        }
        return """
            WITH listed AS (
                SELECT \(names), e.started_ns, e.response_ended_ns, r.anchor_ns,
                    e.user_cpu_us + e.system_cpu_us AS cpu_us,
                    \(run == nil ? "NULL" : "m.mismatch") AS mismatch
                FROM exchange e
                LEFT JOIN connection n ON n.id = e.connection_id
                LEFT JOIN recording r ON r.id = n.recording_id
                LEFT JOIN child c ON c.connection_id = e.connection_id
                LEFT JOIN body q ON q.id = e.request_body_id
                LEFT JOIN body a ON a.id = e.response_body_id
                \(replayed ?? ""))
            SELECT id, recording_id, connection_id, sequence, pid, started_ns - anchor_ns, method,
                target, route, status, outcome, response_ended_ns - started_ns, cpu_us,
                request_bytes, response_bytes, fate, exit_code, term_signal,
                outcome = 'child_died' OR (outcome = 'app_error' AND response_ended_ns IS NULL),
                mismatch
            FROM listed
            \(condition)
            \(tail)
            """
    }

    func all(_ db: Database) throws -> [ExchangeSummary] {
        try Row.fetchCursor(db, sql: sql).map { ExchangeSummary($0) }.array()
    }
}

extension ExchangeSummary {
    init(_ row: Row) {
        func number(_ column: Int) -> Int? { row.intIfAny(column).map { Int(clamping: $0) } }
        self.init(
            id: row.int(0),
            recordingID: row.int(1),
            connectionID: row.int(2),
            sequence: row.count(3),
            pid: row.int(4),
            offsetNs: row.int(5),
            method: row.text(6),
            target: row.text(7),
            route: row.text(8),
            status: number(9),
            outcome: row.textIfAny(10),
            totalNs: row.intIfAny(11),
            cpuUs: row.intIfAny(12),
            requestBytes: row.int(13),
            responseBytes: row.int(14),
            fate: row.textIfAny(15),
            exitCode: number(16),
            signal: number(17),
            killedItsChild: row.int(18) != 0,
            mismatch: row.textIfAny(19)
        )
    }
}
