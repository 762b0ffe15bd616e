// The target's processes while a session was replayed, of the run's summary.

internal import GRDB

/// What was seen of the target's processes during one replay (`lab replay --watch`, `--spawn`).
public struct ReplayRunWatched: Codable, Sendable, Equatable {
    /// The process from which the others descend.
    public var pid: Int
    /// How it was started; nil for one that ran already.
    public var command: String?
    /// CPU time of all, seconds.
    public var cpuS: Double
    /// Page faults that took no disk.
    public var minorFaults: Int
    /// Page faults for which something was read from a disk.
    public var majorFaults: Int
    /// The most resident memory of all at one moment, KiB.
    public var rssMaxKib: Int
    /// The most open descriptors; nil where they could not be seen.
    public var descriptorsMax: Int?
    /// The most threads.
    public var threadsMax: Int
    /// The most processes, zombies left out.
    public var processesMax: Int
    /// The most zombies at one moment.
    public var zombiesMax: Int
    /// Zombies that stood when all was answered.
    public var zombiesLeft: Int
    /// Processes that outlived their parent.
    public var orphans: Int
    /// How the first process ended meanwhile; nil where it did not.
    public var death: String?
}

extension ReplayRunWatched {
    /// What was watched during a run; nil where nothing was.
    static func find(_ db: Database, run: Int64) throws -> ReplayRunWatched? {
        let columns = [
            "pid", "command", "cpu_s", "minor_faults", "major_faults", "rss_max_kib",
            "descriptors_max", "threads_max", "processes_max", "zombies_max", "zombies_left",
            "orphans", "death",
        ].map { "json_extract(t, '$.watched.\($0)')" }
        let sql = """
            SELECT \(columns.joined(separator: ", ")) FROM (
                SELECT CASE WHEN json_valid(summary) THEN summary END AS t
                FROM replay_run WHERE id = ?)
            """
        guard let row = try Row.fetchOne(db, sql: sql, arguments: [run]),
            let pid = row.intIfAny(0)
        else { return nil }
        func count(_ column: Int) -> Int { row.intIfAny(column).map { Int(clamping: $0) } ?? 0 }
        return ReplayRunWatched(
            pid: Int(clamping: pid),
            command: row.textIfAny(1),
            cpuS: row.doubleIfAny(2) ?? 0,
            minorFaults: count(3),
            majorFaults: count(4),
            rssMaxKib: count(5),
            descriptorsMax: row.intIfAny(6).map { Int(clamping: $0) },
            threadsMax: count(7),
            processesMax: count(8),
            zombiesMax: count(9),
            zombiesLeft: count(10),
            orphans: count(11),
            death: row.textIfAny(12)
        )
    }
}
