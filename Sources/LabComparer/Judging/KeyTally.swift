// How often answers differ at one place, in one way: between the builds, and within the old one.

/// An answer that differs.
public struct DifferenceExample: Sendable, Equatable {
    /// The request.
    public var exchangeID: Int64
    /// The round, from 1.
    public var round: Int
    /// What the baseline answered there.
    public var before: String
    /// What the other one answered there.
    public var after: String
}

/// What re-sending its examples has shown of a difference.
public enum Confirmation: String, Sendable, CaseIterable {
    /// Sent again alone it differs each time, and the baseline agrees with itself.
    case reproducible
    /// Sent again alone it does not differ each time.
    case notReproduced = "not_reproduced"
    /// It was not sent again.
    case untried
}

/// The counts of one place and kind on one route.
struct KeyTally {
    /// Where and in what way.
    let key: DifferenceKey
    var severity: Severity
    /// By round: how many answers of the candidate differ from the baseline's.
    private(set) var candidate: [Int] = []
    /// By round: how many answers of the control do.
    private(set) var control: [Int] = []
    /// Up to five answers of the candidate that differ.
    private(set) var examples: [DifferenceExample] = []
    /// Up to five answers of the control that differ.
    private(set) var noise: [DifferenceExample] = []
    var confirmation = Confirmation.untried

    static let mostExamples = 5

    init(_ difference: Difference) {
        key = difference.key
        severity = difference.severity
    }

    /// How many answers of the candidate differ.
    var candidateCount: Int { candidate.reduce(0, +) }
    /// How many answers of the control differ.
    var controlCount: Int { control.reduce(0, +) }
    /// Whether the old build differs from itself here.
    var isNoisy: Bool { controlCount > 0 }

    mutating func add(_ difference: Difference, arm: Arm, round: Int, exchangeID: Int64) {
        let example = DifferenceExample(
            exchangeID: exchangeID,
            round: round,
            before: difference.before,
            after: difference.after
        )
        if arm == .candidate {
            Self.count(&candidate, round)
            severity = min(severity, difference.severity)
            // Of different requests, so that one that can't be had again does not stand for all.
            if examples.count < Self.mostExamples,
                !examples.contains(where: { $0.exchangeID == exchangeID })
            {
                examples.append(example)
            }
        } else {
            Self.count(&control, round)
            if noise.count < Self.mostExamples { noise.append(example) }
        }
    }

    /// Whether what it tells of is a status from 500 up.
    var isServerError: Bool {
        key.kind == .status && (examples + noise).contains { $0.after.hasPrefix("5") }
    }

    /// Takes the counts of the same place of another route.
    mutating func merge(_ other: KeyTally) {
        func sum(_ one: [Int], _ two: [Int]) -> [Int] {
            (0..<max(one.count, two.count)).map { round in
                (round < one.count ? one[round] : 0) + (round < two.count ? two[round] : 0)
            }
        }
        candidate = sum(candidate, other.candidate)
        control = sum(control, other.control)
        examples = Array((examples + other.examples).prefix(Self.mostExamples))
        noise = Array((noise + other.noise).prefix(Self.mostExamples))
    }

    private static func count(_ counts: inout [Int], _ round: Int) {
        while counts.count < round { counts.append(0) }
        counts[round - 1] += 1
    }

    /// In how many rounds the candidate differs more often than the control, and less often.
    func balance(rounds: Int) -> (more: Int, less: Int) {
        var (more, less) = (0, 0)
        for round in 0..<rounds {
            let x = round < candidate.count ? candidate[round] : 0
            let y = round < control.count ? control[round] : 0
            if x > y { more += 1 } else if x < y { less += 1 }
        }
        return (more, less)
    }

    /// The chance of so many rounds in which the candidate differs more often, where it behaves as
    /// the old build does: given the baseline, candidate and control could then be exchanged.
    func p(rounds: Int) -> Double {
        let (more, less) = balance(rounds: rounds)
        return SignTest.oneSidedP(heads: more, tails: less)
    }
}
