// What a check of a session found, in lines.

public import LabSession

/// The result of `lab check` as text.
public struct CheckReport {
    private let check: SessionCheck
    private let style: Style

    /// Makes the text of a check.
    public init(_ check: SessionCheck, style: Style) {
        self.check = check
        self.style = style
    }

    /// The lines, each with its end.
    public var text: String { lines.map { $0 + "\n" }.joined() }

    private var lines: [String] {
        var lines = ["\(SafeText.line(check.path)): \(verdict)", ""]
        lines.append(
            "  file           "
                + (check.damage.isEmpty ? style.good("sound") : style.bad("DAMAGED"))
        )
        lines += check.damage.prefix(10).map { "                 \(SafeText.line($0))" }
        for (table, count) in check.dangling.sorted(by: { $0.key < $1.key }) {
            let rows = Quantity.count(count, "row", "rows")
            lines.append(
                "                 "
                    + style.bad("\(rows) of '\(SafeText.line(table))' point to nothing")
            )
        }
        for part in check.recordings {
            lines += AccountLines(identity: part.identity, of: part.recording.id).lines(style)
        }
        return lines
    }

    private var verdict: String {
        check.isGood ? style.good("all is well") : style.bad("not to be trusted")
    }
}
