// What a single run tells of the processes that it watched.

/// The processes of a server while a session was replayed: `watched` of a run's totals.
struct WatchedWords: Encodable {
    /// The process from which all others of the tree descend.
    var pid: Int32
    /// How it was started; nil for one that ran already.
    var command: String?
    /// CPU time of all, seconds; the kernel counts it in hundredths.
    var cpuS: Double
    var minorFaults: Int
    var majorFaults: Int
    var rssMaxKib: Int
    /// nil where the system does not show the descriptors of all to this user.
    var descriptorsMax: Int?
    var threadsMax: Int
    var processesMax: Int
    /// At one moment, those that were to be reaped soon among them.
    var zombiesMax: Int
    /// That stood when all was answered.
    var zombiesLeft: Int
    /// Processes that outlived their parent.
    var orphans: Int
    /// How the first process ended; nil where it still ran.
    var death: String?
}
