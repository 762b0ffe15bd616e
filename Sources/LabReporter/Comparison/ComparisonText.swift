// A comparison for a terminal: the verdict and its reasons first, then what they rest on.

import LabComparer

/// A comparison as text.
public struct ComparisonText: Sendable {
    /// The text, ending in a line end.
    public let text: String
    private let report: ComparisonReport
    private let style: Style

    /// How many lines of one kind are shown: the rest is in the JSON.
    private static let most = 20
    private static let width = 100

    /// Makes the text.
    public init(_ report: ComparisonReport, style: Style) {
        self.report = report
        self.style = style
        var writer = Writer(report: report, style: style)
        writer.write()
        text = writer.lines.joined(separator: "\n") + "\n"
    }

    private struct Writer {
        let report: ComparisonReport
        let style: Style
        var lines: [String] = []

        mutating func write() {
            let tone: Style.Tone =
                switch report.comparison.verdict {
                case .pass: .good
                case .regression, .failed: .bad
                case .inconclusive, .nothing: .doubtful
                }
            lines.append(style.paint(report.title, tone))
            report.comparison.reasons.prefix(ComparisonText.most).forEach { tell($0) }
            tellMore(report.comparison.reasons.count)
            lines += ["", style.bold("Compared")]
            lines.append("  baseline   \(SafeText.line(report.baseline))")
            lines.append("  candidate  \(SafeText.line(report.candidate))")
            lines.append("  session    \(SafeText.line(report.session)), \(report.extent)")
            for sentence in report.leftOut + report.comparison.notes {
                lines += Paragraph.wrapped(sentence, width: ComparisonText.width - 13)
                    .map { "             \($0)" }
            }
            writeShifts()
            writeFindings()
            writeProcesses()
            writeRules()
        }

        private mutating func tellMore(_ count: Int) {
            guard count > ComparisonText.most else { return }
            lines.append("  … and \(count - ComparisonText.most) more: see --json")
        }

        private mutating func tell(_ reason: Reason) {
            let route = reason.route.map { "\(SafeText.line($0))  " } ?? ""
            lines.append("  \(reason.kind.rawValue)  \(route)\(SafeText.line(reason.what))")
            let evidence = Paragraph.wrapped(
                "\(SafeText.line(reason.evidence)) (\(reason.severity))",
                width: ComparisonText.width - 6
            )
            lines += evidence.map { "      " + style.dim($0) }
            let finding = report.comparison.findings.first {
                $0.route == reason.route && reason.what.hasPrefix($0.key.place)
            }
            if let id = finding?.examples.first?.exchangeID, let curl = report.curls[id] {
                lines.append("      \(curl)")
            }
        }

        private mutating func writeShifts() {
            guard !report.comparison.shifts.isEmpty else { return }
            lines += ["", style.bold("Latency and cost")]
            var table = Table([
                .text("what"), .number("pairs"), .number("baseline"), .number("candidate"),
                .number("change"), .number("bounds"), .number("p95"), .text("verdict"),
            ])
            for shift in report.comparison.shifts {
                let bounds = shift.estimate?.bounds
                table.add([
                    Table.Cell(
                        SafeText.cut(
                            SafeText.line(shift.route ?? shift.measure.words),
                            to: 36
                        )
                    ),
                    Table.Cell(shift.pairs == 0 ? "" : Quantity.count(shift.pairs)),
                    Table.Cell(Level.words(shift.levels.baseline, shift.measure)),
                    Table.Cell(Level.words(shift.levels.candidate, shift.measure)),
                    Table.Cell(bounds.map { Words.change($0.center) } ?? ""),
                    Table.Cell(
                        bounds.map { "\(Words.change($0.lower)) … \(Words.change($0.upper))" } ?? ""
                    ),
                    Table.Cell(
                        shift.tails.first { $0.name == "p95" }.map {
                            Words.change($0.bounds.center)
                        } ?? ""
                    ),
                    Table.Cell(shift.verdict.rawValue, Self.tone(shift.verdict)),
                ])
            }
            lines += table.lines(style)
            if let (route, share) = report.detectable {
                lines.append(
                    style.dim(
                        "  Detectable in "
                            + Quantity.count(report.comparison.orders.count, "round", "rounds")
                            + ": a slowdown of about "
                            + "\(Words.percent(share)) or more on every route (least sensitive: "
                            + "\(SafeText.line(route)))."
                    )
                )
            }
        }

