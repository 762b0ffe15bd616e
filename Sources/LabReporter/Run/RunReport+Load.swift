// The shape of a replay's load in words, and its latencies, labelled for what they are.

import LabSession

extension RunReport {
    /// Lines on the load, for the block that heads the report.
    var loadLines: [String] {
        let run = detail.run
        guard let load = detail.load else {
            return [
                "  concurrency    \(Quantity.count(run.concurrency)), pacing \(SafeText.line(run.pacing))"
            ]
        }
        var lines = ["  load           " + Self.words(load)]
        if let started = load.started {
            var words =
                "\(Quantity.count(started)) started, \(Quantity.count(load.completed ?? 0)) completed"
            if let dropped = load.dropped, dropped > 0 {
                let requests = Quantity.count(load.droppedRequests ?? 0)
                words +=
                    ", " + style.bad("\(Quantity.count(dropped)) dropped with \(requests) requests")
            }
            lines.append("  sessions       " + words)
        }
        if let warmup = load.warmup, warmup > 0 {
            lines.append("  warm-up        \(Quantity.count(warmup)) requests, in no figure here")
        }
        if let late = load.late, late > 0 {
            lines.append(
                "  late           \(Quantity.count(late)) requests left more than 1 ms after they were "
                    + "due, \(Quantity.count(load.lateBehindAnswer ?? 0)) of them behind an answer"
            )
        }
        return lines
    }

    private static func words(_ load: ReplayRunLoad) -> String {
        var words = load.isOpen ? "open loop" : "closed loop"
        if let rate = load.rate {
            words += ", \(number(rate)) \(SafeText.line(load.rateUnit ?? "sessions"))/s"
            words += load.arrival == "poisson" ? " at random" : ""
        }
        words += ", \(load.isOpen ? "up to " : "")\(Quantity.count(load.atOnce)) sessions at once"
        words += ", pace \(SafeText.line(load.pace))"
        if load.speed != 1 { words += " at \(number(load.speed))x" }
        return words + ", connections \(SafeText.line(load.connections))"
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && value < 1e15
            ? Quantity.count(Int64(value)) : Quantity.decimal(value, places: 2)
    }

    /// The latencies of all requests.
    var latency: [String] {
        let run = detail.run
        let all = detail.series.filter { !$0.name.contains(" ") }
        let series =
            all.isEmpty && run.latencyNs.count > 0
            ? [HistogramSeries(name: "service", valuesNs: run.latencyNs)] : all
        guard !series.isEmpty else { return [] }
        let order = ["response", "service", "lag"]
        let sorted = series.sorted {
            (order.firstIndex(of: $0.name) ?? 9, $0.name)
                < (order.firstIndex(of: $1.name) ?? 9, $1.name)
        }
        let lines = [style.bold("Latency")] + table("series", sorted).lines(style)
        let isOpen = detail.load?.isOpen ?? (run.pacing != "asap")
        guard !isOpen else {
            return lines + [
                style.dim(
                    "  response: due to answered, what a user waits · service: sent to answered"
                ),
                style.dim("  lag: due to sent; a percentile needs ten values beyond it"),
            ]
        }
        return lines + [
            style.dim(
                "  closed loop, concurrency \(run.concurrency): "
                    + "coordinated omission is not corrected"
            )
        ]
    }

    /// The slowest routes, where there is more than one.
    var slowestRoutes: [String] {
        let mark = " route "
        let routes = detail.series.compactMap { series in
            series.name.firstRange(of: mark).map {
                (String(series.name[$0.upperBound...]), series)
            }
        }
        guard routes.count > 1 else { return [] }
        func rank(_ spread: Spread) -> Int64 { spread.p99 ?? spread.max ?? 0 }
        let slowest = routes.sorted { rank($0.1.valuesNs) > rank($1.1.valuesNs) }.prefix(5)
        let table = table(
            "route",
            slowest.map { HistogramSeries(name: $0.0, valuesNs: $0.1.valuesNs) }
        )
        return [style.bold("Slowest routes")] + table.lines(style)
    }

    private func table(_ title: String, _ series: [HistogramSeries]) -> Table {
        var table = Table([
            .text(title), .number("count"), .number("p50"), .number("p90"), .number("p99"),
            .number("p99.9"), .number("max"),
        ])
        for one in series {
            let spread = one.valuesNs
            let values = [spread.p50, spread.p90, spread.p99, spread.p999, spread.max]
            table.add(
                [
                    Table.Cell(SafeText.cut(SafeText.line(one.name), to: 40)),
                    Table.Cell(Quantity.count(spread.count)),
                ] + values.map { Table.Cell(Quantity.duration($0)) }
            )
        }
        return table
    }
}
