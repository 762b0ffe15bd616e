// How far a comparison has come, on a terminal only.

import Glibc
import LabComparer

/// One line on standard error that is written over.
struct CompareProgressLine {
    private let isShown = isatty(STDERR_FILENO) == 1

    func show(round: Int, of looks: [Int], arm: Arm) {
        let goal = looks.first { $0 >= round } ?? round
        let most = looks.last ?? goal
        write("round \(round) of \(goal)\(most > goal ? ", at most \(most)" : ""): \(arm.rawValue)")
    }

    func show(confirmation: Int, of count: Int) {
        write("sending again what differs, \(confirmation) of \(count)")
    }

    func clear() { if isShown { put("\r\u{1b}[K") } }

    private func write(_ text: String) { if isShown { put("\r\u{1b}[K\(text)") } }

    private func put(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
