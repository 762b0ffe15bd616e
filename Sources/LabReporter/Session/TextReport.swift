// A session's report as text, 100 columns at most: what to know first, then the numbers.
//
//     title · findings · summary · accounts · latency by phase, by route · cost by route · statuses, outcomes
//     children: how they ended, what they cost · zombies · events · slowest · replays

public import LabSession

/// A session's report as text.
public struct TextReport: Sendable {
    let report: SessionReport
    let style: Style

    /// Makes the report of a session.
    public init(_ report: SessionReport, style: Style) {
        self.report = report
        self.style = style
    }

    /// The report, ending in a line end.
    public var text: String {
        let sections: [[String]] = [
            title, section("Findings", findings), section("Summary", summary),
            section("Accounts", accounts), section("Latency by phase", phases),
            section("Latency by route", routes), section("Cost by route", routeCosts),
            section("Answers", answers),
            section("Children", exits), section("What a child costs", cost),
            section("Zombies", zombies), section("Events", incidents),
            section("Slowest", slowest), section("Replays", replays),
        ]
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
            .joined(separator: "\n\n") + "\n"
    }

    private func section(_ title: String, _ lines: [String]) -> [String] {
        lines.isEmpty ? [] : [style.bold(title)] + lines
    }

    private var title: [String] {
        let name = style.bold(SafeText.line(report.path))
        guard let first = report.recordings.first else { return ["\(name) holds no recording."] }
        let times = report.recordings.count
        return [
            "\(name), " + (times == 1 ? "" : "\(times) recordings, the first ")
                + "recorded \(SafeText.line(Instant.plain(first.recording.startedAt)))"
        ]
    }

    private var findings: [String] {
        let all = Finding.all(report)
        guard !all.isEmpty else {
            return [
                "  " + style.good("Nothing stands out:")
                    + " no child died, nothing was lost, no zombie stood."
            ]
        }
        return all.flatMap { finding in
            let mark =
                switch finding.severity {
                case .untrusted: style.bad("!!")
                case .bad: style.bad("! ")
                case .doubtful: style.doubtful("? ")
                }
            var lines = Paragraph.wrapped(finding.sentence, width: 94)
            if let next = finding.next {
                // A command is kept whole, so that it can be copied.
                let last = lines.popLast() ?? ""
                let fits = last.displayWidth + next.displayWidth + 4 <= 94
                lines += fits ? ["\(last) → \(style.bold(next))"] : [last, "→ \(style.bold(next))"]
            }
            return lines.enumerated().map { ($0 == 0 ? "  \(mark) " : "     ") + $1 }
        }
    }

    private var summary: [String] {
        var lines: [String] = []
        for part in report.recordings {
            let recording = part.recording
            let what = [recording.upstream, recording.app].compactMap { $0 }.first
            let where_ = "http://\(recording.host):\(recording.port)"
            lines.append(
                "  recording \(recording.id)    "
                    + SafeText.line(
                        "\(where_), \(recording.mode)" + (what.map { " \($0)" } ?? "")
                            + ", reap \(recording.reap), lab \(recording.labVersion)"
                    )
            )
            lines.append(
                "                 \(Quantity.duration(part.durationNs)), "
                    + (recording.endedAt == nil
                        ? "no end yet"
                        : "ended: \(SafeText.line(recording.endReason ?? "no reason"))")
            )
        }
        let connections = report.recordings.reduce(0) { $0 + $1.connections }
        let empty = report.recordings.reduce(0) { $0 + $1.emptyConnections }
        let traffic = report.traffic
        let none = empty > 0 ? ", \(Quantity.count(empty)) without a request" : ""
        lines += [
            "  connections    \(Quantity.count(connections))\(none)",
            "  children       \(Quantity.count(report.children.count))",
            "  exchanges      \(Quantity.count(traffic.exchanges)), "
                + (traffic.rate.map { "\(Quantity.rate($0)) from first to last, " } ?? "")
                + painted(traffic.errors, Quantity.count(traffic.errors, "error", "errors")),
            "  bytes          \(Quantity.bytes(traffic.requestBytes)) in, "
                + "\(Quantity.bytes(traffic.responseBytes)) out",
        ]
        return lines
    }

    private var accounts: [String] {
        report.recordings.flatMap {
            AccountLines(identity: $0.identity, of: $0.recording.id).lines(style)
        }
    }

    func painted(_ count: Int, _ text: String) -> String { count > 0 ? style.bad(text) : text }
}
