// A row of `child`, with its instants as durations: the life of one process.

internal import GRDB

/// The life of the process that served a connection.
public struct ChildDetail: Codable, Sendable, Equatable {
    /// The process.
    public var pid: Int64
    /// Its parent.
    public var ppid: Int64
    /// What is known of its end, as it is stored.
    public var fate: String
    /// The exit code.
    public var exitCode: Int?
    /// The signal that ended it.
    public var signal: Int?
    /// The signal's name.
    public var signalName: String?
    /// Whether it left a core file.
    public var coreDumped: Bool
    /// How long `fork` took in the parent, nanoseconds.
    public var forkNs: Int64?
    /// From the call of `fork` to the child's first instruction, nanoseconds.
    public var startNs: Int64?
    /// From its first instruction to its own last word, nanoseconds; nil where it had none.
    public var lifeNs: Int64?
    /// It was a zombie for at least so long, nanoseconds.
    public var zombieAtLeastNs: Int64?
    /// It was a zombie for at most so long, nanoseconds.
    public var zombieAtMostNs: Int64?
    /// Whether it was waited for.
    public var isReaped: Bool
    /// CPU time in user mode, microseconds.
    public var userCPUUs: Int64?
    /// CPU time in the kernel, microseconds.
    public var systemCPUUs: Int64?
    /// The largest resident size, KiB.
    public var maxRSSKib: Int64?
    /// The resident size that it inherited at fork, KiB.
    public var baselineRSSKib: Int64?
    /// Page faults without I/O.
    public var minorFaults: Int64?
    /// Page faults with I/O.
    public var majorFaults: Int64?
    /// Context switches because it waited.
    public var voluntarySwitches: Int64?
    /// Context switches because its time was up.
    public var involuntarySwitches: Int64?
}

extension ChildDetail {
    static func find(_ db: Database, _ connectionID: Int64) throws -> ChildDetail? {
        let sql = """
            SELECT pid, ppid, fate, exit_code, term_signal, core_dumped,
                forked_ns - fork_started_ns, started_ns - fork_started_ns, exiting_ns - started_ns,
                max(0, reaped_ns - sigchld_ns), max(0, reaped_ns - exiting_ns),
                reaped_ns IS NOT NULL, user_cpu_us, system_cpu_us, max_rss_kib, baseline_rss_kib,
                minor_faults, major_faults, voluntary_switches, involuntary_switches
            FROM child WHERE connection_id = ?
            """
        return try Row.fetchOne(db, sql: sql, arguments: [connectionID]).map { row in
            let signal = row.intIfAny(4).map { Int(clamping: $0) }
            return ChildDetail(
                pid: row.int(0),
                ppid: row.int(1),
                fate: row.text(2),
                exitCode: row.intIfAny(3).map { Int(clamping: $0) },
                signal: signal,
                signalName: signal.map { Signal(Int32(clamping: $0)).name },
                coreDumped: row.int(5) != 0,
                forkNs: row.intIfAny(6),
                startNs: row.intIfAny(7),
                lifeNs: row.intIfAny(8),
                zombieAtLeastNs: row.intIfAny(9),
                zombieAtMostNs: row.intIfAny(10),
                isReaped: row.int(11) != 0,
                userCPUUs: row.intIfAny(12),
                systemCPUUs: row.intIfAny(13),
                maxRSSKib: row.intIfAny(14),
                baselineRSSKib: row.intIfAny(15),
                minorFaults: row.intIfAny(16),
                majorFaults: row.intIfAny(17),
                voluntarySwitches: row.intIfAny(18),
                involuntarySwitches: row.intIfAny(19)
            )
        }
    }
}
