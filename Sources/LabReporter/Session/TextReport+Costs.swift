// The report's section on what each route cost: the CPU time, the memory, the deaths.

import LabSession

extension TextReport {
    /// How many routes are shown.
    private static let mostRoutes = 15

    var routeCosts: [String] {
        let costs = report.costs
        guard costs.contains(where: { $0.cpuUs > 0 || $0.deaths > 0 || $0.ownChildren > 0 }) else {
            return []
        }
        var table = Table([
            .text("route"), .number("count"), .number("CPU each"), .number("CPU in all"),
            .number("faults each"), .number("memory"), .number("deaths"), .number("orphans"),
        ])
        for cost in costs.prefix(Self.mostRoutes) {
            let name = cost.method.isEmpty ? "(unreadable)" : "\(cost.method) \(cost.route)"
            let faults = cost.ownExchanges > 0 ? cost.minorFaults / Int64(cost.ownExchanges) : nil
            table.add([
                Table.Cell(SafeText.cut(SafeText.line(name), to: 30)),
                Table.Cell(Quantity.count(cost.count)),
                Table.Cell(Quantity.duration(microseconds: cost.cpuUs / Int64(max(1, cost.count)))),
                Table.Cell(Quantity.duration(microseconds: cost.cpuUs)),
                Table.Cell(Quantity.count(faults)),
                Table.Cell(Quantity.bytes(cost.rssGrowthKib.map { max(0, $0) * 1024 })),
                Table.Cell(Quantity.count(cost.deaths), cost.deaths > 0 ? .bad : .plain),
                Table.Cell(Quantity.count(cost.orphans), cost.orphans > 0 ? .doubtful : .plain),
            ])
        }
        let rest = costs.count - Self.mostRoutes
        let more = "  … and \(Quantity.count(rest, "more route", "more routes")): lab report --json"
        return table.lines(style) + [
            style.dim(
                "  faults, memory (the most above the parent's) and orphans: of children that"
            ),
            style.dim("  served this route alone."),
        ] + (rest > 0 ? [style.dim(more)] : [])
    }
}
