// The report's section on replays, a line each.

import LabSession

extension TextReport {
    var replays: [String] {
        guard !report.runs.isEmpty else { return [] }
        return ReplayTable.lines(report.runs, style)
            + [style.dim("  One in detail: lab report --run RUN")]
    }
}

/// Replays, a line each.
enum ReplayTable {
    static func lines(_ runs: [ReplayRunReport], _ style: Style) -> [String] {
        var table = Table([
            .text("run"), .text("target"), .number("conc"), .number("requests"),
            .number("errors"), .number("differ"), .number("rate"), .number("p50"), .number("p90"),
            .number("p99"), .number("max"),
        ])
        for run in runs {
            let label = run.label.map { " " + SafeText.cut(SafeText.line($0), to: 10) } ?? ""
            let target = SafeText.line(run.target)
            let spread = run.latencyNs
            table.add([
                Table.Cell("\(run.id)\(label)"),
                Table.Cell(SafeText.cut(target.removing(prefix: "http://"), to: 16)),
                Table.Cell(Quantity.count(run.concurrency)),
                Table.Cell(Quantity.count(run.requests)),
                Table.Cell(Quantity.count(run.errors), run.errors > 0 ? .bad : .plain),
                Table.Cell(Quantity.count(run.mismatches), run.mismatches > 0 ? .bad : .plain),
                Table.Cell(Quantity.rate(run.rate)), Table.Cell(Quantity.duration(spread.p50)),
                Table.Cell(Quantity.duration(spread.p90)),
                Table.Cell(Quantity.duration(spread.p99)),
                Table.Cell(Quantity.duration(spread.max)),
            ])
        }
        return table.lines(style)
    }
}

extension String {
    func removing(prefix: String) -> String {
        hasPrefix(prefix) ? String(dropFirst(prefix.count)) : self
    }
}
