// How `lab replay` prints what came of it.

import ArgumentParser
import Glibc
import Histogram
import LabReplayer
import LabReporter
import LabSession

/// A form of results.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    /// For people.
    case text
    /// One object.
    case json
    /// A line per request.
    case csv
    /// The spectrum of percentiles, as HdrHistogram's plotters read it.
    case hdr
}

/// The options that choose one.
struct OutputOptions: ParsableArguments {
    @Option(
        name: .customLong("format"),
        help: ArgumentHelp(
            "Print text, json, csv (a line per request) or hdr (the spectrum of percentiles).",
            valueName: "form"
        )
    )
    var chosen: OutputFormat?

    @Flag(help: "Print one JSON object: short for --format json.")
    var json = false

    @Option(
        name: [.customShort("o"), .customLong("output")],
        help: ArgumentHelp(
            "Write what would be printed into this file, anew; - is standard output.",
            valueName: "file"
        )
    )
    var file: String?

    /// The form to print.
    var format: OutputFormat { chosen ?? (json ? .json : .text) }

    func validate() throws {
        guard !json || chosen == nil || chosen == .json else {
            throw ValidationError("--json and --format \(format.rawValue) contradict each other.")
        }
    }
}

extension OutputOptions {
    private var isFile: Bool { file != nil && file != "-" }

    /// Colours are for terminals.
    var style: Style { isFile ? .plain : Results.style }

    /// Opens what the results go to: before anything is sent, so that an hour's replay does not end with
    /// a file that can't be written.
    ///
    /// - Throws: ``Failure`` where it can't be, or is a session, which is never overwritten.
    func open() throws -> Results {
        guard let file, isFile else { return Results() }
        guard !Self.isDatabase(file) else {
            throw Failure(
                "Will not overwrite '\(file)': it is a session or another database. --output is for the "
                    + "report; the answers go into the session that is replayed. Name another file."
            )
        }
        let descriptor = Glibc.open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw Failure("Cannot write '\(file)': \(String(cString: strerror(errno))).")
        }
        return Results(descriptor: descriptor, path: file)
    }

    /// Whether a file begins as SQLite's do (its file format, 1.3); a pipe is not looked into.
    private static func isDatabase(_ path: String) -> Bool {
        var facts = stat()
        guard stat(path, &facts) == 0, facts.st_mode & S_IFMT == S_IFREG else { return false }
        let descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        let mark = Array("SQLite format 3\0".utf8)
        var start = [UInt8](repeating: 0, count: mark.count)
        return read(descriptor, &start, start.count) == start.count && start == mark
    }

    /// Tells what a replay came to.
    func tell(
        _ words: ReplayWords,
        _ summary: ReplaySummary,
        ofRun run: Int64,
        in session: String,
        to results: inout Results
    ) throws {
        switch format {
        case .text:
            let detail = try SessionReader(session).run("\(run)")
            try results.write(RunReport(detail, style: style).text)
        case .json: try results.write(words.json + "\n")
        case .csv:
            var csv = ResultCSV()
            try results.write(ResultCSV.header)
            try SessionReader(session).forEachResult(ofRun: run) { result in
                try results.write(csv.line(result))
            }
        case .hdr:
            var spectrum = ""
            // Milliseconds, as the plotters label them.
            summary.histogram.outputPercentileDistribution(
                to: &spectrum,
                outputValueUnitScalingRatio: 1e6
            )
            try results.write(spectrum)
        }
        try results.finish()
    }
}
