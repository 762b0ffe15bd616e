// Two builds, the same requests, round after round -> what differs, and a verdict.
//
//     ComparedRound ──▶ RouteTally ── KeyTally ──▶ ContentJudge ──┐
//     three arms        by route      by place                    ├──▶ Comparison
//                            └─────── RouteTimes ▶ ShiftJudge ────┤
//                       costs ──────────────────▶ ProcessJudge ───┘
//
// The round is the unit of every test: requests of one round share the machine's mood and the
// server's instance, so a thousand of them are not a thousand witnesses.

/// Compares two builds by what they answered.
public struct Comparer: Sendable {
    private let requests: [ComparedRequest]
    private let settings: ComparisonSettings
    private let rules: RuleBook
    private var endpointRules: [String: EndpointRules]
    private var routes: [String: RouteTally] = [:]
    private var costs = CostTally()
    private var orders: [[Arm]] = []
    private var ruleUse: [Int: Int] = [:]
    private var hasControl = true
    /// The request whose answers were given last.
    private var lastID: Int64?
    /// What ended a round early: sentences for the reader.
    public var notes: [String] = []

    /// Makes a comparer.
    ///
    /// - Parameters:
    ///   - requests: What is sent each round, without what only warms up; none where answers are
    ///     given one by one.
    ///   - settings: How it judges.
    ///   - rules: What is known to be no fault.
    public init(requests: [ComparedRequest], settings: ComparisonSettings, rules: RuleBook) {
        self.requests = requests
        self.settings = settings
        self.rules = rules
        for request in requests {
            routes[request.route, default: RouteTally(route: request.route)].requests += 1
        }
        endpointRules = Dictionary(
            uniqueKeysWithValues: routes.keys.map { ($0, rules.rules(for: $0)) }
        )
    }

    /// How many rounds there were.
    public var rounds: Int { orders.count }

    /// How many questions of latency and cost are asked at once.
    public var questions: Int { ShiftJudge.groups(routes, settings).count + Measure.costs.count }

    /// Takes a round.
    public mutating func add(_ round: ComparedRound) {
        orders.append(round.order)
        let (baseline, candidate) = (round.arms[.baseline], round.arms[.candidate])
        let control = round.arms[.control]
        if control == nil { hasControl = false }
        costs.add(baseline?.cost, candidate?.cost, control?.cost)
        for request in requests {
            routes[request.route]?.add(
                request,
                round: orders.count,
                baseline: baseline?.answers[request.id],
                candidate: candidate?.answers[request.id],
                control: control?.answers[request.id],
                rules: endpointRules[request.route] ?? .none,
                ruleUse: &ruleUse
            )
        }
    }

    /// Begins a round whose answers are given one by one.
    public mutating func beginRound(order: [Arm]) {
        orders.append(order)
        if !order.contains(.control) { hasControl = false }
    }

    /// Takes one request's answers of the round that was begun last; nil where there is none.
    ///
    /// Requests make themselves known by it. One that was sent several times comes several times, one
    /// after the other.
    public mutating func add(
        _ request: ComparedRequest,
        baseline: TimedAnswer?,
        candidate: TimedAnswer?,
        control: TimedAnswer?
    ) {
        if endpointRules[request.route] == nil {
            endpointRules[request.route] = rules.rules(for: request.route)
            routes[request.route] = RouteTally(route: request.route)
        }
        if request.id != lastID { routes[request.route]?.requests += 1 }
        lastID = request.id
        routes[request.route]?.add(
            request,
            round: orders.count,
            baseline: baseline,
            candidate: candidate,
            control: control,
            rules: endpointRules[request.route] ?? .none,
            ruleUse: &ruleUse
        )
    }

