// The rounds of a self-check: three arms of the old build, in random order, until all is settled.

import LabComparer

/// Runs rounds until each planted fault is found, or can't be.
final class SelfCheckLoop {
    private let runner: ArmRunner
    private var check: SelfCheck
    private let settings: ComparisonSettings
    private let judging: JudgingOptions
    private var random: SeededGenerator
    private let progress = CompareProgressLine()

    /// Makes a loop whose runner sends to the old build, whichever the arm.
    init(
        runner: ArmRunner,
        check: SelfCheck,
        settings: ComparisonSettings,
        judging: JudgingOptions
    ) {
        self.runner = runner
        self.check = check
        self.settings = settings
        self.judging = judging
        random = SeededGenerator(seed: settings.seed)
    }

    /// All rounds, and what they come to.
    func run() throws -> SelfCheckResult {
        defer { progress.clear() }
        var last = 0
        for (look, count) in settings.looks.rounds.enumerated() {
            last = look
            while check.rounds < count { try runRound() }
            let ids = check.unconfirmed
            if judging.confirm > 0, !ids.isEmpty {
                check.confirm(try runner.sendAgain(ids, times: judging.confirm, progress))
            }
            if !result(look).wantsMore { break }
        }
        return result(last)
    }

    private func result(_ look: Int) -> SelfCheckResult {
        check.judge(look: look, passesInconclusive: judging.inconclusive == .pass)
    }

    private func runRound() throws {
        let order = Arm.allCases.shuffled(using: &random)
        var arms: [Arm: ArmRecord] = [:]
        for arm in order {
            progress.show(round: check.rounds + 1, of: settings.looks.rounds, arm: arm)
            arms[arm] = try runner.run(arm)
        }
        check.add(ComparedRound(order: order, arms: arms))
    }
}
