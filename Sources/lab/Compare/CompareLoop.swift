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
        let ids = Set(open.flatMap(\.exchangeIDs))
        comparer.confirm(try runner.sendAgain(ids, times: confirmations, progress))
    }
}

extension ArmRunner {
    /// Sends some requests to both builds again, each alone, so many times.
    func sendAgain(
        _ ids: Set<Int64>,
        times: Int,
        _ progress: CompareProgressLine
    ) throws -> [SentAgain] {
        try (0..<times).map { index in
            progress.show(confirmation: index + 1, of: times)
            return SentAgain(
                baseline: try sendAlone(ids.sorted(), to: .baseline),
                candidate: try sendAlone(ids.sorted(), to: .candidate)
            )
        }
    }
}
