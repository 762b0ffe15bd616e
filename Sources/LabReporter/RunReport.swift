// One replay in detail, as text: `lab report --run RUN`.

public import LabSession

/// One replay in detail, as text.
public struct RunReport: Sendable {
    private let detail: ReplayRunDetail
    private let style: Style

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
                "  concurrency    \(Quantity.count(run.concurrency)), pacing \(SafeText.line(run.pacing))",
                "  duration       \(Quantity.duration(run.durationNs)), "
                    + (run.endReason.map { "ended: \(SafeText.line($0))" } ?? "no end yet"),
                "  requests       \(Quantity.count(run.requests)), \(Quantity.rate(run.rate))",
                "  errors         " + painted(run.errors),
                "  differ         " + painted(run.mismatches) + " from what was captured",
            ],
            latency,
        ]
        sections.append(mismatches("Answered otherwise than captured", detail.mismatches))
        sections.append(mismatches("Not answered in full", detail.failures))
        if detail.mismatches.isEmpty, detail.failures.isEmpty, run.mismatches == 0, run.errors == 0
        {
            sections.append([style.good("Every answer is the captured one.")])
        }
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
            .joined(separator: "\n\n") + "\n"
    }

    private func painted(_ count: Int) -> String {
        count > 0 ? style.bad(Quantity.count(count)) : "0"
    }

    private var latency: [String] {
        let series =
            detail.series.isEmpty && detail.run.latencyNs.count > 0
            ? [HistogramSeries(name: "service", valuesNs: detail.run.latencyNs)] : detail.series
        guard !series.isEmpty else { return [] }
        var table = Table([
            .text("series"), .number("count"), .number("p50"), .number("p90"), .number("p99"),
            .number("p99.9"), .number("max"),
        ])
        for one in series {
            let spread = one.valuesNs
            let values = [spread.p50, spread.p90, spread.p99, spread.p999, spread.max]
            table.add(
                [Table.Cell(SafeText.line(one.name)), Table.Cell(Quantity.count(spread.count))]
                    + values.map { Table.Cell(Quantity.duration($0)) }
            )
        }
        var lines = [style.bold("Latency")] + table.lines(style)
        if detail.run.pacing == "asap" {
            lines.append(
                style.dim(
                    "  closed loop, concurrency \(detail.run.concurrency): "
                        + "coordinated omission is not corrected"
                )
            )
        }
        return lines
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
                one.outcome != "ok"
                ? SafeText.line(one.outcome)
                : one.onlyContentDiffers ? "content differs" : "status differs"
            table.add([
                Table.Cell(name), Table.Cell(one.capturedStatus.map { "\($0)" } ?? Quantity.none),
                Table.Cell(one.replayedStatus.map { "\($0)" } ?? Quantity.none, .bad),
                Table.Cell(Quantity.count(one.count)), Table.Cell(what),
                Table.Cell("lab show \(one.exampleID)", .aside),
            ])
        }
        return [style.bold(title)] + table.lines(style)
    }
}
