// The report's sections on processes.

import LabSession

extension TextReport {
    var exits: [String] {
        guard report.children.count > 0 else { return [] }
        var table = Table([.text("how they ended"), .number("count"), .number("share")])
        for exit in report.children.exits.prefix(20) {
            table.add([
                Table.Cell(Ending.title(exit), Ending.isGood(exit) ? .plain : .bad),
                Table.Cell(Quantity.count(exit.count)),
                Table.Cell(Quantity.share(exit.count, of: report.children.count)),
            ])
        }
        return table.lines(style)
    }

    var cost: [String] {
        let cost = report.children.cost
        guard cost.cpuUs.count > 0 else { return [] }
        var table = Table([
            .text(""), .number("children"), .number("p50"), .number("p90"), .number("p99"),
            .number("max"), .text("in all"),
        ])
        func add(_ name: String, _ spread: Spread, _ sum: String, _ format: (Int64?) -> String) {
            table.add(
                [Table.Cell(name), Table.Cell(Quantity.count(spread.count))]
                    + percentiles(spread, format) + [Table.Cell(sum, .aside)]
            )
        }
        add(
            "CPU time",
            cost.cpuUs,
            "\(Quantity.duration(microseconds: cost.userCPUUs)) user, "
                + "\(Quantity.duration(microseconds: cost.systemCPUUs)) system"
        ) { Quantity.duration(microseconds: $0) }
        add("memory above the parent's", cost.rssGrowthKib, "") {
            Quantity.bytes($0.map { $0 * 1024 })
        }
        add("page faults", cost.minorFaults, "\(Quantity.count(cost.majorFaults)) more with I/O") {
            Quantity.count($0)
        }
        add("switches, waiting", cost.voluntarySwitches, "") { Quantity.count($0) }
        add("switches, preempted", cost.involuntarySwitches, "") { Quantity.count($0) }
        return table.lines(style)
    }

    var zombies: [String] {
        let zombies = report.zombies
        guard report.children.count > 0 else { return [] }
        var table = Table([
            .text("stood"), .number("count"), .number("p50"), .number("p90"), .number("p99"),
            .number("max"), .text(""),
        ])
        for (name, spread, words) in [
            ("at least", zombies.atLeastNs, "first SIGCHLD after the death to the reaping"),
            ("at most", zombies.atMostNs, "the child's last word to the reaping"),
        ] {
            table.add(
                [Table.Cell(name), Table.Cell(Quantity.count(spread.count))]
                    + percentiles(spread) { Quantity.duration($0) } + [Table.Cell(words, .aside)]
            )
        }
        let once =
            "  SIGCHLD came \(Quantity.count(zombies.signals, "time", "times")), and "
            + Quantity.count(zombies.reapedForSignals, "process was", "processes were")
            + " reaped for it, \(Quantity.count(zombies.mostAtOnce)) at once at most."
        let now = Quantity.count(zombies.left, "zombie stands", "zombies stand")
        var lines =
            table.lines(style) + [once, "  At the end: " + painted(zombies.left, now) + "."]
        if zombies.waiting > 0 {
            lines.append(
                "  " + Quantity.count(zombies.waiting, "child has", "children have")
                    + " said the last word and are not reaped yet."
            )
        }
        return lines
    }

    var incidents: [String] {
        let names = [
            "eintr": "interrupted system calls", "accept_failed": "accept failed",
            "fork_failed": "fork failed", "listen_overflow": "listen queue full",
            "killed": "children killed",
            "zombies": "counts of zombies", "orphan": "orphans adopted and reaped",
        ]
        var lines: [String] = []
        let counts = report.events.counts.compactMap { event in
            names[event.kind].map { "\($0) \(Quantity.count(event.count))" }
        }
        if !counts.isEmpty { lines += Paragraph.wrapped(counts.joined(separator: ", "), width: 96) }
        for incident in report.events.incidents.prefix(10) {
            let process = incident.pid.map { " \($0)" } ?? ""
            lines.append(
                "at \(Quantity.duration(incident.offsetNs)): "
                    + SafeText.line(
                        "\(incident.kind)\(process) \(SafeText.cut(incident.detail, to: 60))"
                    )
            )
        }
        return lines.map { "  " + $0 }
    }
}
