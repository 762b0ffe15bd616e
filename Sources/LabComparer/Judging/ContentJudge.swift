// Counts of differences -> findings: what is noise, what is a change, what is too rare to tell.
//
// A place where the old build never differs from itself needs one difference that can be had again.
// A place that is noisy, or a difference that comes and goes, must come in more rounds than the old
// build's own: an exact sign test over rounds, adjusted for all such places.

/// Judges what was answered.
struct ContentJudge {
    private(set) var findings: [ContentFinding] = []
    private(set) var reasons: [Reason] = []
    private(set) var doubts: [Reason] = []
    /// Whether something was seen that more rounds would settle, though it may well be nothing.
    private(set) var wantsMore = false

    /// What errors of all routes together are called.
    static let allRoutes = "all routes"
    /// A chance below which something that is not significant makes the answer inconclusive.
    private static let suspicion = 0.01
    /// A chance below which what the old build never does is looked at for longer: three rounds.
    private static let curiosity = 0.125

    init(
        routes: [String: RouteTally],
        rounds: Int,
        alpha: Double,
        settings: ComparisonSettings,
        hasControl: Bool
    ) {
        var all: [(route: RouteTally, tally: KeyTally, p: Double)] = []
        for route in routes.values.sorted(by: { $0.route < $1.route }) {
            for tally in route.keys.values.sorted(by: { Self.order($0.key, $1.key) }) {
                all.append((route, tally, tally.p(rounds: rounds)))
            }
        }
        // Errors that come now and then on every route are too rare on each.
        let together = RouteTally.errors(of: routes.values, named: Self.allRoutes)
        if routes.count > 1 {
            all += together.keys.values.map { (together, $0, $0.p(rounds: rounds)) }
        }
        // What can be had again needs no test, and what does not gate is not asked.
        let isAsked = all.map { entry in
            entry.tally.candidateCount > 0 && entry.tally.confirmation != .reproducible
                && Self.gates(entry.tally, settings)
        }
        let asked = all.indices.filter { isAsked[$0] }
        var adjusted = all.map(\.p)
        for (place, p) in zip(asked, Multiplicity.adjusted(asked.map { all[$0].p })) {
            adjusted[place] = p
        }
        for (index, entry) in all.enumerated() {
            add(
                entry.route,
                entry.tally,
                rawP: entry.p,
                p: adjusted[index],
                rounds: rounds,
                alpha: alpha,
                settings: settings,
                hasControl: hasControl
            )
        }
        dropTogether(routes)
        findings.sort { ($0.state.rank, $0.severity) < ($1.state.rank, $1.severity) }
    }

    /// What a route has on its own is not told of all routes, too; what is told of all names them.
    private mutating func dropTogether(_ routes: [String: RouteTally]) {
        let named = reasons.filter { $0.kind == .errors && $0.route != Self.allRoutes }
        findings.removeAll { $0.route == Self.allRoutes && $0.state != .regression }
        doubts.removeAll { $0.route == Self.allRoutes }
        guard named.isEmpty else {
            reasons.removeAll { $0.route == Self.allRoutes }
            findings.removeAll { $0.route == Self.allRoutes }
            return
        }
        for index in reasons.indices where reasons[index].route == Self.allRoutes {
            let counts = findings.filter { $0.isError && $0.route != Self.allRoutes }
                .map { "\($0.route) \($0.candidateCount)" }
            reasons[index].evidence += " By route: \(counts.joined(separator: ", "))."
        }
    }

    private static func order(_ left: DifferenceKey, _ right: DifferenceKey) -> Bool {
        (left.place, left.kind.rawValue) < (right.place, right.kind.rawValue)
    }

    private static func gates(_ tally: KeyTally, _ settings: ComparisonSettings) -> Bool {
        tally.severity.gates || settings.isStrict && tally.severity == .additive
    }

