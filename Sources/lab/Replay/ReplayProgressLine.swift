// The line that is written over while a replay runs; on a terminal only.

import Glibc
import LabReplayer

/// Shows how far a replay has come.
final class ReplayProgressLine {
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var last = ReplayProgress()
    private var isShown = false

    func show(_ progress: ReplayProgress) {
        guard isTerminal else { return }
        isShown = true
        say("\r\u{1B}[K" + Self.text(progress, since: last))
        last = progress
    }

    /// The line: totals so far, with the rate and the latencies of the time since `last`.
    static func text(_ progress: ReplayProgress, since last: ReplayProgress) -> String {
        guard progress.elapsedNs >= 0 else {
            return "lab: starts in \(-progress.elapsedNs / 1_000_000_000 + 1) s"
        }
        let span = Double(progress.elapsedNs - max(0, last.elapsedNs)) / 1e9
        let rate = span > 0 ? Int(Double(progress.done - last.done) / span) : 0
        var text = "lab: \(progress.done)"
        if let planned = progress.planned { text += " of \(planned)" }
        text += " requests, \(rate)/s"
        let latencies = progress.latencies.since(last.latencies)
        for percent in [50.0, 99.0] {
            guard let value = latencies.percentile(percent) else { continue }
            text += ", p\(Int(percent)) \(milliseconds(value))"
        }
        text += ", \(progress.errors) errors, \(progress.mismatches) mismatches"
        if progress.dropped > 0 { text += ", \(progress.dropped) dropped" }
        if let left = secondsLeft(progress) { text += ", \(left) s left" }
        return text
    }

    private static func milliseconds(_ latencyNs: Int64) -> String {
        let hundredths = latencyNs / 10_000
        if hundredths >= 1000 { return "\(latencyNs / 1_000_000) ms" }
        let rest = hundredths % 100
        return "\(hundredths / 100).\(rest < 10 ? "0" : "")\(rest) ms"
    }

    private static func secondsLeft(_ progress: ReplayProgress) -> Int64? {
        if let left = progress.leftNs { return left / 1_000_000_000 }
        guard let planned = progress.planned, progress.done > 0 else { return nil }
        let each = Double(progress.elapsedNs) / Double(progress.done)
        return Int64(each * Double(max(0, planned - progress.done)) / 1e9)
    }

    func clear() {
        if isShown { say("\r\u{1B}[K") }
        isShown = false
    }

    private func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
