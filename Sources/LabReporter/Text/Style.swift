// Colours, or none: the caller knows whether a person looks at a terminal.

/// How text is coloured.
public struct Style: Sendable, Equatable {
    /// What a text is to its reader.
    enum Tone: String {
        case plain = ""
        case heading = "1"
        case aside = "2"
        case bad = "1;31"
        case doubtful = "33"
        case good = "32"
        case sent = "36"
        case received = "34"
    }

    private let hasColor: Bool

    /// No colours: for files, pipes and `NO_COLOR`.
    public static let plain = Style(hasColor: false)
    /// ANSI colours.
    public static let ansi = Style(hasColor: true)

    func paint(_ text: String, _ tone: Tone) -> String {
        hasColor && !text.isEmpty && tone != .plain
            ? "\u{1b}[\(tone.rawValue)m\(text)\u{1b}[0m" : text
    }

    func bold(_ text: String) -> String { paint(text, .heading) }
    func dim(_ text: String) -> String { paint(text, .aside) }
    func bad(_ text: String) -> String { paint(text, .bad) }
    func doubtful(_ text: String) -> String { paint(text, .doubtful) }
    func good(_ text: String) -> String { paint(text, .good) }
}
