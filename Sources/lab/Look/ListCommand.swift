// `lab list`: the exchanges of a session, a line each, as they are read.

import ArgumentParser
import LabReporter
import LabSession

/// `lab list`.
struct ListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the exchanges of a session, a line each.",
        discussion: """
            EXPR is a SQL condition, such as "status >= 500", "total_ms > 100 AND method = 'POST'" or \
            "term_signal IS NOT NULL". Its columns are: \(ExpressionError.columns.joined(separator: ", ")); and \
            with --run mismatch, such as "mismatch LIKE 'header:%'".
            """
    )

    @Argument(help: "The session to read.") var session = "session.db"
    @Option(
        name: .customLong("where"),
        help: ArgumentHelp("Only the exchanges of which this is true.", valueName: "expr")
    )
    var condition: String?
    @Option(
        name: .customLong("run"),
        help: ArgumentHelp(
            "Only the exchanges that this replay was answered otherwise for, and why; with --where all "
                + "of which that is true.",
            valueName: "run"
        )
    )
    var runName: String?
    @Flag(help: "A JSON object per line instead of text.") var json = false

    func run() throws {
        let reader = try SessionReader(session)
        var results = Results()
        let list = ExchangeList(width: Results.width, style: Results.style)
        var count = 0
        do {
            try reader.forEachExchange(where: condition, run: runName) { exchange in
                // With the first line and not before, so that a bad expression prints no titles.
                if count == 0, !json { try results.write(list.header) }
                count += 1
                try results.write(json ? JSONReport.line(exchange) : list.line(exchange))
            }
        } catch let error as ExpressionError {
            throw Failure(error.description, code: ExitCode.validationFailure.rawValue)
        }
        try results.finish()
        if count == 0, !json {
            let those =
                condition != nil
                ? "holds no exchange of which that is true"
                : runName == nil
                    ? "holds no exchanges"
                    : "holds no exchange that was answered otherwise in that run"
            complain("'\(session)' \(those).")
        }
    }
}
