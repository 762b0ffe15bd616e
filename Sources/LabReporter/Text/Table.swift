// Columns that stand under each other.

/// A table of text.
struct Table {
    /// A column.
    struct Column {
        var title: String
        var isNumber: Bool

        /// A column of text, to the left.
        static func text(_ title: String) -> Column { Column(title: title, isNumber: false) }
        /// A column of numbers, to the right.
        static func number(_ title: String) -> Column { Column(title: title, isNumber: true) }
    }

    /// A cell: its text, and how it is painted once its width is known.
    struct Cell: ExpressibleByStringInterpolation {
        var text: String
        var tone: Style.Tone

        init(stringLiteral text: String) { self.init(text) }

        init(_ text: String, _ tone: Style.Tone = .plain) {
            self.text = text
            self.tone = tone
        }
    }

    private let columns: [Column]
    private var rows: [[Cell]] = []

    init(_ columns: [Column]) { self.columns = columns }

    mutating func add(_ cells: [Cell]) { rows.append(cells) }

    /// The lines, indented by two columns, with nothing after their last visible character.
    func lines(_ style: Style) -> [String] {
        let widths = columns.indices.map { index in
            rows.reduce(columns[index].title.displayWidth) { width, row in
                max(width, row.indices.contains(index) ? row[index].text.displayWidth : 0)
            }
        }
        let hasTitles = columns.contains { !$0.title.isEmpty }
        let titles = columns.map { Cell($0.title, .aside) }
        return ((hasTitles ? [titles] : []) + rows).map { row in
            var line = " "
            var padding = 1
            for (index, cell) in row.enumerated() where index < columns.count {
                let missing = widths[index] - cell.text.displayWidth
                if columns[index].isNumber { padding += missing }
                if !cell.text.isEmpty {
                    line += String(repeating: " ", count: padding)
                    line += style.paint(cell.text, cell.tone)
                    padding = 0
                } else {
                    padding += cell.text.displayWidth
                }
                padding += 2 + (columns[index].isNumber ? 0 : missing)
            }
            return line
        }
    }
}
