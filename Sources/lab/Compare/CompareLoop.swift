// The rounds of a comparison: arms in random order, then a look, and on while it can't be told.

import Glibc
import LabComparer

/// Runs rounds until there is an answer.
final class CompareLoop {
    private let runner: ArmRunner
    private var comparer: Comparer
    private let settings: ComparisonSettings
    /// How often examples are sent again.
    private let confirmations: Int
    private var random: SeededGenerator
    private let progress = CompareProgressLine()

    init(
        runner: ArmRunner,
        comparer: Comparer,
        settings: ComparisonSettings,
        confirmations: Int
    ) {
        self.runner = runner
        self.comparer = comparer
        self.settings = settings
        self.confirmations = confirmations
        random = SeededGenerator(seed: settings.seed)
    }

    /// All rounds, and what they come to.
    func run() throws -> Comparison {
        defer { progress.clear() }
        var last = 0
        for (look, count) in settings.looks.rounds.enumerated() {
            last = look
            while comparer.rounds < count { try runRound() }
            try confirm()
            let judged = comparer.judge(look: look, tellsTails: false)
            // Nothing came of ten rounds: more would bring nothing.
            if judged.verdict == .nothing { break }
            if judged.verdict != .inconclusive, !judged.wantsMore { break }
        }
        return comparer.judge(look: last)
    }

    private func runRound() throws {
        let order = Arm.allCases.shuffled(using: &random)
        var arms: [Arm: ArmRecord] = [:]
        for arm in order {
            progress.show(round: comparer.rounds + 1, of: settings.looks.rounds, arm: arm)
            arms[arm] = try runner.run(arm)
        }
        comparer.add(ComparedRound(order: order, arms: arms))
    }

    /// Sends the examples of what the old build never does again, alone and at fresh servers.
    private func confirm() throws {
        let open = comparer.unconfirmed
        guard confirmations > 0, !open.isEmpty else { return }
        let ids = Set(open.flatMap(\.exchangeIDs)).sorted()
        var answers: [(baseline: ArmRunner.Alone, candidate: ArmRunner.Alone)] = []
        for index in 0..<confirmations {
            progress.show(confirmation: index + 1, of: confirmations)
            answers.append(
                (
                    try runner.sendAlone(ids, to: .baseline),
                    try runner.sendAlone(ids, to: .candidate)
                )
            )
        }
        for (route, key, examples) in open {
            let isReproducible = examples.contains { id in
                answers.allSatisfy { differs(route, key, $0.baseline[id], $0.candidate[id]) }
                    && zip(answers, answers.dropFirst()).allSatisfy {
                        !differs(route, key, $0.baseline[id], $1.baseline[id])
                    }
            }
            comparer.confirm(
                route: route,
                key: key,
                isReproducible ? .reproducible : .notReproduced
            )
        }
    }

    private func differs(
        _ route: String,
        _ key: DifferenceKey,
        _ before: ObservedAnswer?,
        _ after: ObservedAnswer?
    ) -> Bool {
        guard let before, let after else { return false }
        return comparer.differences(route: route, before, after).contains { $0.key == key }
    }
}
