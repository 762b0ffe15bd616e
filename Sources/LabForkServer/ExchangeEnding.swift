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
}

extension Deviation {
    /// What the message did, against which section, and where.
    var sentence: String {
        "the message \(rule.sentence) (\(rule.section), byte \(offset))"
    }
}
