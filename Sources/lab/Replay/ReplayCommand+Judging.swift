// What a replay came to, as an exit code.

import LabReplayer
import LabWire

extension ReplayCommand {
    func judge(_ summary: ReplaySummary, _ target: Authority) throws {
        if summary.wasInterrupted { throw ExitNow(ExitStatus.interrupted) }
        if summary.targetNeverAnswered {
            throw Failure(
                "The target http://\(target.text) never answered: \(ReplayWords.outcomes(summary)). "
                    + "Check that it runs and that --target names it."
            )
        }
        if summary.abandoned > 0 {
            throw Failure(
                "\(summary.abandoned) requests have no result: they were under way when "
                    + "--graceful-stop was over. The figures are not to be trusted; raise it.",
                code: ExitStatus.untrusted
            )
        }
        if summary.requests > 0, summary.ok == 0 {
            throw Failure(
                "Every request failed: \(ReplayWords.outcomes(summary)).",
                code: ExitStatus.bad
            )
        }
    }

    /// A condition that cannot be judged is not one that passed: it outranks those that hold.
    func judge(
        _ verdicts: [FailCondition.Verdict],
        matching summary: ReplaySummary
    ) throws {
        var code: Int32 = 0
        if checking.match != nil, summary.mismatches > 0 {
            complain(
                "\(summary.mismatches) of \(summary.requests) answers are not the captured ones: "
                    + "\(ReplayWords.mismatches(summary))."
            )
            code = ExitStatus.bad
        }
        for verdict in verdicts {
            switch verdict {
            case .passes: break
            case .fails(let sentence):
                complain(sentence)
                if code == 0 { code = ExitStatus.bad }
            case .cannotTell(let sentence):
                complain(sentence)
                code = ExitStatus.untrusted
            }
        }
        if code != 0 { throw ExitNow(code) }
    }
}
