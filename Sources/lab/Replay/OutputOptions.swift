// How `lab replay` prints what came of it.

import ArgumentParser
import Histogram
import LabReplayer
import LabReporter
import LabSession

/// A form of results on standard output.
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

    /// The form to print.
    var format: OutputFormat { chosen ?? (json ? .json : .text) }

    func validate() throws {
        guard !json || chosen == nil || chosen == .json else {
            throw ValidationError("--json and --format \(format.rawValue) contradict each other.")
        }
    }
}

extension OutputOptions {
    /// Prints what a replay came to.
    func tell(
        _ words: ReplayWords,
        _ summary: ReplaySummary,
        ofRun run: Int64,
        in session: String
    ) throws {
        var results = Results()
        switch format {
        case .text:
            let detail = try SessionReader(session).run("\(run)")
            try results.write(RunReport(detail, style: Results.style).text)
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
