// What a recording says while it runs and when it ends.

import Glibc
import LabExchange
import LabSession

/// Prints the news of a recording: exchanges to standard output, all else to standard error.
final class RecordPrinter {
    enum Style {
        case quiet, lines, json
    }

    private let style: Style
    private let anchorNs: Int64
    private let isTerminal = isatty(STDERR_FILENO) == 1
    private let lines = PatientOutput()
    private var hasProgress = false
    private var shown = RecordingCounts()
    private var shownZombies = 0
    /// Zombies at the last count.
    private var zombies = 0
    private var troubles = Troubles()

    init(style: Style, anchorNs: Int64) {
        self.style = style
        self.anchorNs = anchorNs
    }

    func tell(_ news: RecordingNews) {
        if case .event(let kind, _, let detail) = news { heed(kind, detail) }
        switch style {
        case .quiet: return
        case .lines: line(news)
        case .json: put(RecordJSON.line(news))
        }
    }

    /// What whoever started the recording should know even if nothing else is printed.
    private func heed(_ kind: ServerEventKind, _ detail: [UInt8]) {
        if kind == .zombies { zombies = EventDetail(detail)?.standing ?? 0 }
        guard let sentence = troubles.note(kind, detail) else { return }
        clear()
        say("lab: \(sentence)\n")
    }

    private func line(_ news: RecordingNews) {
        switch news {
        case .exchange(let exchange): put(Self.text(exchange))
        case .child(let child):
            if let unfinished = child.unfinished { put(Self.text(unfinished)) }
            guard child.fate != .exited || child.waitStatus != 0 else { return }
            let signal = child.waitStatus & 0x7F
            let how = signal != 0 ? "signal \(signal)" : "exit code \(child.waitStatus >> 8 & 0xFF)"
            put("child \(child.pid) died: \(how)")
        case .event(let kind, let pid, let detail):
            let isTold: [ServerEventKind] = [
                .orphan, .forkFailed, .acceptFailed, .listenOverflow, .killed,
            ]
            guard isTold.contains(kind) else { return }
            put(
                "\(kind.rawValue)\(pid == 0 ? "" : " \(pid)") \(String(decoding: detail, as: UTF8.self))"
            )
        }
    }

    private static func text(_ exchange: ExchangeNews) -> String {
        let status = exchange.status.map(String.init) ?? "---"
        let took = exchange.durationNs.map { "\(Double($0 / 1000) / 1000) ms" } ?? "unanswered"
        let why = exchange.error.isEmpty ? "" : ": \(exchange.error)"
        let how = exchange.outcome == .ok ? "" : "  \(exchange.outcome.rawValue)\(why)"
        let target = String(
            exchange.target.unicodeScalars.map { $0.value < 0x20 ? "?" : Character($0) }
        )
        return "\(exchange.id) [\(exchange.pid)] \(exchange.method) \(target) \(status) "
            + "\(exchange.responseBytes) B \(took)\(how)"
    }

    private func put(_ text: String) {
        clear()
        lines.add(text)
    }

    /// Writes what standard output takes now.
    func flush() { lines.flush(patienceNs: 0) }

    /// A line that is written over, on a terminal only.
    func progress(_ counts: RecordingCounts) {
        guard isTerminal, counts != shown || zombies != shownZombies else { return }
        (shown, shownZombies) = (counts, zombies)
        hasProgress = true
        say(
            "\r\u{1B}[Klab: \(counts.exchanges) exchanges, \(counts.living) children live, \(counts.reaped) reaped, \(counts.died) died"
                + (zombies > 0 ? ", \(zombies) zombies stand" : "")
        )
    }

    /// Takes the progress line away.
    func clear() {
        guard hasProgress else { return }
        hasProgress = false
        say("\r\u{1B}[K")
    }

    func summary(_ counts: RecordingCounts, path: String, durationNs: Int64) {
        lines.flush(patienceNs: 2_000_000_000)
        if lines.dropped > 0 {
            say(
                "lab: \(lines.dropped) lines were not printed, for nobody read them; the session has all\n"
            )
        }
        let seconds = Double(durationNs / 1_000_000) / 1000
        let unreaped = counts.living
        for sentence in troubles.totals { say("lab: \(sentence)\n") }
        say(
            """
            lab: recorded \(counts.exchanges) exchanges (\(counts.ok) ok, \(counts.failed) not) on \
            \(counts.connections) connections in \(seconds) s; \
            \(counts.children == 0 ? "no child was forked" : "\(counts.reaped) children reaped, \(counts.died) of them died")\
            \(unreaped > 0 ? ", \(unreaped) unknown" : "")
            lab: the session is '\(path)'; see it with: lab report '\(path)'

            """
        )
    }

    private func say(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
