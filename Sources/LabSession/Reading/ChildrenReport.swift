// One pass over `connection` and `child`: how the processes ended and what they cost.

internal import GRDB

/// The processes that served.
public struct ChildrenReport: Codable, Sendable, Equatable {
    /// The children on record.
    public var count: Int
    /// How they ended, the most frequent first.
    public var exits: [ExitCount]
    /// Children that ended badly, by how and on what; the most frequent first.
    public var deaths: [DeathReport]
    /// What they cost.
    public var cost: ChildCost
}

/// How often children ended in one way.
public struct ExitCount: Codable, Sendable, Equatable, Hashable {
    /// What is known of the end, as it is stored.
    public var fate: String
    /// The exit code, where it exited.
    public var exitCode: Int?
    /// The signal that ended it.
    public var signal: Int?
    /// The signal's name.
    public var signalName: String?
    /// How many.
    public var count: Int
}

/// Children that ended in one way while they served one route.
public struct DeathReport: Codable, Sendable, Equatable {
    /// What is known of the end, as it is stored.
    public var fate: String
    /// The exit code, where it exited without its last word.
    public var exitCode: Int?
    /// The signal that ended it.
    public var signal: Int?
    /// The signal's name.
    public var signalName: String?
    /// How many.
    public var count: Int
    /// The process of the first of them.
    public var pid: Int64
    /// What the first of them served when it ended; nil where it served nothing.
    public var exchangeID: Int64?
    /// The method of that exchange.
    public var method: String?
    /// The target of that exchange.
    public var target: String?
}

/// What the children cost: sums, and how each is spread over the children.
public struct ChildCost: Codable, Sendable, Equatable {
    /// CPU time in user mode, microseconds.
    public var userCPUUs: Int64
    /// CPU time in the kernel, microseconds.
    public var systemCPUUs: Int64
    /// CPU time of a child, microseconds.
    public var cpuUs: Spread
    /// What a child's resident memory grew above what it inherited at fork, KiB.
    public var rssGrowthKib: Spread
    /// Page faults without I/O of a child.
    public var minorFaults: Spread
    /// Page faults with I/O, of all children.
    public var majorFaults: Int64
    /// Context switches of a child because it waited.
    public var voluntarySwitches: Spread
    /// Context switches of a child because its time was up.
    public var involuntarySwitches: Spread
}

extension ChildrenReport {
    init(_ db: Database, _ accounts: inout Accounts) throws {
        var exits: [ExitCount: Int] = [:]
        var pass = CostPass()
        let sql = """
            SELECT n.recording_id, n.accepted_ns, n.closed_ns, c.fate, c.exit_code, c.term_signal,
                c.exiting_ns, c.reaped_ns, c.user_cpu_us, c.system_cpu_us,
                c.max_rss_kib - c.baseline_rss_kib, c.minor_faults, c.major_faults,
                c.voluntary_switches, c.involuntary_switches
            FROM connection n LEFT JOIN child c ON c.connection_id = n.id
            """
        let rows = try Row.fetchCursor(db, sql: sql)
        var children = 0
        while let row = try rows.next() {
            let recording = row.int(0)
            accounts.saw(row.intIfAny(1), in: recording)
            accounts.saw(row.intIfAny(2), in: recording)
            accounts.saw(row.intIfAny(6), in: recording)
            accounts.saw(row.intIfAny(7), in: recording)
            accounts.count(in: recording) { $0.connections += 1 }
            // A server without processes of its own has connections and no children.
            guard let fate = row.textIfAny(3) else { continue }
            children += 1
            accounts.count(in: recording) {
                $0.addChild(fate: fate, isReaped: row.intIfAny(7) != nil)
            }
            let signal = row.intIfAny(5).map { Int(clamping: $0) }
            let exit = ExitCount(
                fate: fate,
                exitCode: row.intIfAny(4).map { Int(clamping: $0) },
                signal: signal,
                signalName: signal.map { Signal(Int32(clamping: $0)).name },
                count: 0
            )
            exits[exit, default: 0] += 1
            pass.add(row)
        }
        count = children
        self.exits = exits.map { exit, count in
            var counted = exit
            counted.count = count
            return counted
        }.sorted { one, other in
            one.count != other.count
                ? one.count > other.count
                : (one.fate, one.signal ?? 0, one.exitCode ?? 0)
                    < (other.fate, other.signal ?? 0, other.exitCode ?? 0)
        }
        deaths = try DeathReport.all(db)
        cost = pass.report()
    }
}

extension DeathReport {
    /// A child that exits without its last word crashed, whatever its exit code is.
    static func all(_ db: Database) throws -> [DeathReport] {
        let sql = """
            SELECT c.fate, c.exit_code, c.term_signal, count(*), min(c.connection_id), c.pid,
                e.id, e.method, e.target
            FROM child c LEFT JOIN exchange e ON e.id = (
                SELECT x.id FROM exchange x
                WHERE x.connection_id = c.connection_id
                    AND (x.outcome IS NULL OR x.outcome = 'child_died'
                        OR (x.outcome = 'app_error' AND x.response_ended_ns IS NULL))
                ORDER BY x.sequence DESC LIMIT 1)
            WHERE c.term_signal IS NOT NULL OR c.fate = 'timed_out'
                OR (c.reaped_ns IS NOT NULL AND c.exiting_ns IS NULL)
            GROUP BY c.fate, c.exit_code, c.term_signal, e.method, e.route
            ORDER BY e.id IS NULL, count(*) DESC, min(c.connection_id)
            """
        return try Row.fetchCursor(db, sql: sql).map { row in
            let signal = row.intIfAny(2).map { Int(clamping: $0) }
            return DeathReport(
                fate: row.text(0),
                exitCode: row.intIfAny(1).map { Int(clamping: $0) },
                signal: signal,
                signalName: signal.map { Signal(Int32(clamping: $0)).name },
                count: row.count(3),
                pid: row.int(5),
                exchangeID: row.intIfAny(6),
                method: row.textIfAny(7),
                target: row.textIfAny(8)
            )
        }.array()
    }
}

private struct CostPass {
    private var user: Int64 = 0
    private var system: Int64 = 0
    private var majorFaults: Int64 = 0
    private var cpu: [Int64] = []
    private var growth: [Int64] = []
    private var minorFaults: [Int64] = []
    private var voluntary: [Int64] = []
    private var involuntary: [Int64] = []

    mutating func add(_ row: Row) {
        // What wait4 gave is there whole or not at all.
        guard let user = row.intIfAny(8), let system = row.intIfAny(9) else { return }
        self.user += user
        self.system += system
        majorFaults += row.int(12)
        cpu.append(user + system)
        if let grown = row.intIfAny(10) { growth.append(max(0, grown)) }
        minorFaults.append(row.int(11))
        voluntary.append(row.int(13))
        involuntary.append(row.int(14))
    }

    func report() -> ChildCost {
        ChildCost(
            userCPUUs: user,
            systemCPUUs: system,
            cpuUs: Spread(cpu),
            rssGrowthKib: Spread(growth),
            minorFaults: Spread(minorFaults),
            majorFaults: majorFaults,
            voluntarySwitches: Spread(voluntary),
            involuntarySwitches: Spread(involuntary)
        )
    }
}
