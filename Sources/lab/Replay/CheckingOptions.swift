// What `lab replay` compares, and what it keeps of the answers.

import ArgumentParser
import LabExchange
import LabReplayer

/// The options of `lab replay` that concern answers.
struct CheckingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "What must be as captured: status, headers, body, or several with commas. Exits with 1 "
                + "where it is not. Without it status and body are compared, and the exit code is 0.",
            valueName: "parts"
        )
    )
    var match: String?

    @Option(
        help: ArgumentHelp(
            "A header that --match headers does not look at; may be given several times.",
            valueName: "name"
        )
    )
    var ignoreHeader: [String] = []

    @Option(
        help: ArgumentHelp(
            "A place of JSON bodies that may differ, such as /id or /items/*/at (RFC 6901, and * for "
                + "each element or member). JSON is then compared as values. May be given several times.",
            valueName: "pointer"
        )
    )
    var ignoreJson: [String] = []

    @Option(
        help: ArgumentHelp(
            "What is kept: diff (a row for each result, the bodies that are not the captured ones, the "
                + "heads of answers that do not match), all (all heads), none (totals only).",
            valueName: "what"
        )
    )
    var store: Keeping = .differing

    @Option(
        help: ArgumentHelp(
            "Keep so much of a body that is not the captured one.",
            valueName: "size"
        )
    )
    var maxStoredBody = ByteCount(bytes: 1 << 20)

    func validate() throws {
        if let match, Self.parts(match) == nil {
            throw ValidationError(
                "--match does not know '\(match)'. It takes status, headers and body, with commas "
                    + "between them, such as --match status,headers."
            )
        }
        let parts = matching.parts
        if !ignoreHeader.isEmpty, !parts.contains(.headers) {
            throw ValidationError(
                "--ignore-header says which headers are not compared, but none are: add "
                    + "--match status,headers,body."
            )
        }
        if let bad = ignoreHeader.first(where: { !FieldText.isName($0) }) {
            throw ValidationError(
                "--ignore-header takes the name of a field, and '\(bad)' is none."
            )
        }
        if !ignoreJson.isEmpty, !parts.contains(.body) {
            throw ValidationError(
                "--ignore-json says what of bodies is not compared, but they are not: add body to "
                    + "--match."
            )
        }
        if let bad = ignoreJson.first(where: { JSONPointer($0) == nil }) {
            throw ValidationError(
                "--ignore-json takes a JSON pointer, such as /items/*/id, and '\(bad)' is none: it "
                    + "begins with /, and ~ stands before 0 or 1 only."
            )
        }
    }

    /// What it takes to match.
    var matching: Matching {
        var matching = Matching()
        if let parts = match.flatMap({ Self.parts($0) }) { matching.parts = parts }
        matching.ignoredHeaders = Set(ignoreHeader.map { $0.lowercased() })
        matching.ignoredPointers = ignoreJson.compactMap { JSONPointer($0) }
        return matching
    }

    private static func parts(_ text: String) -> Matching.Parts? {
        var parts: Matching.Parts = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            switch word {
            case "status": parts.insert(.status)
            case "headers": parts.insert(.headers)
            case "body": parts.insert(.body)
            default: return nil
            }
        }
        return parts
    }
}
