// One replay in detail, as text: `lab report --run RUN`.

public import LabSession

/// One replay in detail, as text.
public struct RunReport: Sendable {
    let detail: ReplayRunDetail
    let style: Style

    /// Makes the report of a run.
    public init(_ detail: ReplayRunDetail, style: Style) {
        self.detail = detail
        self.style = style
    }

    /// The report, ending in a line end.
    public var text: String {
        let run = detail.run
        let label = run.label.map { " (\(SafeText.line($0)))" } ?? ""
        var sections = [
            [
                style.bold("Replay \(run.id)\(label)") + " of "
                    + SafeText.line(Instant.plain(run.startedAt)),
                "  target         \(SafeText.line(run.target))",
            ] + loadLines + [
                "  duration       \(Quantity.duration(run.durationNs)), "
                    + (run.endReason.map { "ended: \(SafeText.line($0))" } ?? "no end yet"),
                "  requests       \(Quantity.count(run.requests)), \(Quantity.rate(run.rate))",
                "  errors         " + painted(run.errors),
                "  differ         " + painted(run.mismatches) + " from what was captured",
            ],
            latency, slowestRoutes, watched,
        ]
        if !detail.keepsResults { sections.append(reasons) }
        sections.append(mismatches("Answered otherwise than captured", detail.mismatches))
        sections.append(mismatches("Not answered in full", detail.failures))
        if detail.mismatches.isEmpty, detail.failures.isEmpty, run.mismatches == 0, run.errors == 0
        {
            sections.append([style.good("Every answer is the captured one.")])
        }
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
            .joined(separator: "\n\n") + "\n"
    }

    /// A reason in words: `body:/a` is "content differs at /a".
    static func words(_ reason: String) -> String {
        let parts = reason.split(separator: ":", maxSplits: 1).map { String($0) }
        let detail = parts.count > 1 ? SafeText.cut(SafeText.line(parts[1]), to: 40) : nil
        return switch parts.first {
        case "status": "status differs"
        case "header": "header differs" + (detail.map { ": \($0)" } ?? "")
        case "body": "content differs" + (detail.map { " at \($0)" } ?? "")
        case "outcome": "was not answered then"
        default: "differs"
        }
    }

    private func painted(_ count: Int) -> String {
        count > 0 ? style.bad(Quantity.count(count)) : "0"
    }

    /// All that is known of differences where no result was kept.
    private var reasons: [String] {
        let note = style.dim("  results were not kept (--store none): routes are not known")
        guard !detail.reasons.isEmpty else { return [note] }
        var table = Table([.text("why"), .number("count")])
        for one in detail.reasons.prefix(20) {
            let words = one.reason == "outcome" ? "not answered as then" : Self.words(one.reason)
            table.add([Table.Cell(words), Table.Cell(Quantity.count(one.count))])
        }
        return [style.bold("Differences")] + table.lines(style) + [note]
    }

    private func mismatches(_ title: String, _ found: [MismatchReport]) -> [String] {
        guard !found.isEmpty else { return [] }
        var table = Table([
            .text("route"), .number("captured"), .number("replayed"), .number("count"),
            .text("what"), .text("for example"),
        ])
        for one in found.prefix(20) {
            let name = SafeText.cut(SafeText.line("\(one.method) \(one.route)"), to: 40)
            let what =
                one.outcome == "ok" ? Self.words(one.reason ?? "") : SafeText.line(one.outcome)
            table.add([
                Table.Cell(name), Table.Cell(one.capturedStatus.map { "\($0)" } ?? Quantity.none),
                Table.Cell(one.replayedStatus.map { "\($0)" } ?? Quantity.none, .bad),
                Table.Cell(Quantity.count(one.count)), Table.Cell(what),
                Table.Cell("lab show \(one.exampleID) --run \(detail.run.id)", .aside),
            ])
        }
        return [style.bold(title)] + table.lines(style)
    }
}