    /// The differences that are to be sent again: places where the old build never differs from
    /// itself, with the requests that showed them.
    public var unconfirmed: [(route: String, key: DifferenceKey, exchangeIDs: [Int64])] {
        routes.values.sorted { $0.route < $1.route }.flatMap { route in
            route.keys.values
                .filter {
                    !$0.isNoisy && $0.candidateCount > 0 && $0.confirmation == .untried
                        && gates($0.severity)
                }
                .sorted { $0.key.place < $1.key.place }
                .map { (route.route, $0.key, $0.examples.map(\.exchangeID)) }
        }
    }

    /// Takes note of what re-sending has shown.
    public mutating func confirm(
        route: String,
        key: DifferenceKey,
        _ confirmation: Confirmation
    ) {
        routes[route]?.confirm(key, confirmation)
    }

    /// In what two answers to a request of a route differ, rules applied.
    public func differences(
        route: String,
        _ before: ObservedAnswer,
        _ after: ObservedAnswer
    ) -> [Difference] {
        AnswerComparison.differences(before, after, rules: endpointRules[route] ?? .none)
            .differences
    }

    private func gates(_ severity: Severity) -> Bool {
        severity.gates || settings.isStrict && severity == .additive
    }

    /// Judges what there is.
    ///
    /// - Parameters:
    ///   - look: Which look this is, from 0: it says how much of alpha may be spent.
    ///   - tellsTails: Whether the tails are told, which takes time and decides nothing.
    /// - Returns: The comparison. Where it is inconclusive, more rounds may tell.
    public func judge(look: Int, tellsTails: Bool = true) -> Comparison {
        let share = settings.looks.share(at: look)
        let content = ContentJudge(
            routes: routes,
            rounds: rounds,
            alpha: settings.contentAlpha * share,
            settings: settings,
            hasControl: hasControl
        )
        let shifts = ShiftJudge(
            routes: routes,
            costs: costs,
            alpha: settings.alpha * share,
            settings: settings,
            tellsTails: tellsTails
        )
        let processes = costs.findings(alpha: settings.contentAlpha * share)
        let coverage = routes.values.reduce((0, 0)) { ($0.0 + $1.pairs, $0.1 + $1.expected) }

        var reasons = content.reasons + shifts.reasons + CostTally.reasons(processes)
        reasons.removeAll { !settings.failsOn.contains($0.kind) }
        var doubts = content.doubts + shifts.doubts + CostTally.doubts(processes)
        doubts.removeAll { !settings.failsOn.contains($0.kind) }
        doubts += coverageDoubt(coverage)

        for index in reasons.indices where reasons[index].route == ContentJudge.allRoutes {
            reasons[index].route = nil
        }
        var verdict = Verdict.pass
        if coverage.0 == 0, reasons.isEmpty {
            verdict = .nothing
            doubts = [
                Reason(
                    kind: .errors,
                    route: nil,
                    what: "nothing to compare",
                    severity: "inconclusive",
                    evidence: "No request was answered by both builds in \(rounds) rounds."
                )
            ]
        } else if !reasons.isEmpty {
            verdict = .regression
        } else if !doubts.isEmpty {
            verdict = .inconclusive
        }
        return Comparison(
            verdict: verdict,
            reasons: verdict == .regression ? reasons : doubts,
            wantsMore: content.wantsMore && verdict == .pass,
            findings: content.findings,
            shifts: shifts.findings,
            processes: processes,
            orders: orders,
            coverage: (coverage.0, coverage.1),
            ruleUse: rules.rules.indices.map { ruleUse[$0] ?? 0 },
            notes: notes,
            seed: settings.seed
        )
    }

    private func coverageDoubt(_ coverage: (Int, Int)) -> [Reason] {
        let share = coverage.1 == 0 ? 0 : Double(coverage.0) / Double(coverage.1)
        guard share < settings.leastCoverage else { return [] }
        return [
            Reason(
                kind: .errors,
                route: nil,
                what: "too little was compared",
                severity: "inconclusive",
                evidence: "\(coverage.0) of \(coverage.1) requests were sent to both builds; "
                    + "\(Words.percent(settings.leastCoverage)) are needed."
            )
        ]
    }
}
