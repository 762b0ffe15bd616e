// The line that is written over while a replay runs; on a terminal only.

import Glibc
import LabReplayer

/// Shows how far a replay has come.
final class ReplayProgressLine {
    private let durationNs: Int64?
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private var last = ReplayProgress()
    private var isShown = false

    init(durationNs: Int64?) { self.durationNs = durationNs }

    func show(_ progress: ReplayProgress) {
        guard isTerminal else { return }
        let span = Double(progress.elapsedNs - last.elapsedNs) / 1e9
        let rate = span > 0 ? Int(Double(progress.done - last.done) / span) : 0
        last = progress
        isShown = true
        var text = "\r\u{1B}[Klab: \(progress.done)"
        if let planned = progress.planned { text += " of \(planned)" }
        text += " requests, \(rate)/s, \(progress.errors) errors, \(progress.mismatches) mismatches"
        if let left = secondsLeft(progress) { text += ", \(left) s left" }
        say(text)
    }

    private func secondsLeft(_ progress: ReplayProgress) -> Int? {
        if let durationNs {
            return Int(max(0, durationNs - progress.elapsedNs) / 1_000_000_000)
        }
        guard let planned = progress.planned, progress.done > 0 else { return nil }
        let each = Double(progress.elapsedNs) / Double(progress.done)
        return Int(each * Double(max(0, planned - progress.done)) / 1e9)
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