        private static func tone(_ verdict: ShiftVerdict) -> Style.Tone {
            switch verdict {
            case .regressed: .bad
            case .improved, .equivalent: .good
            case .inconclusive, .unstable, .incomparable: .doubtful
            }
        }

        private mutating func writeFindings() {
            let changes = report.findings(.regression, .change, .doubtful)
            if !changes.isEmpty {
                lines += ["", style.bold("Answers that differ")]
                for finding in changes.prefix(ComparisonText.most) { tell(finding) }
                if changes.count > ComparisonText.most {
                    lines.append("  … and \(changes.count - ComparisonText.most) more: see --json")
                }
            }
            let noise = report.findings(.noise)
            if !noise.isEmpty {
                lines += ["", style.bold("Noise, learned from the second baseline")]
                for finding in noise.prefix(ComparisonText.most) {
                    lines.append(
                        "  \(SafeText.line(finding.route))  \(SafeText.line(finding.key.place)) "
                            + "\(finding.key.kind.words): \(finding.candidateCount), and "
                            + "\(finding.controlCount) of the baseline's own, of \(finding.pairs)"
                    )
                }
                if noise.count > ComparisonText.most {
                    lines.append("  … and \(noise.count - ComparisonText.most) more: see --json")
                }
            }
            let unstable = report.unstableStructure
            if !unstable.isEmpty {
                lines += [
                    "",
                    style.bold("Unstable structure: the baseline itself has it now and not then"),
                ]
                for finding in unstable.prefix(ComparisonText.most) {
                    lines.append(
                        "  \(SafeText.line(finding.route))  \(SafeText.line(finding.key.place)) "
                            + finding.key.kind.words
                    )
                }
            }
        }

        private mutating func tell(_ finding: ContentFinding) {
            let word = style.paint(
                finding.state == .regression ? finding.severity.rawValue : finding.state.rawValue,
                finding.state == .regression ? .bad : .doubtful
            )
            lines.append(
                "  \(word)  \(SafeText.line(finding.route))  \(SafeText.line(finding.key.place)) "
                    + "\(finding.key.kind.words), \(finding.candidateCount) of \(finding.pairs), "
                    + "\(finding.controlCount) in the baseline's own"
            )
            if let example = finding.examples.first {
                let change = "\(example.before) → \(example.after)"
                lines.append("      \(SafeText.cut(SafeText.line(change), to: 90))")
                if let curl = report.curls[example.exchangeID] { lines.append("      \(curl)") }
            }
            if finding.state == .regression {
                lines.append(
                    "      no fault? lab accept \(Shell.word(finding.id)) --reason …"
                )
            }
        }

        private mutating func writeProcesses() {
            let told = report.comparison.processes.filter { finding in
                finding.counts.values.contains { $0 > 0 }
            }
            guard !told.isEmpty else { return }
            lines += ["", style.bold("Processes")]
            for finding in told {
                func count(_ arm: Arm) -> Int { finding.counts[arm] ?? 0 }
                lines.append(
                    "  \(finding.what): candidate \(count(.candidate)), baseline \(count(.baseline)) "
                        + "and \(count(.control))"
                )
            }
        }

        private mutating func writeRules() {
            guard !report.rules.isEmpty else { return }
            lines += ["", style.bold("Rules")]
            for (index, rule) in report.rules.enumerated() {
                let use =
                    report.comparison.ruleUse.indices.contains(index)
                    ? report.comparison.ruleUse[index] : 0
                lines.append(
                    "  \(rule.action.word) \(SafeText.line(rule.endpoint)) \(SafeText.line(rule.path)): "
                        + (use == 0 ? "matched nothing" : "decided \(Quantity.count(use)) times")
                        + ", \(SafeText.line(rule.reason))"
                )
            }
        }
    }
}
