// What a comparison comes to: the verdict and its reasons first, then all that is known.

/// The answer.
public enum Verdict: String, Sendable, CaseIterable {
    /// Enough was compared, and nothing regressed.
    case pass
    /// The candidate does worse, for the reasons given.
    case regression
    /// It could not be done.
    case failed
    /// It can't be told: too few rounds, a restless machine, too little answered.
    case inconclusive
    /// There is nothing to compare.
    case nothing

    /// The exit code that says so.
    public var exitCode: Int32 {
        switch self {
        case .pass: 0
        case .regression: 1
        case .failed: 2
        case .inconclusive: 3
        case .nothing: 4
        }
    }
}

/// One reason for a verdict.
public struct Reason: Sendable, Equatable {
    /// What it is about.
    public var kind: ReasonKind
    /// The route that it concerns; nil for the server as a whole.
    public var route: String?
    /// What is so, in a few words.
    public var what: String
    /// How grave it is: a severity of a difference, or `inconclusive`.
    public var severity: String
    /// What it rests on: counts, bounds, rounds.
    public var evidence: String

    /// Makes a reason.
    public init(
        kind: ReasonKind,
        route: String?,
        what: String,
        severity: String,
        evidence: String
    ) {
        self.kind = kind
        self.route = route
        self.what = what
        self.severity = severity
        self.evidence = evidence
    }
}

/// What became of a place where answers differ.
public enum FindingState: String, Sendable, CaseIterable {
    /// The candidate answers otherwise, and it counts.
    case regression
    /// The candidate answers otherwise, in a way that does not count.
    case change
    /// It may be so; it is too rare to tell.
    case doubtful
    /// The old build differs from itself as much.
    case noise
}

/// A place of a route where answers differ.
public struct ContentFinding: Sendable, Equatable {
    /// The route, such as `GET /items/{id}`.
    public var route: String
    /// Where and in what way.
    public var key: DifferenceKey
    /// How much it matters.
    public var severity: Severity
    /// What became of it.
    public var state: FindingState
    /// How many of the candidate's answers differ from the baseline's.
    public var candidateCount: Int
    /// How many of the control's do.
    public var controlCount: Int
    /// How many pairs of answers were compared on this route.
    public var pairs: Int
    /// The chance of it, were the builds the same, adjusted for all that was asked.
    public var p: Double
    /// What re-sending has shown.
    public var confirmation: Confirmation
    /// Up to five answers.
    public var examples: [DifferenceExample]

    /// Whether it is an error of the server, and not another answer.
    public var isError: Bool {
        key.kind == .outcome
            || key.kind == .status && examples.contains { ($0.after.first ?? "0") == "5" }
    }

    /// What names it: `GET /items/{id} :: body.price :: value`.
    public var id: String { "\(route) :: \(key.place) :: \(key.kind.rawValue)" }
}

/// The latency of one route, or a cost of the whole server.
public struct ShiftFinding: Sendable, Equatable {
    /// What was measured.
    public var measure: Measure
    /// The route; nil for the server as a whole.
    public var route: String?
    /// What is known; nil where nothing could be measured.
    public var estimate: ShiftEstimate?
    /// What it comes to.
    public var verdict: ShiftVerdict
    /// ``ShiftEstimate/p`` adjusted for all that was asked.
    public var p: Double
    /// How many pairs of requests it rests on; 0 for a cost.
    public var pairs: Int
    /// The typical size, baseline and candidate: ns, µs, KiB, or a count.
    public var levels: (baseline: Double, candidate: Double)
    /// The shift of quantiles by name, where enough lies beyond them.
    public var tails: [(name: String, bounds: Bounds)] = []
    /// How often the candidate is slower.
    public var delta: CliffDelta?

    /// Whether all is equal.
    public static func == (left: Self, right: Self) -> Bool {
        left.measure == right.measure && left.route == right.route && left.verdict == right.verdict
            && left.estimate == right.estimate && left.p == right.p && left.pairs == right.pairs
    }
}

/// The counts of the server's processes, over all rounds.
public struct ProcessFinding: Sendable, Equatable {
    /// What is counted: `zombies`, `orphans`, `deaths`.
    public var what: String
    /// By arm, the sum over rounds.
    public var counts: [Arm: Int]
    /// In how many rounds the candidate had more than both baselines.
    public var roundsMore: Int
    /// How the servers ended, each way once.
    public var details: [String]
    /// Whether it counts.
    public var isRegression: Bool
}

/// All that a comparison comes to.
public struct Comparison: Sendable {
    /// The answer.
    public var verdict: Verdict
    /// Why; for a pass empty.
    public var reasons: [Reason]
    /// Whether more rounds would settle something that was seen and may be nothing.
    public var wantsMore = false
    /// Places where answers differ, the gravest first.
    public var findings: [ContentFinding]
    /// Latencies by route, then costs.
    public var shifts: [ShiftFinding]
    /// The server's processes.
    public var processes: [ProcessFinding]
    /// In which order the arms of each round were run.
    public var orders: [[Arm]]
    /// Pairs of answers that were compared, and that there should have been.
    public var coverage: (compared: Int, expected: Int)
    /// How often each rule decided, in the order of the rules.
    public var ruleUse: [Int]
    /// What was settled before the run, and what is to be known of it, a sentence each.
    public var notes: [String]
    /// What makes it repeatable.
    public var seed: UInt64

    /// A comparison that could not be done.
    public static func failed(_ reason: Reason, seed: UInt64) -> Comparison {
        Comparison(
            verdict: .failed,
            reasons: [reason],
            findings: [],
            shifts: [],
            processes: [],
            orders: [],
            coverage: (0, 0),
            ruleUse: [],
            notes: [],
            seed: seed
        )
    }
}
