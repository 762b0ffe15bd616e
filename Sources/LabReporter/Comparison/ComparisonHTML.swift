// A comparison as one HTML page: no script, nothing fetched, light and dark.

import LabComparer

/// A comparison as one HTML page.
public enum ComparisonHTML {
    private static let style = """
        :root { color-scheme: light dark; }
        body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }
        table { border-collapse: collapse; width: 100%; margin: .5rem 0 1.5rem; }
        th, td { border-bottom: 1px solid #8884; padding: .3rem .6rem; text-align: left; vertical-align: top; }
        td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
        pre { overflow-x: auto; background: #8881; padding: .5rem; margin: .3rem 0; }
        .bad { color: #c22; } .good { color: #292; } .doubtful { color: #a70; }
        """

    /// The page, ending in a line end.
    public static func text(_ report: ComparisonReport) -> String {
        let comparison = report.comparison
        let tone =
            switch comparison.verdict {
            case .pass: "good"
            case .regression, .failed: "bad"
            case .inconclusive, .nothing: "doubtful"
            }
        var lines = [
            "<!DOCTYPE html>", "<html lang=\"en\"><head><meta charset=\"utf-8\">",
            "<meta name=\"viewport\" content=\"width=device-width\">",
            "<meta http-equiv=\"Content-Security-Policy\" "
                + "content=\"default-src 'none'; style-src 'unsafe-inline'\">",
            "<title>lab compare: \(escaped(report.title))</title><style>\(style)</style></head><body>",
            "<h1 class=\"\(tone)\">\(escaped(report.title))</h1>",
        ]
        lines += reasons(report)
        lines.append(
            "<p><code>\(escaped(report.baseline))</code> against "
                + "<code>\(escaped(report.candidate))</code>, session "
                + "<code>\(escaped(report.session))</code>: \(escaped(report.extent)).</p>"
        )
        for sentence in report.leftOut + comparison.notes {
            lines.append("<p>\(escaped(sentence))</p>")
        }
        lines += shifts(report)
        lines += findings(
            "Answers that differ",
            comparison.findings.filter { $0.state != .noise },
            report
        )
        lines += findings("Noise", comparison.findings.filter { $0.state == .noise }, report)
        lines += processes(comparison)
        lines.append("</body></html>")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func escaped(_ text: String) -> String { Markup.escaped(text) }

    private static func table(_ titles: [String], _ rows: [[String]]) -> [String] {
        ["<table><thead><tr>" + titles.map { "<th>\($0)</th>" }.joined() + "</tr></thead><tbody>"]
            + rows.map { "<tr>" + $0.joined() + "</tr>" } + ["</tbody></table>"]
    }

    private static func cell(_ text: String) -> String { "<td>\(escaped(text))</td>" }
    private static func number(_ text: String) -> String { "<td class=\"n\">\(escaped(text))</td>" }

    private static func reasons(_ report: ComparisonReport) -> [String] {
        let reasons = report.comparison.reasons
        guard !reasons.isEmpty else { return [] }
        return ["<h2>Why</h2>"]
            + table(
                ["kind", "route", "what", "severity", "evidence"],
                reasons.map {
                    [
                        cell($0.kind.rawValue), cell($0.route ?? "server"), cell($0.what),
                        cell($0.severity), cell($0.evidence),
                    ]
                }
            )
    }

    private static func shifts(_ report: ComparisonReport) -> [String] {
        let shifts = report.comparison.shifts
        guard !shifts.isEmpty else { return [] }
        var lines = ["<h2>Latency and cost</h2>"]
        lines += table(
            ["what", "pairs", "baseline", "candidate", "change", "bounds", "verdict", "rounds"],
            shifts.map { shift in
                let bounds = shift.estimate?.bounds
                return [
                    cell(shift.route ?? shift.measure.words), number("\(shift.pairs)"),
                    number(Level.words(shift.levels.baseline, shift.measure)),
                    number(Level.words(shift.levels.candidate, shift.measure)),
                    number(bounds.map { Words.change($0.center) } ?? ""),
                    number(
                        bounds.map { "\(Words.change($0.lower)) … \(Words.change($0.upper))" } ?? ""
                    ),
                    cell(shift.verdict.rawValue), "<td>\(dots(shift))</td>",
                ]
            }
        )
        if let (_, share) = report.detectable {
            lines.append(
                "<p>A slowdown of about \(Words.percent(share)) or more would have been found.</p>"
            )
        }
        return lines
    }

    /// The shift of each round as a dot, the control's as a ring; the line in the middle is no change.
    private static func dots(_ shift: ShiftFinding) -> String {
        guard let estimate = shift.estimate else { return "" }
        let all = (estimate.shifts + estimate.controls).filter(\.isFinite).map { abs($0) }
        let reach = max(all.max() ?? 0, 0.1)
        func dot(_ value: Double, _ row: Int, _ form: String) -> String {
            let x = 60 + (value / reach * 55).rounded()
            return "<circle cx=\"\(Int(x))\" cy=\"\(row)\" r=\"2.5\" \(form)/>"
        }
        let dots = estimate.shifts.filter(\.isFinite)
            .map { dot($0, 6, "fill=\"currentColor\" fill-opacity=\".6\"") }
        let rings = estimate.controls.filter(\.isFinite)
            .map { dot($0, 16, "fill=\"none\" stroke=\"currentColor\" stroke-opacity=\".6\"") }
        return "<svg width=\"120\" height=\"22\" role=\"img\" aria-label=\"shift by round\">"
            + "<line x1=\"60\" x2=\"60\" y1=\"0\" y2=\"22\" stroke=\"currentColor\" stroke-opacity=\".3\"/>"
            + (dots + rings).joined() + "</svg>"
    }

    private static func findings(
        _ title: String,
        _ findings: [ContentFinding],
        _ report: ComparisonReport
    ) -> [String] {
        guard !findings.isEmpty else { return [] }
        return ["<h2>\(title)</h2>"]
            + table(
                ["route", "where", "state", "candidate", "own", "of", "example"],
                findings.map { finding in
                    let example = finding.examples.first
                    let change = example.map { "\($0.before) → \($0.after)" } ?? ""
                    let curl = example.flatMap { report.curls[$0.exchangeID] }
                    return [
                        cell(finding.route), cell("\(finding.key.place) \(finding.key.kind.words)"),
                        cell("\(finding.state.rawValue) (\(finding.severity.rawValue))"),
                        number("\(finding.candidateCount)"), number("\(finding.controlCount)"),
                        number("\(finding.pairs)"),
                        "<td>\(escaped(change))"
                            + (curl.map { "<pre>\(escaped($0))</pre>" } ?? "") + "</td>",
                    ]
                }
            )
    }

    private static func processes(_ comparison: Comparison) -> [String] {
        guard !comparison.processes.isEmpty else { return [] }
        return ["<h2>Processes</h2>"]
            + table(
                ["what", "baseline", "candidate", "baseline again"],
                comparison.processes.map {
                    [
                        cell($0.what), number("\($0.counts[.baseline] ?? 0)"),
                        number("\($0.counts[.candidate] ?? 0)"),
                        number("\($0.counts[.control] ?? 0)"),
                    ]
                }
            )
    }
}
