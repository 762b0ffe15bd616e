// Exchanges a line each. The widths are fixed beforehand, so that a million lines need no memory.

public import LabSession

/// Exchanges as lines of text.
public struct ExchangeList: Sendable {
    private let style: Style
    private let targetWidth: Int

    /// Makes a list.
    ///
    /// - Parameters:
    ///   - width: The columns that a line may take; no fewer than 80 are used.
    ///   - style: The colours.
    public init(width: Int = 100, style: Style) {
        self.style = style
        targetWidth = max(80, width) - Self.fixedWidth
    }

    // The columns without the target, and the gaps between them.
    private static let fixedWidth = 7 + 1 + 11 + 1 + 7 + 2 + 7 + 1 + 1 + 13 + 1 + 11 + 1 + 8

    /// The line of titles, ending in a line end.
    public var header: String {
        style.dim(
            right("id", 7) + " " + right("at", 11) + " " + right("child", 7) + "  "
                + left("method", 7) + " " + left("target", targetWidth) + " " + left("ended", 13)
                + " " + right("ms", 11) + " " + right("bytes", 8)
        ) + "\n"
    }

    /// The line of an exchange, ending in a line end.
    public func line(_ exchange: ExchangeSummary) -> String {
        let target = SafeText.cut(SafeText.line(exchange.target), to: targetWidth)
        let method = SafeText.cut(SafeText.line(exchange.method), to: 7)
        let at = Quantity.decimal(Double(exchange.offsetNs) / 1e9, places: 3) + " s"
        return right("\(exchange.id)", 7) + " " + right(at, 11) + " "
            + right("\(exchange.pid)", 7) + "  " + left(method, 7) + " "
            + left(target.isEmpty ? "(unreadable)" : target, targetWidth) + " "
            + style.paint(left(end(exchange), 13), tone(exchange)) + " "
            + right(Quantity.milliseconds(exchange.totalNs), 11) + " "
            + right(Quantity.bytes(exchange.responseBytes), 8) + "\n" + replayed(exchange)
    }

    /// A line of its own for what a replay did otherwise.
    private func replayed(_ exchange: ExchangeSummary) -> String {
        guard let reason = exchange.mismatch else { return "" }
        let words = reason == "outcome" ? "not answered as then" : RunReport.words(reason)
        return String(repeating: " ", count: 29) + style.bad("replayed: \(words)") + "\n"
    }

    /// The status, and where that is not the whole story, how it ended.
    private func end(_ exchange: ExchangeSummary) -> String {
        let status = exchange.status.map { "\($0)" }
        let word: String? =
            switch exchange.outcome {
            case _ where exchange.killedItsChild: "† " + childEnd(exchange)
            case nil: "…"
            case "ok": nil
            case "bad_request": status == nil ? "refused" : nil
            case "client_closed": "gone"
            case "upstream_refused": "no up."
            case "upstream_failed": "bad up."
            case "upstream_timeout": "late up."
            case "app_error": "app error"
            case "truncated": "cut off"
            case let other?: SafeText.cut(SafeText.line(other), to: 9)
            }
        return [status, word].compactMap { $0 }.joined(separator: " ")
    }

    /// What became of the child whose end this exchange was.
    private func childEnd(_ exchange: ExchangeSummary) -> String {
        if exchange.fate == "timed_out" { return "late" }
        if let signal = exchange.signal { return Signal(Int32(clamping: signal)).name }
        return exchange.exitCode.map { "exit \($0)" } ?? "died"
    }

    private func tone(_ exchange: ExchangeSummary) -> Style.Tone {
        if exchange.killedItsChild || (exchange.status ?? 0) >= 500 { return .bad }
        return exchange.outcome == "ok" || exchange.outcome == "tunnel" ? .plain : .doubtful
    }

    private func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.displayWidth)) + text
    }

    private func left(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.displayWidth))
    }
}
