// What a comparison is given, round after round.

/// Who answered.
public enum Arm: String, Sendable, CaseIterable, Hashable {
    /// The old build.
    case baseline
    /// The new build.
    case candidate
    /// The old build once more: what differs here is noise.
    case control
}

/// A request of the session, as a comparison knows it.
public struct ComparedRequest: Sendable, Equatable {
    /// Its row in `exchange`.
    public var id: Int64
    /// Its method and route, such as `GET /items/{id}`.
    public var route: String

    /// Makes a request.
    public init(id: Int64, route: String) {
        self.id = id
        self.route = route
    }
}

/// An answer, and how long it took.
public struct TimedAnswer: Sendable, Equatable {
    /// The answer.
    public var answer: ObservedAnswer
    /// From the first byte sent to the last one received, nanoseconds.
    public var serviceNs: Double

    /// Makes an answer.
    public init(_ answer: ObservedAnswer, serviceNs: Double) {
        self.answer = answer
        self.serviceNs = serviceNs
    }
}

/// What a server's processes cost while it answered one arm of one round.
public struct ServerCost: Sendable, Equatable {
    /// CPU time of the whole process tree, microseconds.
    public var cpuUs: Double
    /// The most resident memory of the tree at one moment, KiB.
    public var residentKib: Double
    /// Page faults that took no disk.
    public var minorFaults: Int
    /// Page faults for which something was read from a disk.
    public var majorFaults: Int
    /// The most open descriptors.
    public var descriptors: Int
    /// The most threads.
    public var threads: Int
    /// Zombies that stood when all was answered.
    public var zombies: Int
    /// Processes that outlived their parent.
    public var orphans: Int
    /// How the server ended by itself, such as `SIGSEGV` or `exit code 1`; nil where it was told to.
    public var death: String?

    /// Makes costs.
    public init(
        cpuUs: Double = 0,
        residentKib: Double = 0,
        minorFaults: Int = 0,
        majorFaults: Int = 0,
        descriptors: Int = 0,
        threads: Int = 0,
        zombies: Int = 0,
        orphans: Int = 0,
        death: String? = nil
    ) {
        self.cpuUs = cpuUs
        self.residentKib = residentKib
        self.minorFaults = minorFaults
        self.majorFaults = majorFaults
        self.descriptors = descriptors
        self.threads = threads
        self.zombies = zombies
        self.orphans = orphans
        self.death = death
    }
}

/// What one arm of one round gave.
public struct ArmRecord: Sendable, Equatable {
    /// The answers by request; a request that was not sent, or that nobody was left to answer, is
    /// not in it.
    public var answers: [Int64: TimedAnswer]
    /// What it cost; nil where the server is not watched.
    public var cost: ServerCost?

    /// Makes a record.
    public init(answers: [Int64: TimedAnswer], cost: ServerCost? = nil) {
        self.answers = answers
        self.cost = cost
    }
}

/// One round: the same requests at each arm.
public struct ComparedRound: Sendable, Equatable {
    /// In which order the arms were run.
    public var order: [Arm]
    /// What each gave; the control may be absent.
    public var arms: [Arm: ArmRecord]

    /// Makes a round.
    public init(order: [Arm], arms: [Arm: ArmRecord]) {
        self.order = order
        self.arms = arms
    }
}
