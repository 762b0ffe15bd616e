// What the servers cost by round, and how their processes fared.

/// The costs of all rounds.
struct CostTally {
    /// The costs of one round's arms.
    struct Round {
        var baseline: ServerCost
        var candidate: ServerCost
        var control: ServerCost
    }

    private var rounds: [Round] = []

    mutating func add(_ baseline: ServerCost?, _ candidate: ServerCost?, _ control: ServerCost?) {
        guard let baseline, let candidate, let control else { return }
        rounds.append(Round(baseline: baseline, candidate: candidate, control: control))
    }

    /// Rounds in which all three servers lived to the end: what died early cost less.
    var watched: [Round] {
        rounds.filter {
            $0.baseline.death == nil && $0.candidate.death == nil && $0.control.death == nil
        }
    }

    /// What the processes left behind, counted.
    func findings(alpha: Double) -> [ProcessFinding] {
        guard !rounds.isEmpty else { return [] }
        let counts: [(String, (ServerCost) -> Int)] = [
            ("deaths", { $0.death == nil ? 0 : 1 }),
            // Who is left when a server died is left by its death, which is told.
            ("zombies", { $0.death == nil ? $0.zombies : 0 }),
            ("orphans", { $0.death == nil ? $0.orphans : 0 }),
        ]
        return counts.map { what, count in
            var sums: [Arm: Int] = [.baseline: 0, .candidate: 0, .control: 0]
            var (more, less) = (0, 0)
            for round in rounds {
                let (one, two) = (count(round.baseline), count(round.control))
                let new = count(round.candidate)
                sums[.baseline, default: 0] += one
                sums[.candidate, default: 0] += new
                sums[.control, default: 0] += two
                if new > max(one, two) { more += 1 } else if new < max(one, two) { less += 1 }
            }
            let most = max(sums[.baseline] ?? 0, sums[.control] ?? 0)
            // Where the old build never does it, twice is enough; else it must be so by the round.
            let isMore = (sums[.candidate] ?? 0) > most
            let isSure =
                most == 0 ? more >= 2 : SignTest.oneSidedP(heads: more, tails: less) <= alpha
            let ends = rounds.compactMap(\.candidate.death)
            return ProcessFinding(
                what: what,
                counts: sums,
                roundsMore: more,
                details: what == "deaths" ? Set(ends).sorted() : [],
                isRegression: isMore && isSure
            )
        }
    }

    static func reasons(_ findings: [ProcessFinding]) -> [Reason] {
        findings.filter(\.isRegression).map { reason($0, "breaking") }
    }

    /// Once is too rare to tell, and too grave to pass over.
    static func doubts(_ findings: [ProcessFinding]) -> [Reason] {
        findings.filter { finding in
            let most = max(finding.counts[.baseline] ?? 0, finding.counts[.control] ?? 0)
            return !finding.isRegression && most == 0 && (finding.counts[.candidate] ?? 0) > 0
        }
        .map { reason($0, "inconclusive") }
    }

    private static func reason(_ finding: ProcessFinding, _ severity: String) -> Reason {
        let count = finding.counts[.candidate] ?? 0
        let others = "\(finding.counts[.baseline] ?? 0) and \(finding.counts[.control] ?? 0)"
        let what: String
        switch finding.what {
        case "deaths":
            what =
                "the server died while it was tested (\(finding.details.joined(separator: ", ")))"
        case "zombies": what = "\(count) zombies were left standing"
        default: what = "\(count) processes outlived their parent"
        }
        return Reason(
            kind: .process,
            route: nil,
            what: what,
            severity: severity,
            evidence:
                "\(count) in all rounds, in \(finding.roundsMore) rounds more than both of the "
                + "baseline's arms, which had \(others)."
        )
    }
}
