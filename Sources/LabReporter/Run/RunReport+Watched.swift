// What the target's processes cost during a replay.

import LabSession

extension RunReport {
    /// The section on the processes that were watched; nothing where none were.
    var watched: [String] {
        guard let watched = detail.watched else { return [] }
        let requests = Int64(max(1, detail.run.requests))
        let cpuNs = Int64(watched.cpuS * 1e9)
        let command = watched.command.map { ": " + SafeText.cut(SafeText.line($0), to: 60) } ?? ""
        var lines = [
            style.bold("The target's processes") + ", from \(watched.pid)" + command,
            "  CPU            \(Quantity.duration(cpuNs)), \(Quantity.duration(cpuNs / requests)) a request",
            "  page faults    \(Quantity.count(watched.minorFaults)) minor, "
                + "\(Quantity.count(watched.majorFaults)) major",
            "  memory         \(Quantity.bytes(Int64(watched.rssMaxKib) * 1024)) at most",
            "  descriptors    "
                + (watched.descriptorsMax.map { "\(Quantity.count($0)) at most" }
                    ?? "not shown to this user"),
            "  threads        \(Quantity.count(watched.threadsMax)) at most, in up to "
                + "\(Quantity.count(watched.processesMax)) processes",
            "  zombies        \(Quantity.count(watched.zombiesMax)) at most, "
                + left(watched.zombiesLeft) + " at the end",
            "  orphans        " + left(watched.orphans),
        ]
        if let death = watched.death {
            lines.append("  ended          " + style.bad(SafeText.line(death)))
        }
        return lines
    }

    private func left(_ count: Int) -> String {
        let text = Quantity.count(count)
        return count > 0 ? style.bad(text) : text
    }
}
