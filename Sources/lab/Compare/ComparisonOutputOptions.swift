// Where a comparison is told: on the terminal, and in files for programs and people.

import ArgumentParser
import LabReporter

/// The options of output; several may be given at once.
struct ComparisonOutputOptions: ParsableArguments {
    @Flag(help: "Print one JSON object instead of text; --json=FILE writes it to a file.")
    var json = false

    /// `--json=FILE`: the parser knows no option whose value may be left out.
    @Option(help: .hidden)
    var jsonFile: String?

    @Option(help: ArgumentHelp("Write JUnit XML, for CI systems.", valueName: "file"))
    var junit: String?

    @Option(help: ArgumentHelp("Write Markdown, for the summary of a CI job.", valueName: "file"))
    var markdown: String?

    @Option(help: ArgumentHelp("Write one HTML page.", valueName: "file"))
    var html: String?

    /// `--json=FILE` as what the parser knows.
    static func spelledOut(_ arguments: [String]) -> [String] {
        guard arguments.first == "compare" else { return arguments }
        return arguments.flatMap { word in
            word.hasPrefix("--json=") ? ["--json-file", String(word.dropFirst(7))] : [word]
        }
    }

    /// Whether nothing else was asked for.
    var isTextOrJSON: Bool { junit == nil && markdown == nil && html == nil }

    /// Writes what a self-check came to.
    func write(_ report: SelfCheckReport) throws {
        var results = Results()
        try results.write(json ? try report.json : report.text(style: Results.style))
        try results.finish()
        if let jsonFile { try writeFile(Array(try report.json.utf8), to: jsonFile) }
    }

    /// Writes all that was asked for.
    func write(_ report: ComparisonReport, showsText: Bool) throws {
        var results = Results()
        if json {
            try results.write(try ComparisonJSON.text(report))
        } else if showsText {
            try results.write(ComparisonText(report, style: Results.style).text)
        }
        try results.finish()
        if let jsonFile { try writeFile(Array(try ComparisonJSON.text(report).utf8), to: jsonFile) }
        if let junit { try writeFile(Array(ComparisonJUnit.text(report).utf8), to: junit) }
        if let markdown { try writeFile(Array(ComparisonMarkdown.text(report).utf8), to: markdown) }
        if let html { try writeFile(Array(ComparisonHTML.text(report).utf8), to: html) }
    }
}
