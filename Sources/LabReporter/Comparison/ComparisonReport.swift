// A comparison with what a reader needs beside it: which builds, which session, how to see it again.

public import LabComparer

/// A comparison, to be told.
public struct ComparisonReport: Sendable {
    /// What it came to.
    public var comparison: Comparison
    /// The session's path.
    public var session: String
    /// The old build: its command, URL or run.
    public var baseline: String
    /// The new build.
    public var candidate: String
    /// How many requests each arm of a round was sent.
    public var requests: Int
    /// Connections at once.
    public var concurrency: Int
    /// The practical threshold, a share.
    public var threshold: Double
    /// How often identical builds may be called a regression, a share.
    public var alpha: Double
    /// A command that sends a request again, by exchange.
    public var curls: [Int64: String]
    /// The rules: what each names, and why.
    public var rules: [Rule]
    /// What was left out, a sentence each.
    public var leftOut: [String]

    /// Makes a report.
    public init(
        _ comparison: Comparison,
        session: String,
        baseline: String,
        candidate: String,
        requests: Int,
        concurrency: Int,
        threshold: Double,
        alpha: Double,
        curls: [Int64: String] = [:],
        rules: [Rule] = [],
        leftOut: [String] = []
    ) {
        self.comparison = comparison
        self.session = session
        self.baseline = baseline
        self.candidate = candidate
        self.requests = requests
        self.concurrency = concurrency
        self.threshold = threshold
        self.alpha = alpha
        self.curls = curls
        self.rules = rules
        self.leftOut = leftOut
    }

    /// The verdict in words.
    var title: String {
        switch comparison.verdict {
        case .pass: "PASS: nothing regressed"
        case .regression: "REGRESSION"
        case .failed: "FAILED: it could not be done"
        case .inconclusive: "INCONCLUSIVE: it can't be told"
        case .nothing: "NOTHING to compare"
        }
    }

    /// How many rounds there were, and how many answers were compared.
    var extent: String {
        let (compared, expected) = comparison.coverage
        return
            Quantity.rounds(comparison.orders.count, ofRequests: requests, concurrency)
            + ", \(compared) of \(expected) pairs compared, seed \(comparison.seed)"
    }

    /// Findings of these states.
    func findings(_ states: FindingState...) -> [ContentFinding] {
        comparison.findings.filter { states.contains($0.state) }
    }

    /// About the smallest slowdown that would have been found on each route, the least sensitive
    /// route first.
    var detectable: (route: String, share: Double)? {
        comparison.shifts
            .compactMap { shift in
                guard shift.measure == .latency, let estimate = shift.estimate else { return nil }
                return (shift.route ?? "", estimate.detectable)
            }
            .max { $0.1 < $1.1 }
            // With so few rounds nothing could have been found, and that is told as a reason.
            .flatMap { $0.1.isFinite ? $0 : nil }
    }

    /// Places where the old build's answers differ in what there is, and not only in what it says.
    var unstableStructure: [ContentFinding] {
        comparison.findings.filter { $0.controlCount > 0 && $0.key.kind.isStructural }
    }
}

/// A size of what was measured.
enum Level {
    static func words(_ value: Double, _ measure: Measure) -> String {
        switch measure {
        case .latency: Quantity.duration(Int64(value))
        case .cpu: Quantity.duration(Int64(value * 1000))
        case .memory: Quantity.bytes(Int64(value) * 1024)
        case .minorFaults, .majorFaults: Quantity.count(Int64(value))
        }
    }
}
