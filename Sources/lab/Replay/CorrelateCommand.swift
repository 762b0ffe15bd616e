// `lab correlate`: what the clients of a session sent back of what they had been answered.

import ArgumentParser
import LabExchange
import LabReplayer
import LabSession

/// `lab correlate`.
struct CorrelateCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "correlate",
        abstract: "Print the rules by which a replay sends live cookies and tokens.",
        discussion: """
            A rule is a cookie that an answer set and a later request of the same session sent, or a \
            token (eight bytes or more that look random) that stands in an answer and is sent later: \
            in a header, the query, a form, JSON or the path. Each comes with the exchanges that show \
            it. The rules are JSON on standard output: edit them, and give them back with \
            lab replay --correlate FILE.
            """
    )

    @Argument(help: "The session to read.") var session = "session.db"

    @Option(
        help: ArgumentHelp(
            "Which captured connections make a session, as of lab replay: connection, client, client:T or cookie:NAME.",
            valueName: "rule"
        )
    )
    var sessions = SessionRule.connection

    func run() throws {
        let exchanges = try SessionReader(session).capturedExchanges(withAnswerHeads: true)
        let rules = CorrelationRules.found(in: CapturedExchange.sessions(exchanges, by: sessions))
        var results = Results()
        try results.write(rules.json)
        try results.finish()
        if rules.count == 0 {
            complain("'\(session)' shows no value that was answered and sent later.")
        }
    }
}
