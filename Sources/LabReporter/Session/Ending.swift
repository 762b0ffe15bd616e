// How processes and exchanges ended, in words.

import LabExchange
import LabSession

/// How processes and exchanges ended, in words.
enum Ending {
    /// What a child did: `died of SIGSEGV`.
    static func verb(_ death: DeathReport) -> String {
        verb(fate: death.fate, exitCode: death.exitCode, signalName: death.signalName)
    }

    /// What a child did: `died of SIGSEGV`.
    static func verb(fate: String, exitCode: Int?, signalName: String?) -> String {
        switch (ChildFate(rawValue: fate), signalName, exitCode) {
        case (.timedOut, let signal, _):
            "passed its deadline and was killed" + (signal.map { " by \($0)" } ?? "")
        case (_, let signal?, _): "died of \(signal)"
        case (_, _, let code?): "exited with code \(code) without a last word"
        default: "ended"
        }
    }

    /// An end as the row of a table.
    static func title(_ exit: ExitCount) -> String {
        let fate = ChildFate(rawValue: exit.fate)
        let word =
            switch fate {
            case .running: "lives"
            case .exited: "exited with code \(exit.exitCode.map { "\($0)" } ?? "?")"
            case .signalled: "died of \(exit.signalName ?? "a signal")"
            case .timedOut: "passed its deadline, killed by \(exit.signalName ?? "a signal")"
            case .unreaped: "ended, and nobody waited for it"
            case .unknown: "end not seen"
            case nil: SafeText.line(exit.fate)
            }
        return exit.signal != nil && fate != .exited ? word + " (\(exit.signal ?? 0))" : word
    }

    /// Whether a child ended as a child should.
    static func isGood(_ exit: ExitCount) -> Bool {
        exit.fate == "running" || (exit.fate == "exited" && exit.exitCode == 0)
    }

    /// How an exchange ended, and why; a stored sentence that says both stands alone.
    static func words(outcome: String?, error: String?) -> String {
        let words = words(outcome: outcome)
        guard let error else { return words }
        let saysBoth =
            switch outcome.flatMap({ ExchangeOutcome(rawValue: $0) }) {
            case .appError: error.hasPrefix("the application ")
            case .childDied: true
            default: false
            }
        return saysBoth ? SafeText.line(error) : "\(words): \(SafeText.line(error))"
    }

    /// How an exchange ended, as stored and in words.
    static func words(outcome: String?) -> String {
        guard let outcome else { return "no end yet" }
        return switch ExchangeOutcome(rawValue: outcome) {
        case .ok: "answered in full"
        case .badRequest: "refused: it broke a rule"
        case .clientClosed: "the client went away"
        case .upstreamRefused: "nobody listened at the upstream"
        case .upstreamFailed: "the upstream's answer was no HTTP, or ended early"
        case .upstreamTimeout: "the upstream did not answer in time"
        case .appError: "the application failed"
        case .childDied: "the child died while serving it"
        case .truncated: "ended inside its content"
        case .tunnel: "became a tunnel"
        case nil: SafeText.line(outcome)
        }
    }
}
