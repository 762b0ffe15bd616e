// What each route cost the server: CPU time by the exchange; faults, memory, deaths and orphans by
// the child, which are a route's own where the child served no other.

internal import GRDB

/// What one route cost the processes that served it.
///
/// A child's page faults and memory cannot be told apart by request (`getrusage(2)` counts for the
/// process), so ``minorFaults`` and ``rssGrowthKib`` are those of ``ownChildren``.
public struct RouteCost: Codable, Sendable, Equatable {
    /// The method.
    public var method: String
    /// The target without what varies from request to request, as it is stored.
    public var route: String
    /// The exchanges.
    public var count: Int
    /// CPU time of all of them, microseconds; what a child used after its last complete exchange is
    /// that of the exchange in which it died.
    public var cpuUs: Int64
    /// Children that served this route and no other, and were reaped.
    public var ownChildren: Int
    /// The exchanges that those served.
    public var ownExchanges: Int
    /// Page faults without I/O of those children.
    public var minorFaults: Int64
    /// The most that one of them grew above what it inherited at fork, KiB; nil where there is none.
    public var rssGrowthKib: Int64?
    /// Children that ended without their last word while they served it.
    public var deaths: Int
    /// Processes that its own children left behind.
    public var orphans: Int
}

extension RouteCost {
    /// The routes' costs, the one with the most CPU time first.
    static func all(_ db: Database) throws -> [RouteCost] {
        var pass = RouteCostPass(orphans: try orphans(db))
        try PreparedStatement(db, RouteCostPass.sql).forEachRow { pass.add($0) }
        return pass.report()
    }

    /// How many orphans each connection's child left.
    private static func orphans(_ db: Database) throws -> [Int64: Int] {
        let sql = """
            SELECT json_extract(detail, '$.connection_id') AS connection_id, count(*)
            FROM server_event WHERE kind = 'orphan' AND json_valid(detail)
                AND json_extract(detail, '$.connection_id') IS NOT NULL
            GROUP BY connection_id
            """
        let rows = try Row.fetchCursor(db, sql: sql).map { ($0.int(0), $0.count(1)) }.array()
        return Dictionary(rows) { $0 + $1 }
    }
}

private struct RouteCostPass {
    static let sql = """
        SELECT e.connection_id, e.method, e.route, e.user_cpu_us + e.system_cpu_us,
            e.outcome IS NULL OR e.outcome = 'child_died'
                OR (e.outcome = 'app_error' AND e.response_ended_ns IS NULL),
            c.user_cpu_us + c.system_cpu_us, c.minor_faults, c.max_rss_kib - c.baseline_rss_kib,
            c.reaped_ns IS NOT NULL AND (c.exiting_ns IS NULL OR c.term_signal IS NOT NULL)
        FROM exchange e LEFT JOIN child c ON c.connection_id = e.connection_id
        ORDER BY e.connection_id, e.sequence
        """

    private struct RouteName: Hashable {
        var method: String
        var route: String
    }

    /// One connection, as far as it was read.
    private struct Connection {
        let id: Int64
        var exchanges = 0
        var first = RouteName(method: "", route: "")
        var servesOneRoute = true
        /// What its exchanges are known to have used.
        var knownCPUUs: Int64 = 0
        /// The route of an exchange that has no end of its own.
        var unfinished: RouteName?
        var childCPUUs: Int64?
        var minorFaults: Int64 = 0
        var growth: Int64?
        var hasDied = false
    }

    private let orphans: [Int64: Int]
    private var costs: [RouteName: RouteCost] = [:]
    private var current: Connection?

    init(orphans: [Int64: Int]) { self.orphans = orphans }

    mutating func add(_ row: borrowing StatementRow) {
        let id = row.int(0)
        if current?.id != id { endConnection() }
        var connection = current ?? Connection(id: id)
        current = nil
        let name = RouteName(method: row.text(1), route: row.text(2))
        if connection.exchanges == 0 { connection.first = name }
        connection.exchanges += 1
        if name != connection.first { connection.servesOneRoute = false }
        let cpu = row.intIfAny(3)
        connection.knownCPUUs += cpu ?? 0
        connection.unfinished = row.int(4) != 0 ? name : nil
        connection.childCPUUs = row.intIfAny(5)
        connection.minorFaults = row.int(6)
        connection.growth = row.intIfAny(7)
        connection.hasDied = row.int(8) != 0
        change(name) {
            $0.count += 1
            $0.cpuUs += cpu ?? 0
        }
        current = connection
    }

    private mutating func endConnection() {
        guard let connection = current else { return }
        current = nil
        if connection.hasDied, let name = connection.unfinished {
            let rest = (connection.childCPUUs ?? 0) - connection.knownCPUUs
            change(name) {
                $0.deaths += 1
                $0.cpuUs += max(0, rest)
            }
        }
        guard connection.servesOneRoute, connection.childCPUUs != nil else { return }
        let left = orphans[connection.id] ?? 0
        change(connection.first) {
            $0.ownChildren += 1
            $0.ownExchanges += connection.exchanges
            $0.minorFaults += connection.minorFaults
            if let growth = connection.growth {
                $0.rssGrowthKib = max($0.rssGrowthKib ?? 0, growth)
            }
            $0.orphans += left
        }
    }

    private mutating func change(_ name: RouteName, _ body: (inout RouteCost) -> Void) {
        let none = RouteCost(
            method: name.method,
            route: name.route,
            count: 0,
            cpuUs: 0,
            ownChildren: 0,
            ownExchanges: 0,
            minorFaults: 0,
            rssGrowthKib: nil,
            deaths: 0,
            orphans: 0
        )
        body(&costs[name, default: none])
    }

    mutating func report() -> [RouteCost] {
        endConnection()
        return costs.values.sorted {
            ($1.cpuUs, $0.route, $0.method) < ($0.cpuUs, $1.route, $1.method)
        }
    }
}
