// A `--where` expression that SQLite does not take.

/// A `--where` expression that SQLite does not take.
public struct ExpressionError: Error, Equatable, CustomStringConvertible {
    /// The expression, as the user gave it.
    public var expression: String
    /// SQLite's message.
    public var reason: String

    /// The columns that an expression may name.
    public static var columns: [String] { ExchangeQuery.columns.map(\.name) }

    /// A sentence.
    public var description: String {
        "Cannot use the expression '\(expression)': SQLite says \"\(reason)\". "
            + "Give one SQL condition, such as \"status >= 500 AND total_ms > 100\", over the columns "
            + Self.columns.joined(separator: ", ") + "."
    }
}
