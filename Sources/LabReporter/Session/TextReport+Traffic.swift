// The report's sections on requests and answers.

import LabSession

extension TextReport {
    var phases: [String] {
        guard !report.traffic.phases.isEmpty else { return [] }
        var table = Table([
            .text("phase"), .number("count"), .number("p50"), .number("p90"), .number("p99"),
            .number("max"), .text(""),
        ])
        for part in report.traffic.phases {
            table.add(
                ["\(part.phase.rawValue)", Table.Cell(Quantity.count(part.latencyNs.count))]
                    + percentiles(part.latencyNs) { Quantity.duration($0) }
                    + [Table.Cell(part.phase.words, .aside)]
            )
        }
        let isShort = report.traffic.phases.contains { $0.latencyNs.p99 == nil }
        return table.lines(style) + (isShort ? [percentileNote] : [])
    }

    var routes: [String] {
        let routes = report.traffic.routes
        guard !routes.isEmpty else { return [] }
        var table = Table([
            .text("route"), .number("count"), .number("errors"), .number("p50"), .number("p90"),
            .number("p99"), .number("max"),
        ])
        for route in routes.prefix(15) {
            let name = SafeText.line(
                route.method.isEmpty ? "(unreadable)" : "\(route.method) \(route.route)"
            )
            table.add(
                [
                    Table.Cell(SafeText.cut(name, to: 34)), Table.Cell(Quantity.count(route.count)),
                    Table.Cell(Quantity.count(route.errors), route.errors > 0 ? .bad : .plain),
                ] + percentiles(route.latencyNs) { Quantity.duration($0) }
            )
        }
        let rest = routes.count - 15
        let more = "  … and \(Quantity.count(rest, "more route", "more routes")): lab report --json"
        return table.lines(style) + (rest > 0 ? [style.dim(more)] : [])
    }

    var answers: [String] {
        let traffic = report.traffic
        guard traffic.exchanges > 0 else { return [] }
        var statuses = Table([.text("status"), .number("count"), .number("share")])
        for found in traffic.statuses {
            let isBad = (found.status ?? 500) >= 500
            statuses.add([
                Table.Cell(found.status.map { "\($0)" } ?? "no answer", isBad ? .bad : .plain),
                Table.Cell(Quantity.count(found.count)),
                Table.Cell(Quantity.share(found.count, of: traffic.exchanges)),
            ])
        }
        var outcomes = Table([.text("outcome"), .number("count"), .text("")])
        for found in traffic.outcomes {
            let isGood = found.outcome == "ok" || found.outcome == "tunnel"
            outcomes.add([
                Table.Cell(
                    found.outcome.map { SafeText.line($0) } ?? "none",
                    isGood ? .plain : .bad
                ),
                Table.Cell(Quantity.count(found.count)),
                Table.Cell(Ending.words(outcome: found.outcome), .aside),
            ])
        }
        // Colours have no width, so the left half is measured without them.
        let left = statuses.lines(.plain).reduce(0) { max($0, $1.displayWidth) } + 2
        let plain = statuses.lines(.plain)
        let right = outcomes.lines(style)
        return statuses.lines(style).enumerated().map { index, line in
            guard index < right.count else { return line }
            return line + String(repeating: " ", count: left - plain[index].displayWidth)
                + right[index]
        } + right.dropFirst(plain.count).map { String(repeating: " ", count: left) + $0 }
    }

    var slowest: [String] {
        let shown = report.slowest.filter { ($0.totalNs ?? 0) > 0 }.prefix(5)
        guard !shown.isEmpty else { return [] }
        var table = Table([
            .number("took"), .number("exchange"), .text("request"), .text("answer"), .number("CPU"),
        ])
        for exchange in shown {
            let isReadable = !exchange.method.isEmpty
            let name =
                isReadable ? SafeText.line("\(exchange.method) \(exchange.target)") : "(unreadable)"
            table.add([
                Table.Cell(Quantity.duration(exchange.totalNs)), "\(exchange.id)",
                Table.Cell(SafeText.cut(name, to: 50)),
                Table.Cell(exchange.status.map { "\($0)" } ?? "–"),
                Table.Cell(Quantity.duration(microseconds: exchange.cpuUs)),
            ])
        }
        return table.lines(style)
    }

    /// The cells p50, p90, p99 and max.
    func percentiles(_ spread: Spread, _ format: (Int64?) -> String) -> [Table.Cell] {
        [spread.p50, spread.p90, spread.p99, spread.max].map { Table.Cell(format($0)) }
    }

    private var percentileNote: String {
        style.dim("  – is too few to tell: p50 takes 20, p90 takes 100, p99 takes 1,000.")
    }
}

extension Phase {
    /// What the phase is, in words.
    var words: String {
        switch self {
        case .queue: "arrival to accept, by the kernel's tick"
        case .fork: "accept to the child's first instruction"
        case .head: "first byte to the end of the head"
        case .body: "end of the head to the end of the request"
        case .connect: "end of the head to the upstream"
        case .wait: "end of the head to the answer's first byte"
        case .answer: "the answer's first byte to its last"
        case .total: "first byte in to last byte out"
        }
    }
}
