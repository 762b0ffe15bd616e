// A replay's totals as JSON and as words.

import FoundationEssentials
import Glibc
import Histogram
import LabExchange
import LabReplayer

/// What `lab replay --json` prints and `replay_run.summary` keeps.
struct ReplayWords: Encodable {
    struct Latency: Encodable {
        var mean: Double?
        var p50: Double?
        var p90: Double?
        var p99: Double?
        var p999: Double?
        var max: Double?

        private enum Key: String, CodingKey {
            case mean, p50, p90, p99, p999, max
        }

        /// Every key is always there: null where no answer came.
        func encode(to encoder: any Encoder) throws {
            var members = encoder.container(keyedBy: Key.self)
            try members.encode(mean, forKey: .mean)
            try members.encode(p50, forKey: .p50)
            try members.encode(p90, forKey: .p90)
            try members.encode(p99, forKey: .p99)
            try members.encode(p999, forKey: .p999)
            try members.encode(max, forKey: .max)
        }
    }

    var schemaVersion = 1
    var run: Int64
    var label: String
    var target: String
    var requests: Int
    var ok: Int
    var errors: Int
    var mismatches: Int
    var durationS: Double
    var rate: Double
    var latencyMs: Latency
    var outcomes: [String: Int]
    var statuses: [String: Int]
    /// Why results do not match, counted.
    var mismatchReasons: [String: Int]
    var connectionsOpened: Int
    var dropped: Int
    var correlationMisses: Int
    var interrupted: Bool
    /// The conditions of `--fail-if` that hold, as they were given.
    var failedConditions: [String] = []

    init(run: Int64, label: String?, target: String, _ summary: ReplaySummary) {
        self.run = run
        // A run without a name is called by its number.
        self.label = label ?? "\(run)"
        self.target = target
        requests = summary.requests
        ok = summary.ok
        errors = summary.errors
        mismatches = summary.mismatches
        durationS = Double(summary.endedNs - summary.startedNs) / 1e9
        rate = durationS > 0 ? Double(requests) / durationS : 0
        let times = summary.histogram
        func milliseconds(_ percentile: Double) -> Double? {
            times.totalCount == 0 ? nil : Double(times.valueAtPercentile(percentile)) / 1e6
        }
        latencyMs = Latency(
            mean: times.totalCount == 0 ? nil : times.mean / 1e6,
            p50: milliseconds(50),
            p90: milliseconds(90),
            p99: milliseconds(99),
            p999: milliseconds(99.9),
            max: times.totalCount == 0 ? nil : Double(times.max) / 1e6
        )
        outcomes = Dictionary(
            uniqueKeysWithValues: summary.byOutcome.map { ($0.key.rawValue, $0.value) }
        )
        statuses = Dictionary(
            uniqueKeysWithValues: summary.byStatus.map { ("\($0.key)", $0.value) }
        )
        mismatchReasons = summary.byMismatch
        connectionsOpened = summary.connectionsOpened
        // A closed loop starts what it can and drops nothing; nothing is correlated.
        dropped = 0
        correlationMisses = 0
        interrupted = summary.wasInterrupted
    }

    var json: String { Self.text(self) }

    /// The outcomes with their counts, most frequent first.
    static func outcomes(_ summary: ReplaySummary) -> String {
        summary.byOutcome.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
    }

    /// Why results do not match, with the counts, most frequent first, no more than five.
    static func mismatches(_ summary: ReplaySummary) -> String {
        let all = summary.byMismatch.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let first = all.prefix(5).map { "\($0.value) \($0.key)" }
        return (first + (all.count > 5 ? ["…"] : [])).joined(separator: ", ")
    }

    static func settings(
        _ settings: ReplaySettings,
        filter: String?,
        anchorNs: Int64,
        _ shard: Shard?
    ) -> String {
        struct Part: Encodable {
            var index: Int
            var count: Int
        }
        struct Settings: Encodable {
            var threads: Int
            var requests: Int?
            var durationS: Double?
            var timeoutS: Double
            var connectTimeoutS: Double
            var keepsHopByHop: Bool
            var filter: String?
            var match: [String]
            var ignoredHeaders: [String]
            var ignoredJson: [String]
            var store: String
            var maxStoredBody: Int
            /// CLOCK_MONOTONIC at the run's `started_at`, nanoseconds.
            var anchorNs: Int64
            var shard: Part?
        }
        let matching = settings.matching
        return text(
            Settings(
                threads: settings.threads,
                requests: settings.requests,
                durationS: settings.durationNs.map { Double($0) / 1e9 },
                timeoutS: Double(settings.timeoutNs) / 1e9,
                connectTimeoutS: Double(settings.connectTimeoutNs) / 1e9,
                keepsHopByHop: settings.keepsHopByHop,
                filter: filter,
                match: matching.parts.names,
                ignoredHeaders: matching.ignoredHeaders.sorted(),
                ignoredJson: matching.ignoredPointers.map(\.description),
                store: settings.keeping.rawValue,
                maxStoredBody: settings.mostBodyBytes,
                anchorNs: anchorNs,
                shard: shard.map { Part(index: $0.index, count: $0.count) }
            )
        )
    }

    static func hostFacts() -> String {
        struct Facts: Encodable {
            var system: String
            var release: String
            var machine: String
            var processors: Int
        }
        var name = utsname()
        uname(&name)
        func word<Field>(_ field: Field) -> String {
            withUnsafeBytes(of: field) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
        return text(
            Facts(
                system: word(name.sysname),
                release: word(name.release),
                machine: word(name.machine),
                processors: sysconf(Int32(_SC_NPROCESSORS_ONLN))
            )
        )
    }

    private static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Numbers and strings always encode; a rate is never infinite here.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
