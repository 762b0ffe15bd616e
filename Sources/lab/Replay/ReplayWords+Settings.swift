// A run's settings and its machine as JSON: what `replay_run.settings` and `host_facts` keep.

import Glibc
import LabExchange
import LabReplayer

extension ReplayWords {
    static func settings(
        _ settings: ReplaySettings,
        filter: String?,
        correlate: String?,
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
            var loops: Int?
            var warmupRequests: Int?
            var warmupS: Double?
            var timeoutS: Double
            var connectTimeoutS: Double
            var gracefulStopS: Double
            var startAtNs: Int64?
            var keepsHopByHop: Bool
            var filter: String?
            var methods: [String]?
            var setHeaders: [String]
            var removedHeaders: [String]
            var rewrites: [String]
            var keepsHost: Bool
            var match: [String]
            var ignoredHeaders: [String]
            var ignoredJson: [String]
            var store: String
            var maxStoredBody: Int
            var load: LoadWords
            /// `auto`, `off`, or the name of a rules file.
            var correlate: String
            var correlationRules: Int?
            /// CLOCK_MONOTONIC at the run's `started_at`, nanoseconds.
            var anchorNs: Int64
            var shard: Part?
        }
        let matching = settings.matching
        var rules: Int?
        if case .rules(let given) = settings.correlation { rules = given.count }
        func seconds(_ time: Int64) -> Double { Double(time) / 1e9 }
        let changes = settings.changes
        return text(
            Settings(
                threads: settings.threads,
                requests: settings.requests,
                durationS: settings.durationNs.map(seconds),
                loops: settings.loops,
                warmupRequests: settings.warmupRequests > 0 ? settings.warmupRequests : nil,
                warmupS: settings.warmupNs > 0 ? seconds(settings.warmupNs) : nil,
                timeoutS: seconds(settings.timeoutNs),
                connectTimeoutS: seconds(settings.connectTimeoutNs),
                gracefulStopS: seconds(settings.graceNs),
                startAtNs: settings.startAtNs,
                keepsHopByHop: settings.keepsHopByHop,
                filter: filter,
                methods: changes.methods?.sorted(),
                setHeaders: changes.setFields.map { "\($0.name): \($0.value)" },
                removedHeaders: changes.removedFields,
                rewrites: changes.rewrites.map(\.description),
                keepsHost: changes.keepsHost,
                match: matching.parts.names,
                ignoredHeaders: matching.ignoredHeaders.sorted(),
                ignoredJson: matching.ignoredPointers.map(\.description),
                store: settings.keeping.rawValue,
                maxStoredBody: settings.mostBodyBytes,
                load: LoadWords(settings),
                correlate: settings.correlation == .off ? "off" : correlate ?? "auto",
                correlationRules: rules,
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
}
