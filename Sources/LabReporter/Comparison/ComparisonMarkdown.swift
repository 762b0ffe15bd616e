// A comparison as Markdown, for the summary of a CI job: short, and never too long for one.

import LabComparer

/// A comparison as Markdown.
public enum ComparisonMarkdown {
    /// The longest text, bytes: GitHub takes 1 MiB per step, and drops what is near it.
    static let mostBytes = 900 << 10
    private static let mostRows = 20

    /// The text, ending in a line end.
    public static func text(_ report: ComparisonReport) -> String {
        let comparison = report.comparison
        var lines = ["## lab compare: \(cell(report.title))", ""]
        if !comparison.reasons.isEmpty {
            lines += [
                "| kind | route | what | severity | evidence |", "| --- | --- | --- | --- | --- |",
            ]
            for reason in comparison.reasons.prefix(mostRows) {
                lines.append(
                    "| \(reason.kind.rawValue) | \(cell(reason.route ?? "server")) | "
                        + "\(cell(reason.what)) | \(reason.severity) | \(cell(reason.evidence)) |"
                )
            }
            if comparison.reasons.count > mostRows {
                lines.append("")
                lines.append("… and \(comparison.reasons.count - mostRows) more.")
            }
            lines.append("")
        }
        lines.append(
            "`\(code(report.baseline))` against `\(code(report.candidate))`: \(report.extent)."
        )
        if let (_, share) = report.detectable {
            lines += [
                "", "A slowdown of about \(Words.percent(share)) or more would have been found.",
            ]
        }
        lines += details("Latency and cost", shifts(comparison))
        let differing = comparison.findings.filter { $0.state != .noise }
        lines += details("Answers that differ", findings(differing))
        lines += details("Noise", findings(comparison.findings.filter { $0.state == .noise }))
        var text = ""
        for line in lines {
            guard text.utf8.count + line.utf8.count < mostBytes else {
                text += "\n… cut here: the rest is in the JSON.\n"
                break
            }
            text += line + "\n"
        }
        return text
    }

    private static func shifts(_ comparison: Comparison) -> [String] {
        guard !comparison.shifts.isEmpty else { return [] }
        return [
            "| what | baseline | candidate | change | bounds | verdict |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
            + comparison.shifts.map { shift in
                let bounds = shift.estimate?.bounds
                return "| \(cell(shift.route ?? shift.measure.words)) | "
                    + "\(Level.words(shift.levels.baseline, shift.measure)) | "
                    + "\(Level.words(shift.levels.candidate, shift.measure)) | "
                    + "\(bounds.map { Words.change($0.center) } ?? "") | "
                    + (bounds.map { "\(Words.change($0.lower)) … \(Words.change($0.upper))" } ?? "")
                    + " | \(shift.verdict.rawValue) |"
            }
    }

    private static func findings(_ findings: [ContentFinding]) -> [String] {
        guard !findings.isEmpty else { return [] }
        return [
            "| route | place | kind | state | candidate | baseline's own | of |",
            "| --- | --- | --- | --- | --- | --- | --- |",
        ]
            + findings.map { finding in
                "| \(cell(finding.route)) | \(cell(finding.key.place)) | \(finding.key.kind.rawValue) | "
                    + "\(finding.state.rawValue) | \(finding.candidateCount) | "
                    + "\(finding.controlCount) | \(finding.pairs) |"
            }
    }

    private static func details(_ title: String, _ lines: [String]) -> [String] {
        guard !lines.isEmpty else { return [] }
        return ["", "<details><summary>\(title)</summary>", ""] + lines + ["", "</details>"]
    }

    /// Text in a cell: no markup, and no end of the cell.
    private static func cell(_ text: String) -> String {
        Markup.escaped(text).replacing("|", with: "\\|").replacing("`", with: "\\`")
            .replacing("*", with: "\\*").replacing("_", with: "\\_").replacing("[", with: "\\[")
    }

    private static func code(_ text: String) -> String {
        SafeText.line(text).replacing("`", with: "'")
    }
}
