// How an exchange ends.

import LabExchange
import LabWire

/// How an exchange ended, and what that means for the connection.
struct ExchangeEnding {
    let outcome: ExchangeOutcome
    let error: String
    let goesOn: Bool
    let mustLinger: Bool

    init(_ outcome: ExchangeOutcome, error: String = "", goesOn: Bool, mustLinger: Bool = false) {
        self.outcome = outcome
        self.error = error
        self.goesOn = goesOn
        self.mustLinger = mustLinger
    }

    /// The end of an exchange whose answer the client did not take to its end.
    static func unsent(to client: ClientConnection, stallNs: Int64) -> ExchangeEnding {
        ExchangeEnding(
            .clientClosed,
            error: client.hasStalled
                ? "timeout: the client took nothing for \(durationText(stallNs))"
                : "the client closed before it had the whole answer",
            goesOn: false
        )
    }
}

extension Deviation {
    /// What the message did, against which section, and where.
    var sentence: String {
        "the message \(rule.sentence) (\(rule.section), byte \(offset))"
    }
}

/// A time limit in words, such as `300 ms` or `1.5 s`.
func durationText(_ nanoseconds: Int64) -> String {
    let milliseconds = nanoseconds / 1_000_000
    return milliseconds < 1000 ? "\(milliseconds) ms" : "\(Double(milliseconds) / 1000) s"
}