    private mutating func add(
        _ route: RouteTally,
        _ tally: KeyTally,
        rawP: Double,
        p: Double,
        rounds: Int,
        alpha: Double,
        settings: ComparisonSettings,
        hasControl: Bool
    ) {
        // The form of a value is told only where the value itself is noise.
        if tally.key.kind == .shape {
            let value = DifferenceKey(place: tally.key.place, kind: .value)
            if let sibling = route.keys[value], !sibling.isNoisy { return }
        }
        let gates = Self.gates(tally, settings)
        let isExcess =
            Double(tally.candidateCount - tally.controlCount)
            >= settings.leastExcess * Double(max(1, route.pairs))
        let isOften = p <= alpha && (!tally.isNoisy || isExcess)
        let isReproducible = !tally.isNoisy && tally.confirmation == .reproducible
        // What is stored can't be sent again: what is structural is taken as it is, and a value where
        // it differs in more answers than chance allows.
        let isPlain =
            (settings.isStored || !hasControl) && !tally.isNoisy
            && (tally.key.kind.isStructural
                || hasControl && SignTest.oneSidedP(heads: tally.candidateCount, tails: 0) <= alpha)
        var state = FindingState.noise
        if tally.candidateCount > 0 {
            if isReproducible || isOften || isPlain {
                state = gates ? .regression : .change
            } else if !tally.isNoisy {
                state = gates ? .doubtful : .change
            } else if rawP <= Self.suspicion, isExcess {
                state = .doubtful
            }
        }
        let finding = ContentFinding(
            route: route.route,
            key: tally.key,
            severity: tally.severity,
            state: state,
            candidateCount: tally.candidateCount,
            controlCount: tally.controlCount,
            pairs: route.pairs,
            p: p,
            confirmation: tally.confirmation,
            examples: tally.candidateCount > 0 ? tally.examples : tally.noise
        )
        findings.append(finding)
        switch state {
        case .regression:
            reasons.append(Self.reason(finding, tally, rounds, isStored: settings.isStored))
        case .doubtful:
            if !tally.isNoisy, rawP <= Self.curiosity { wantsMore = true }
            let mustKnow =
                rawP <= Self.suspicion || !hasControl || tally.confirmation == .untried
            if mustKnow {
                var reason = Self.reason(finding, tally, rounds, isStored: settings.isStored)
                reason.severity = "inconclusive"
                doubts.append(reason)
            }
        case .change, .noise: break
        }
    }

    private static func reason(
        _ finding: ContentFinding,
        _ tally: KeyTally,
        _ rounds: Int,
        isStored: Bool
    ) -> Reason {
        let example = finding.examples.first
        let change = example.map { ": \($0.before) → \($0.after)" } ?? ""
        let counts =
            "\(finding.candidateCount) of \(finding.pairs) answers differ, "
            + "\(finding.controlCount) between the baseline's own"
        let ground: String
        switch finding.confirmation {
        case .reproducible: ground = "reproducible when sent again alone"
        case .untried where isStored: ground = "as stored, and not sent again"
        case .notReproduced, .untried:
            let (more, less) = tally.balance(rounds: rounds)
            ground =
                "by its rate: more often in \(more) of \(rounds) rounds, "
                + "less often in \(less), p = \(Words.p(finding.p))"
        }
        return Reason(
            kind: finding.isError ? .errors : .content,
            route: finding.route,
            what: "\(finding.key.place) \(finding.key.kind.words)\(change)",
            severity: finding.severity.rawValue,
            evidence: "\(counts); \(ground)."
        )
    }
}

extension FindingState {
    /// The order in which findings are told.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}

extension DifferenceKind {
    /// What it is, to stand after a place.
    public var words: String {
        switch self {
        case .outcome: "differs"
        case .status: "differs"
        case .contentType: "differs"
        case .missing: "is missing"
        case .extra: "is new"
        case .type: "is of another type"
        case .nullFlip: "is null on one side"
        case .value: "differs"
        case .length: "has another length"
        case .order: "is in another order"
        case .shape: "has another form"
        case .coding: "is coded otherwise"
        case .reserialized: "is written otherwise"
        }
    }
}
