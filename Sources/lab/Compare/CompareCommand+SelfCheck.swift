// lab compare --self-check: the old build against itself, and against itself with faults in it.

import LabComparer
import LabReporter
import LabSession

extension CompareCommand {
    /// Plants faults, shows which are found, and ends with the code that says so.
    func checkItself() throws {
        let result =
            builds.runs.isEmpty ? try checkWithBuilds() : try checkWithRuns()
        try output.write(result)
        let code = result.result.verdict.exitCode
        if code != 0 { throw ExitNow(code) }
    }

    private func checkWithBuilds() throws -> SelfCheckReport {
        let rules = try rules()
        let selection = try sending.select(from: session)
        let settings = judging.settings(seed: sending.seed)
        let interruption = Interruption()
        let watch = SignalWatch { _ in interruption.come() }
        var targets = try builds.targets()
        targets[.candidate] = targets[.baseline]
        let requests = requests(selection.exchanges)
        let check = SelfCheck(requests: requests, settings: settings, rules: rules)
        let notes = notes(questions: check.questions, settings)
        let loop = SelfCheckLoop(
            runner: try runner(selection, targets, interruption),
            check: check,
            settings: settings,
            judging: judging
        )
        let result = try withExtendedLifetime(watch) { try loop.run() }
        return report(result, notes: selection.leftOut + notes, requests: requests.count)
    }

    /// The old build's run stands for the new one's; a second run of it where there is one.
    private func checkWithRuns() throws -> SelfCheckReport {
        let reader = try SessionReader(session)
        let requests = requests(try reader.capturedExchanges())
        let runs = try StoredRuns(
            reader,
            baseline: builds.runs[0],
            candidate: builds.controlRun ?? builds.runs[0],
            control: builds.controlRun
        )
        var check = SelfCheck(requests: requests, settings: storedSettings, rules: try rules())
        try check.plan { body in
            try runs.forEachRequest(readsAll: true) { body($0, $1, $2, $3) }
        }
        check.beginRound(order: runs.arms)
        try runs.forEachRequest(readsAll: true) {
            check.add($0, baseline: $1, candidate: $2, control: $3)
        }
        let result = check.judge(look: 0, passesInconclusive: judging.inconclusive == .pass)
        let notes =
            builds.controlRun == nil
            ? ["Without --control-run a value that differs can't be told from noise."] : []
        return report(result, notes: notes, requests: requests.count)
    }

    private func report(
        _ result: SelfCheckResult,
        notes: [String],
        requests: Int
    ) -> SelfCheckReport {
        SelfCheckReport(
            result,
            session: session,
            baseline: builds.baseline,
            requests: requests,
            concurrency: sending.concurrency,
            notes: notes
        )
    }
}
