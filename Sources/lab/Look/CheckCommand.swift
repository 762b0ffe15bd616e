// `lab check`: whether a session is whole and its accounts add up.

import ArgumentParser
import LabReporter
import LabSession

/// `lab check`.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Check that a session's file is sound and that nothing was lost.",
        discussion: """
            Reads the whole file. Accepted connections must be recorded or failed, forked children \
            reaped, living or unknown, and no exchange without an end. Exits with 0 where all is well \
            and with 1 where it is not.
            """
    )

    @Argument(help: "The session to check.") var session = "session.db"
    @Flag(help: "One JSON object instead of text.") var json = false

    func run() throws {
        let check = try SessionReader(session).check()
        var results = Results()
        try results.write(
            json ? JSONReport.text(check) : CheckReport(check, style: Results.style).text
        )
        try results.finish()
        if !check.isGood { throw ExitNow(ExitStatus.bad) }
    }
}
