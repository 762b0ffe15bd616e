// A rule that a message bent, with the byte at which it did.

import LabSession
import LabWire

/// A rule that a message bent, with the byte at which it did.
struct DeviationMark {
    private let deviation: StoredDeviation
    private let head: [UInt8]

    init(_ deviation: StoredDeviation, in head: [UInt8]) {
        self.deviation = deviation
        self.head = head
    }

    func lines(_ style: Style) -> [String] {
        let words = WireRule(rawValue: deviation.code)?.sentence
        let title =
            "\(SafeText.line(deviation.code)) (\(SafeText.line(deviation.section)))"
            + (words.map { ": the \(SafeText.line(deviation.message)) \($0)" } ?? "")
            + ", at byte \(deviation.offset)"
        let titles = Paragraph.wrapped(title, width: 94).enumerated()
            .map { ($0 == 0 ? "  " : "    ") + $1 }
        return titles + pointer.map { ["    " + $0.line, "    " + style.bad($0.mark)] }.joined()
    }

    /// The line that holds the byte, its end made visible, and a mark under the byte.
    private var pointer: [(line: String, mark: String)] {
        // Past the head it stands in the framing of the body, which is not kept.
        guard head.indices.contains(deviation.offset) else { return [] }
        let start = head[..<deviation.offset].lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let end = head[deviation.offset...].firstIndex(of: 0x0A).map { $0 + 1 } ?? head.count
        let from = max(start, deviation.offset - 60)
        let before = (from > start ? "…" : "") + visible(head[from..<deviation.offset])
        let after =
            visible(head[deviation.offset..<min(end, deviation.offset + 30)])
            + (end > deviation.offset + 30 ? "…" : "")
        return [(before + after, String(repeating: " ", count: before.displayWidth) + "^")]
    }

    private func visible(_ bytes: ArraySlice<UInt8>) -> String {
        var text = ""
        for part in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            if part.offset > 0 { text += "\\n" }
            if part.element.last == 0x0D {
                text += SafeText.line(part.element.dropLast()) + "\\r"
            } else {
                text += SafeText.line(part.element)
            }
        }
        return text
    }
}
