// A self-check of lab compare, told: a line for each fault, found or not.

public import LabComparer

/// What a self-check came to, with what a reader needs beside it.
public struct SelfCheckReport: Sendable {
    /// What it came to.
    public var result: SelfCheckResult
    private let session: String
    private let baseline: String
    private let requests: Int
    private let concurrency: Int
    private let notes: [String]

    private static let width = 100
    private static let most = 20

    /// Makes a report.
    ///
    /// - Parameters:
    ///   - result: What it came to.
    ///   - session: The session's path.
    ///   - baseline: The old build: its command, URL or run.
    ///   - requests: How many requests each arm of a round was sent.
    ///   - concurrency: Connections at once.
    ///   - notes: What is to be known of it, a sentence each.
    public init(
        _ result: SelfCheckResult,
        session: String,
        baseline: String,
        requests: Int,
        concurrency: Int,
        notes: [String]
    ) {
        self.result = result
        self.session = session
        self.baseline = baseline
        self.requests = requests
        self.concurrency = concurrency
        self.notes = notes
    }

    // MARK: Text

    /// Text for people, ending in a line end.
    public func text(style: Style) -> String {
        var lines = [
            style.paint(title, tone), "  " + controlWords, "", style.bold("Planted faults"),
        ]
        var table = Table([
            .text("fault"), .text("where"), .number("planted"), .text("result"),
            .text("what was said"),
        ])
        for row in result.rows {
            table.add([
                Table.Cell(row.fault),
                Table.Cell(SafeText.cut(SafeText.line(Self.place(row)), to: 40)),
                Table.Cell(row.planted == 0 ? "" : Quantity.count(row.planted)),
                Table.Cell(Self.words(row.state), Self.tone(row.state)),
                Table.Cell(SafeText.cut(SafeText.line(Self.said(row)), to: 60)),
            ])
        }
        lines += table.lines(style)
        for row in result.rows where row.state == .missed || row.state == .inconclusive {
            lines += Paragraph.wrapped(
                "\(row.fault): \(SafeText.line(row.evidence))",
                width: Self.width - 2
            ).map { "  \($0)" }
        }
        if result.control.verdict != .pass, !result.control.reasons.isEmpty {
            lines += ["", style.bold("The old build against itself")]
            for reason in result.control.reasons.prefix(Self.most) {
                let route = reason.route.map { "\(SafeText.line($0))  " } ?? ""
                lines.append("  \(reason.kind.rawValue)  \(route)\(SafeText.line(reason.what))")
                lines += Paragraph.wrapped(SafeText.line(reason.evidence), width: Self.width - 6)
                    .map { "      " + style.dim($0) }
            }
        }
        lines += [
            "", style.bold("Compared"), "  old build  \(SafeText.line(baseline)), in all arms",
        ]
        lines.append("  session    \(SafeText.line(session)), \(extent)")
        for note in notes {
            lines += Paragraph.wrapped(note, width: Self.width - 13).map { "             \($0)" }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    private var title: String {
        let planted = result.planted
        let found = planted.count { $0.state == .found }
        let share =
            "\(found) of \(Quantity.count(planted.count, "planted fault", "planted faults"))"
        return switch result.verdict {
        case .pass: "SELF-CHECK PASSED: found \(share)"
        case .blind: "SELF-CHECK FAILED: found only \(share)"
        case .alarmed:
            "SELF-CHECK FAILED: the old build differs from itself, and is called a regression"
        case .inconclusive: "SELF-CHECK INCONCLUSIVE: found \(share)"
        case .nothing: "SELF-CHECK: NOTHING to compare, or nowhere to plant a fault"
        }
    }

    private var controlWords: String {
        switch result.control.verdict {
        case .pass: "The old build against itself: nothing was named."
        case .regression: "The old build against itself: a false alarm."
        case .inconclusive: "The old build against itself: it can't be told."
        case .nothing, .failed: "The old build against itself: nothing was answered."
        }
    }

    private var tone: Style.Tone {
        switch result.verdict {
        case .pass: .good
        case .blind, .alarmed: .bad
        case .inconclusive, .nothing: .doubtful
        }
    }

    private var extent: String {
        Quantity.rounds(result.control.orders.count, ofRequests: requests, concurrency)
            + ", seed \(result.control.seed)"
    }

    private static func place(_ row: SelfCheckRow) -> String {
        row.route ?? (row.sign.isEmpty ? "" : row.kind == .errors ? "all routes" : "server")
    }

    private static func words(_ state: PlantedState) -> String {
        switch state {
        case .found: "found"
        case .missed: "NOT FOUND"
        case .inconclusive: "not told"
        case .nowhere: "no place"
        case .notAsked: "not asked"
        }
    }

    private static func tone(_ state: PlantedState) -> Style.Tone {
        switch state {
        case .found: .good
        case .missed: .bad
        case .inconclusive: .doubtful
        case .nowhere, .notAsked: .plain
        }
    }

    /// Of what was found its name: what it rests on is in the JSON.
    private static func said(_ row: SelfCheckRow) -> String {
        row.state == .found ? String(row.evidence.prefix { $0 != ":" }) : row.evidence
    }

    // MARK: JSON

    /// One JSON object, ending in a line end.
    ///
    /// - Throws: What the encoder throws: never for these values.
    public var json: String { get throws { try JSONReport.encoded(Whole(self), isPretty: true) } }

    private struct Whole: Encodable {
        struct Row: Encodable {
            var fault: String
            var kind: String
            var route: String?
            var sign: String
            var planted: Int
            var state: String
            var evidence: String
        }

        struct Control: Encodable {
            var verdict: String
            var reasons: [ComparisonJSON.ReasonObject]
        }

        var schemaVersion = ComparisonJSON.schemaVersion
        var verdict: String
        var exitCode: Int32
        var control: Control
        var faults: [Row]
        var rounds: Int
        var seed: UInt64
        var session: String
        var baseline: String
        var requests: Int
        var concurrency: Int
        var notes: [String]

        init(_ report: SelfCheckReport) {
            let result = report.result
            verdict = result.verdict.rawValue
            exitCode = result.verdict.exitCode
            control = Control(
                verdict: result.control.verdict.rawValue,
                reasons: result.control.reasons.map { ComparisonJSON.ReasonObject($0) }
            )
            faults = result.rows.map {
                Row(
                    fault: $0.fault,
                    kind: $0.kind.rawValue,
                    route: $0.route,
                    sign: $0.sign,
                    planted: $0.planted,
                    state: $0.state.rawValue,
                    evidence: $0.evidence
                )
            }
            rounds = result.control.orders.count
            seed = result.control.seed
            session = report.session
            baseline = report.baseline
            requests = report.requests
            concurrency = report.concurrency
            notes = report.notes
        }
    }
}
