// What a comparison is told.

/// What a reason for a verdict is about.
public enum ReasonKind: String, Sendable, CaseIterable, Hashable {
    /// What was answered.
    case content
    /// That it was not answered, or with a server's error.
    case errors
    /// How long answers took.
    case latency
    /// CPU time.
    case cpu
    /// Resident memory, and page faults.
    case memory
    /// The server's processes: deaths, zombies, orphans.
    case process
}

/// How a comparison judges.
public struct ComparisonSettings: Sendable, Equatable {
    /// The practical threshold, a share: a change that is smaller is none.
    public var threshold = 0.05
    /// The least change of a latency that counts, nanoseconds.
    public var leastNs = 0.5e6
    /// The least change of an arm's CPU time that counts, microseconds: two ticks of the kernel.
    public var leastCPUUs = 20_000.0
    /// The least change of resident memory that counts, KiB.
    public var leastResidentKib = 4096.0
    /// The practical threshold for page faults, a share: the kernel maps pages ahead, and an allocator
    /// gives memory back when it likes, so that they move more than CPU time does.
    public var faultThreshold = 0.2
    /// The least change of an arm's minor page faults that counts: 4 MiB of pages, as for memory.
    public var leastMinorFaults = 1024.0
    /// The least change of an arm's major page faults that counts: what is read again of a file whose
    /// pages the kernel had dropped comes in bursts, and is the machine's doing.
    public var leastMajorFaults = 256.0
    /// How often a comparison of identical builds may be called a regression of latency or cost, at most.
    public var alpha = 0.05
    /// The same for findings that rest on how often something differs.
    public var contentAlpha = 0.01
    /// The least share of requests that must be answered by both builds.
    public var leastCoverage = 0.95
    /// The least share of a route's answers by which a noisy place must differ more often.
    public var leastExcess = 0.01
    /// When it looks at what it has.
    public var looks = Looks(first: 10, most: 40)
    /// What can turn a comparison into a regression.
    public var failsOn = Set(ReasonKind.allCases)
    /// Routes with fewer requests per round are judged together.
    public var leastRequests = 5
    /// Whether the answers are those of stored replays, one after the other: nothing can be sent
    /// again, and times prove nothing.
    public var isStored = false
    /// Whether what a client does not know yet counts, too.
    public var isStrict = false
    /// What makes the order of arms, and the bootstrap, repeatable.
    public var seed: UInt64 = 1

    /// Makes settings with defaults.
    public init() {}
}
