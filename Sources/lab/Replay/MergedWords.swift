// What several shards came to, as one replay says it: counts are added, latencies are read from the
// merged histograms.

import FoundationEssentials
import Histogram
import LabReplayer
import LabSession

/// The totals of shards, merged.
struct MergedWords {
    private var members: [String: JSONValue] = [:]
    private let histograms: [String: Histogram<UInt64>]

    /// Merges what runs say.
    ///
    /// - Parameters:
    ///   - runs: The shards' runs.
    ///   - buckets: Their histograms, merged.
    ///   - durationNs: From the first request of any to the last answer of any, where it is known.
    ///   - label: What it is called.
    init(
        _ runs: [ShardRun],
        buckets: [RunMerger.Bucket],
        durationNs: Int64?,
        label: String
    ) {
        var histograms: [String: Histogram<UInt64>] = [:]
        for (series, counts) in Dictionary(grouping: buckets, by: \.series) {
            var histogram = Histogram<UInt64>.latencies()
            histogram.add(sparse: counts.map { ($0.bucket, $0.count) })
            histograms[series] = histogram
        }
        self.histograms = histograms
        let all = runs.map { Self.members(of: $0.summary) }
        for one in all { members.merge(one) { Self.sum($0, $1) } }
        for name in ["schema_version", "target", "latency_kind", "load"] {
            members[name] = all.first?[name]
        }
        addLoads(all)
        members["run"] = .integer(Int(RunMerger.runID))
        members["label"] = .text(label)
        members["failed_conditions"] = .array([])
        // Shards may have watched one server, whose costs must not be counted twice.
        members["watched"] = nil
        members["shards"] = .array(runs.map { .text("\($0.index)/\($0.count)") })
        let seconds =
            durationNs.map { Double($0) / 1e9 }
            ?? all.compactMap { $0["duration_s"]?.double }.max() ?? 0
        members["duration_s"] = .number(seconds)
        let requests = members["requests"]?.double ?? 0
        members["rate"] = .number(seconds > 0 ? requests / seconds : 0)
        replaceLatencies(all)
    }

    /// One JSON object.
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Read from JSON, or made of finite numbers: it always encodes.
        guard let data = try? encoder.encode(JSONValue.object(members)) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }

    static func members(of json: String) -> [String: JSONValue] {
        (try? JSONDecoder().decode([String: JSONValue].self, from: Data(json.utf8))) ?? [:]
    }

    /// Counts add up, also those in an object; what was so in one was so in all of it.
    private static func sum(_ one: JSONValue, _ two: JSONValue) -> JSONValue {
        switch (one, two) {
        case (.integer(let one), .integer(let two)): .integer(one + two)
        case (.integer, .number), (.number, .integer), (.number, .number):
            .number((one.double ?? 0) + (two.double ?? 0))
        case (.flag(let one), .flag(let two)): .flag(one || two)
        case (.object(let one), .object(let two)): .object(one.merging(two) { sum($0, $1) })
        case (.null, _): two
        default: one
        }
    }

    /// The load of all: its rate and its bound are shared among the shards, the rest they have in
    /// common.
    private mutating func addLoads(_ all: [[String: JSONValue]]) {
        guard case .object(var load) = members["load"] else { return }
        for name in ["at_once", "rate"] {
            guard let first = load[name] else { continue }
            // A rate of requests is the whole replay's in every shard already.
            if name == "rate", load["rate_unit"] == .text("requests") { continue }
            load[name] = all.dropFirst().compactMap { $0["load"]?[name] }
                .reduce(first) { Self.sum($0, $1) }
        }
        members["load"] = .object(load)
    }

    /// Percentiles can't be added: they are read anew, each from the series that it is of.
    private mutating func replaceLatencies(_ all: [[String: JSONValue]]) {
        var kind = "service"
        if case .text(let name) = members["latency_kind"] { kind = name }
        for name in ["latency_ms", "service_ms", "response_ms", "lag_ms"] {
            guard members[name] != nil else { continue }
            let series = name == "latency_ms" ? kind : String(name.dropLast("_ms".count))
            members[name] = latency(series, all.compactMap { $0[name] })
        }
        if case .object(let classes) = members["by_status"] {
            members["by_status"] = .object(
                Dictionary(
                    uniqueKeysWithValues: classes.keys.map { name in
                        let parts = all.compactMap { $0["by_status"]?[name] }
                        return (name, latency("\(kind) status \(name)", parts))
                    }
                )
            )
        }
        guard members["by_route"] != nil else { return }
        var routes: [String: [JSONValue]] = [:]
        for case .array(let entries) in all.compactMap({ $0["by_route"] }) {
            for entry in entries {
                guard case .text(let route) = entry["route"], let latency = entry["latency_ms"]
                else { continue }
                routes[route, default: []].append(latency)
            }
        }
        members["by_route"] = .array(
            routes.keys.sorted().map { route in
                .object([
                    "route": .text(route),
                    "latency_ms": latency("\(kind) route \(route)", routes[route] ?? []),
                ])
            }
        )
    }

    /// What the shards say of a series, of all of them together.
    private func latency(_ series: String, _ parts: [JSONValue]) -> JSONValue {
        let histogram = histograms[series] ?? .latencies()
        let words = LatencyWords(LatencySpread(histogram))
        guard let data = try? JSONEncoder().encode(words),
            case .object(var members) = try? JSONDecoder().decode(JSONValue.self, from: data)
        else { return .null }
        // Buckets are as wide as a value is known; the largest one is known exactly.
        if let most = parts.compactMap({ $0["max"]?.double }).max() {
            members["max"] = .number(most)
        }
        return .object(members)
    }
}
