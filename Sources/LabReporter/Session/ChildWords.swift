// The life of one process in words.

import LabSession

/// The life of one process in words.
struct ChildWords {
    private let child: ChildDetail

    init(_ child: ChildDetail) { self.child = child }

    /// How it ended: `died of SIGSEGV (11), core dumped`.
    var end: String {
        let core = child.coreDumped ? ", core dumped" : ""
        switch child.fate {
        case "running": return "lives"
        case "unreaped": return "ended, and nobody waited for it"
        case "unknown": return "was not seen to end"
        default:
            let isClean = child.signal == nil && child.lifeNs != nil
            if isClean, let code = child.exitCode { return "exited with code \(code)" }
            return Ending.verb(
                fate: child.fate,
                exitCode: child.exitCode,
                signalName: child.signalName.map { "\($0) (\(child.signal ?? 0))" }
            ) + core
        }
    }

    var lines: [String] {
        var lines = [
            row("pid", "\(child.pid), a child of \(child.ppid)"), row("end", end),
            row(
                "times",
                [
                    child.forkNs.map { "forked in \(Quantity.duration($0))" },
                    child.startNs.map { "ran after \(Quantity.duration($0))" },
                    child.lifeNs.map { "lived \(Quantity.duration($0))" },
                ].compactMap { $0 }.joined(separator: ", ")
            ),
            row("zombie", zombie),
        ]
        if let user = child.userCPUUs, let system = child.systemCPUUs {
            lines.append(
                row(
                    "CPU",
                    "\(Quantity.duration(microseconds: user)) user, "
                        + "\(Quantity.duration(microseconds: system)) system"
                )
            )
        }
        if let most = child.maxRSSKib {
            let grown = child.baselineRSSKib.map { base in
                ", \(Quantity.bytes(max(0, most - base) * 1024)) above what it inherited"
            }
            lines.append(row("memory", "\(Quantity.bytes(most * 1024)) at most\(grown ?? "")"))
        }
        if let minor = child.minorFaults, let major = child.majorFaults {
            lines.append(
                row(
                    "page faults",
                    "\(Quantity.count(minor)), and \(Quantity.count(major)) with I/O"
                )
            )
        }
        if let waiting = child.voluntarySwitches, let preempted = child.involuntarySwitches {
            lines.append(
                row(
                    "switches",
                    "\(Quantity.count(waiting)) waiting, \(Quantity.count(preempted)) preempted"
                )
            )
        }
        return lines
    }

    private var zombie: String {
        guard child.isReaped else {
            return child.fate == "unreaped" ? "still, when the recording ended" : "not that we know"
        }
        let least = child.zombieAtLeastNs.map { "at least \(Quantity.duration($0))" }
        let most = child.zombieAtMostNs.map { "at most \(Quantity.duration($0))" }
        let bounds = [least, most].compactMap { $0 }.joined(separator: ", ")
        return bounds.isEmpty ? "for a time that is not known" : "for " + bounds
    }

    private func row(_ name: String, _ value: String) -> String {
        name + String(repeating: " ", count: max(1, 13 - name.count)) + value
    }
}
