// All that is known of one route.

import LabExchange

/// The counts and times of one route.
struct RouteTally {
    let route: String
    /// How many requests of it the session has.
    var requests = 0
    /// How many answers of baseline and candidate were held against each other.
    private(set) var pairs = 0
    /// How many there should have been.
    private(set) var expected = 0
    private(set) var keys: [DifferenceKey: KeyTally] = [:]
    private(set) var times = RouteTimes()

    init(route: String) { self.route = route }

    /// Takes one request's answers of one round.
    mutating func add(
        _ request: ComparedRequest,
        round: Int,
        baseline: TimedAnswer?,
        candidate: TimedAnswer?,
        control: TimedAnswer?,
        rules: EndpointRules,
        ruleUse: inout [Int: Int]
    ) {
        expected += 1
        guard let baseline else { return }
        if let candidate {
            pairs += 1
            add(.candidate, baseline, candidate, round, request.id, rules, &ruleUse)
            times.add(.candidate, baseline, candidate, round: round)
        }
        if let control {
            add(.control, baseline, control, round, request.id, rules, &ruleUse)
            times.add(.control, baseline, control, round: round)
        }
    }

    private mutating func add(
        _ arm: Arm,
        _ baseline: TimedAnswer,
        _ other: TimedAnswer,
        _ round: Int,
        _ exchangeID: Int64,
        _ rules: EndpointRules,
        _ ruleUse: inout [Int: Int]
    ) {
        let list = AnswerComparison.differences(baseline.answer, other.answer, rules: rules)
        for number in list.usedRules { ruleUse[number, default: 0] += 1 }
        for difference in list.differences {
            keys[difference.key, default: KeyTally(difference)]
                .add(difference, arm: arm, round: round, exchangeID: exchangeID)
        }
    }

    /// The server's errors of several routes, as if they were one.
    static func errors(of routes: some Sequence<RouteTally>, named name: String) -> RouteTally {
        var all = RouteTally(route: name)
        for route in routes.sorted(by: { $0.route < $1.route }) {
            all.requests += route.requests
            all.pairs += route.pairs
            all.expected += route.expected
            for (key, tally) in route.keys
            where key.place == "outcome" || key.place == "status" && tally.isServerError {
                if var known = all.keys[key] {
                    known.merge(tally)
                    all.keys[key] = known
                } else {
                    all.keys[key] = tally
                    all.keys[key]?.confirmation = .notReproduced
                }
            }
        }
        return all
    }

    mutating func confirm(_ key: DifferenceKey, _ confirmation: Confirmation) {
        keys[key]?.confirmation = confirmation
    }
}

/// The times of one route, by round.
struct RouteTimes {
    /// By round: `ln(candidate / baseline)` of each pair.
    private(set) var shifts: [[Double]] = []
    /// By round: `ln(control / baseline)` of each pair.
    private(set) var controls: [[Double]] = []
    /// By round: the baseline's times, ns.
    private(set) var before: [[Double]] = []
    /// By round: the candidate's times, ns.
    private(set) var after: [[Double]] = []
    /// Pairs of baseline and candidate, whether or not both were answered alike.
    private(set) var seen = 0
    /// Those that were, and so can be timed against each other.
    private(set) var usable = 0

    /// Takes a pair; what was answered with another status did other work, and is left out.
    mutating func add(_ arm: Arm, _ baseline: TimedAnswer, _ other: TimedAnswer, round: Int) {
        let isAlike =
            baseline.answer.outcome == .ok && other.answer.outcome == .ok
            && baseline.answer.status == other.answer.status
        if arm == .candidate {
            seen += 1
            guard isAlike else { return }
            usable += 1
            Self.append(logRatio(other.serviceNs, baseline.serviceNs), to: &shifts, round)
            Self.append(baseline.serviceNs, to: &before, round)
            Self.append(other.serviceNs, to: &after, round)
        } else if isAlike {
            Self.append(logRatio(other.serviceNs, baseline.serviceNs), to: &controls, round)
        }
    }

    /// Takes all of another route, so that both are judged as one.
    mutating func merge(_ other: RouteTimes) {
        seen += other.seen
        usable += other.usable
        Self.merge(other.shifts, into: &shifts)
        Self.merge(other.controls, into: &controls)
        Self.merge(other.before, into: &before)
        Self.merge(other.after, into: &after)
    }

    private static func append(_ value: Double, to rounds: inout [[Double]], _ round: Int) {
        while rounds.count < round { rounds.append([]) }
        rounds[round - 1].append(value)
    }

    private static func merge(_ other: [[Double]], into rounds: inout [[Double]]) {
        while rounds.count < other.count { rounds.append([]) }
        for (round, values) in other.enumerated() { rounds[round] += values }
    }
}
