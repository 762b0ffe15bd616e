// Sentences over several lines, and instants as they are stored.

/// Text broken at spaces.
enum Paragraph {
    static func wrapped(_ text: String, width: Int) -> [String] {
        var lines: [String] = []
        var line = ""
        for word in text.split(separator: " ") {
            if !line.isEmpty, line.displayWidth + 1 + String(word).displayWidth > width {
                lines.append(line)
                line = ""
            }
            line += (line.isEmpty ? "" : " ") + word
        }
        return line.isEmpty ? lines : lines + [line]
    }
}

/// A wall-clock time as it is stored.
enum Instant {
    /// `2026-11-25T15:53:56.250Z` as `2026-11-25 15:53:56 UTC`; anything else as it is.
    static func plain(_ stored: String) -> String {
        let parts = stored.split(separator: "T")
        guard parts.count == 2, parts[0].count == 10, parts[1].count >= 8, stored.hasSuffix("Z")
        else {
            return stored
        }
        return "\(parts[0]) \(parts[1].prefix(8)) UTC"
    }
}
