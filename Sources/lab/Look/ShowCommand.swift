// `lab show`: one exchange, whole.

import ArgumentParser
import LabReporter
import LabSession

/// `lab show`.
struct ShowCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Show one exchange: request, answer, environ, and the child that served it.",
        usage: "lab show [<session>] <id> [--run <run>] [--curl | --raw | --environ | --json]"
    )

    /// How the exchange is shown.
    enum Form: String, EnumerableFlag {
        case curl, raw, environ, json

        static func help(for value: Form) -> ArgumentHelp? {
            switch value {
            case .curl: "The command that sends the request again."
            case .raw: "The bytes of request and answer, as they are stored."
            case .environ:
                "What the application was told, a name a line; \\xNN is one byte, as %b of bash's printf reads it."
            case .json: "One JSON object."
            }
        }
    }

    // An optional argument before a required one is beyond the parser: both are taken as words.
    @Argument(
        help: ArgumentHelp(
            "The session to read (default: session.db), and the exchange's number.",
            valueName: "session> <id"
        )
    )
    var words: [String]
    @Flag(exclusivity: .exclusive) var form: Form?
    @Option(
        name: .customLong("run"),
        help: ArgumentHelp(
            "Show how a replay was answered too, by its number or label, and mark what differs.",
            valueName: "run"
        )
    )
    var runName: String?

    private var session: String { words.count > 1 ? words[0] : "session.db" }

    private var id: Int64? {
        guard let number = words.last.flatMap({ Int64($0) }), number > 0 else { return nil }
        return number
    }

    func validate() throws {
        guard runName == nil || form == nil || form == .json else {
            throw ValidationError(
                "--run goes with the text and with --json, not with --curl, --raw or --environ."
            )
        }
        guard words.count <= 2 else {
            throw ValidationError(
                "Give one session and one number, such as: lab show session.db 5."
            )
        }
        guard id != nil else {
            throw ValidationError(
                "'\(words.last ?? "")' is not the number of an exchange. 'lab list' shows the numbers "
                    + "there are."
            )
        }
    }

    func run() throws {
        guard let id else { return }
        let reader = try SessionReader(session)
        let detail = try reader.exchange(id)
        let replayed = try runName.map { try reader.replayed(id, in: $0) }
        var results = Results()
        switch form {
        case nil:
            try results.write(ExchangeTranscript(detail, style: Results.style).text)
            if let replayed {
                let transcript = ReplayTranscript(detail, replayed, style: Results.style)
                try results.write("\n" + transcript.text)
            }
        case .json:
            try results.write(JSONReport.text(detail, replayed))
        case .raw:
            RawExchange.remarks(detail).forEach(complain)
            try results.write(RawExchange.bytes(detail))
        case .environ:
            if detail.environ.isEmpty {
                complain("Exchange \(id) has no environ: its head was refused.")
            }
            try results.write(EnvironListing.text(detail))
        case .curl:
            let curl = CurlCommand(detail)
            curl.remarks.forEach(complain)
            try results.write(curl.command + "\n")
        }
        try results.finish()
    }
}
