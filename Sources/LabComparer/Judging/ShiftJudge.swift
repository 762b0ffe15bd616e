// Times and costs by round -> verdicts, all asked at once.

import RealModule

/// Judges latencies and costs.
struct ShiftJudge {
    private(set) var findings: [ShiftFinding] = []
    private(set) var reasons: [Reason] = []
    private(set) var doubts: [Reason] = []
    private let settings: ComparisonSettings
    private let alpha: Double
    private let tellsTails: Bool

    /// What routes with few requests are called together.
    static let others = "other routes"
    /// Of the pairs of a route so many must be answered alike, or it can't be timed.
    private static let leastUsable = 0.95

    /// One thing that is measured each round.
    private struct Series {
        var measure: Measure
        var route: String?
        var shifts: [Double]
        var controls: [Double]
        var levels: (baseline: Double, candidate: Double)
        /// What was added to both sides before they were divided.
        var floor = 0.0
        var share: Double
        var least: Double
        var times: RouteTimes?
    }

    /// The routes that are judged on their own, and the rest together.
    static func groups(
        _ routes: [String: RouteTally],
        _ settings: ComparisonSettings
    ) -> [(name: String, times: RouteTimes)] {
        let sorted = routes.values.sorted { $0.route < $1.route }
        var groups = sorted.filter { $0.requests >= settings.leastRequests }
            .map { ($0.route, $0.times) }
        let rare = sorted.filter { $0.requests < settings.leastRequests }
        if rare.count == 1 {
            groups.append((rare[0].route, rare[0].times))
        } else if !rare.isEmpty {
            var times = RouteTimes()
            rare.forEach { times.merge($0.times) }
            groups.append((others, times))
        }
        return groups
    }

    init(
        routes: [String: RouteTally],
        costs: CostTally,
        alpha: Double,
        settings: ComparisonSettings,
        tellsTails: Bool
    ) {
        self.alpha = alpha
        self.tellsTails = tellsTails
        self.settings = settings
        var series = Self.groups(routes, settings).map { Self.series($0.name, $0.times, settings) }
        series += Self.costSeries(costs, settings)
        let estimates = series.map { one in
            ShiftEstimate(
                shifts: one.shifts,
                controls: one.controls,
                level: one.levels.baseline + one.floor,
                threshold: ShiftThreshold(
                    share: one.share,
                    least: one.least,
                    misrate: 2 * alpha
                )
            )
        }
        let ps = Multiplicity.adjusted(estimates.map { $0?.p ?? 1 })
        for (index, one) in series.enumerated() { judge(one, estimates[index], ps[index]) }
    }

    private static func series(
        _ route: String,
        _ times: RouteTimes,
        _ settings: ComparisonSettings
    ) -> Series {
        Series(
            measure: .latency,
            route: route,
            shifts: times.shifts.compactMap { Center.median($0) },
            controls: times.controls.compactMap { Center.median($0) },
            levels: (
                Center.median(times.before.flatMap { $0 }) ?? 0,
                Center.median(times.after.flatMap { $0 }) ?? 0
            ),
            share: settings.threshold,
            least: settings.leastNs,
            times: times
        )
    }

    private static func costSeries(
        _ costs: CostTally,
        _ settings: ComparisonSettings
    ) -> [Series] {
        let rounds = costs.watched
        guard !rounds.isEmpty else { return [] }
        return Measure.costs.map { measure in
            let least = settings.least(of: measure)
            // A count may be none, and a few are nothing: what does not count is added to both.
            let floor = measure.isCount ? least : 0
            func value(_ cost: ServerCost) -> Double { measure.value(of: cost) }
            func ratio(_ cost: ServerCost, _ baseline: ServerCost) -> Double {
                logRatio(value(cost) + floor, value(baseline) + floor)
            }
            return Series(
                measure: measure,
                route: nil,
                shifts: rounds.map { ratio($0.candidate, $0.baseline) },
                controls: rounds.map { ratio($0.control, $0.baseline) },
                levels: (
                    Center.median(rounds.map { value($0.baseline) }) ?? 0,
                    Center.median(rounds.map { value($0.candidate) }) ?? 0
                ),
                floor: floor,
                share: settings.threshold(of: measure),
                least: least,
                times: nil
            )
        }
    }

    private mutating func judge(_ series: Series, _ estimate: ShiftEstimate?, _ p: Double) {
        var verdict = estimate?.verdict(adjustedP: p, alpha: alpha) ?? .incomparable
        if let times = series.times,
            Double(times.usable) < Self.leastUsable * Double(times.seen) || times.usable == 0
        {
            verdict = .incomparable
        }
        var finding = ShiftFinding(
            measure: series.measure,
            route: series.route,
            estimate: estimate,
            verdict: verdict,
            p: p,
            pairs: series.times?.usable ?? 0,
            levels: series.levels
        )
        if tellsTails, let times = series.times { addTails(times, to: &finding) }
        findings.append(finding)
        switch verdict {
        case .regressed: reasons.append(reason(finding, "value"))
        case .inconclusive, .unstable, .incomparable: doubts.append(reason(finding, "inconclusive"))
        case .improved, .equivalent: break
        }
    }

    /// The tails, which tell and do not gate.
    private func addTails(_ times: RouteTimes, to finding: inout ShiftFinding) {
        let names = [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99)]
        // Bounds cost a sort per resample: they are drawn where that is quick.
        let resamples = min(2000, 2_000_000 / max(1, times.usable))
        guard resamples >= 50 else { return }
        let bounds = ClusterBootstrap.shifts(
            before: times.before,
            after: times.after,
            shares: names.map(\.1),
            seed: settings.seed,
            resamples: resamples
        )
        for (name, bounds) in zip(names, bounds) {
            if let bounds { finding.tails.append((name.0, bounds)) }
        }
        finding.delta = CliffDelta(
            after: times.after.flatMap { $0 },
            before: times.before.flatMap { $0 }
        )
    }

    private func reason(_ finding: ShiftFinding, _ severity: String) -> Reason {
        let name = finding.measure.words
        let kind = finding.measure.kind
        guard let estimate = finding.estimate else {
            return Reason(
                kind: kind,
                route: finding.route,
                what: "\(name) can't be compared",
                severity: severity,
                evidence: "No request was answered alike by both builds."
            )
        }
        let bounds = estimate.bounds
        let confidence = Words.percent(1 - 2 * alpha)
        var evidence =
            "\(Words.change(bounds.center)), \(confidence) bounds "
            + "\(Words.change(bounds.lower)) to \(Words.change(bounds.upper)), "
            + "threshold \(Words.percent(settings.threshold(of: finding.measure))), \(estimate.shifts.count) rounds, "
            + "p = \(Words.p(finding.p))"
        if let control = estimate.control {
            evidence +=
                "; the baseline against itself \(Words.change(control.lower)) to "
                + Words.change(control.upper)
        }
        let what: String
        switch finding.verdict {
        case .regressed: what = "\(name) \(Words.change(bounds.center))"
        case .unstable:
            what = "\(name) is unstable: the baseline differs from itself"
        case .incomparable:
            what = "\(name) can't be compared: too few requests were answered alike"
        default:
            what = "\(name) is inconclusive"
            if let rounds = estimate.roundsNeeded {
                evidence += "; about \(rounds) rounds would tell"
            }
        }
        return Reason(
            kind: kind,
            route: finding.route,
            what: what,
            severity: severity,
            evidence: evidence + "."
        )
    }
}
