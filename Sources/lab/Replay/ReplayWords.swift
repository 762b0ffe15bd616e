// A replay's totals as JSON and as words.

import FoundationEssentials
import Glibc
import Histogram
import LabExchange
import LabReplayer

/// What `lab replay --json` prints and `replay_run.summary` keeps.
struct ReplayWords: Encodable {
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
    /// What `latency_ms` measures: `response` in an open loop, `service` in a closed one.
    var latencyKind: String
    var latencyMs: LatencyWords
    var serviceMs: LatencyWords?
    var responseMs: LatencyWords?
    var lagMs: LatencyWords?
    /// Whether latencies count what a stalled target kept from being sent.
    var coordinatedOmission: String
    var load: LoadWords
    var sessions: Sessions
    /// Requests of the warm-up, which no other figure counts.
    var warmup: Int
    var late: Late
    var byStatus: [String: LatencyWords]
    var byRoute: [Route]
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
    /// The target's processes, with `--watch` or `--spawn`.
    var watched: WatchedWords?

    struct Sessions: Encodable {
        var started: Int
        var completed: Int
        var dropped: Int
    }

    /// Requests that left more than 1 ms after they were due.
    struct Late: Encodable {
        var requests: Int
        var behindAnswer: Int
    }

    struct Route: Encodable {
        var route: String
        var latencyMs: LatencyWords
    }

    init(
        run: Int64,
        label: String?,
        target: String,
        _ settings: ReplaySettings,
        _ summary: ReplaySummary
    ) {
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
        func whole(_ kind: LatencyKind) -> LatencyWords? {
            summary.series.first { $0.kind == kind && $0.part == .all }.map {
                LatencyWords($0.spread)
            }
        }
        latencyKind = summary.primary.rawValue
        latencyMs = whole(summary.primary) ?? LatencyWords(nil)
        serviceMs = whole(.service)
        responseMs = whole(.response)
        lagMs = whole(.lag)
        coordinatedOmission = settings.shape.isOpen ? "corrected" : "not corrected"
        load = LoadWords(settings)
        sessions = Sessions(
            started: summary.sessionsStarted,
            completed: summary.sessionsCompleted,
            dropped: summary.sessionsDropped
        )
        warmup = summary.warmup
        late = Late(requests: summary.late, behindAnswer: summary.lateBehindAnswer)
        byStatus = [:]
        byRoute = []
        for series in summary.series {
            switch series.part {
            case .all: break
            case .statusClass(let hundred): byStatus["\(hundred)xx"] = LatencyWords(series.spread)
            case .timeout: byStatus["timeout"] = LatencyWords(series.spread)
            case .route(let name):
                byRoute.append(Route(route: name, latencyMs: LatencyWords(series.spread)))
            }
        }
        outcomes = Dictionary(
            uniqueKeysWithValues: summary.byOutcome.map { ($0.key.rawValue, $0.value) }
        )
        statuses = Dictionary(
            uniqueKeysWithValues: summary.byStatus.map { ("\($0.key)", $0.value) }
        )
        mismatchReasons = summary.byMismatch
        connectionsOpened = summary.connectionsOpened
        dropped = summary.dropped
        correlationMisses = summary.correlationMisses
        interrupted = summary.wasInterrupted
    }

    var json: String { Self.text(self) }

    /// The outcomes with their counts, most frequent first.
    static func outcomes(_ summary: ReplaySummary) -> String {
        summary.byOutcome.sorted { ($1.value, $0.key.rawValue) < ($0.value, $1.key.rawValue) }
            .map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
    }

    /// What is to be said beside the figures.
    static func warnings(_ summary: ReplaySummary) -> [String] {
        var warnings: [String] = []
        if summary.sessionsDropped > 0 {
            warnings.append(
                "\(summary.sessionsDropped) sessions with \(summary.dropped) requests were dropped: "
                    + "too many were under way when they were due. The target is slower than the "
                    + "rate, or --max-in-flight is too low."
            )
        }
        if summary.late * 20 > summary.requests {
            let own = summary.late - summary.lateBehindAnswer
            warnings.append(
                "\(percent(summary.late, summary.requests)) % of requests left more than 1 ms late: "
                    + "\(summary.lateBehindAnswer) waited for the answer before them, \(own) for this "
                    + "machine. "
                    + (own > summary.lateBehindAnswer
                        ? "Response times hold its lateness; lower the rate or raise --threads."
                        : "Response times hold that wait, as a user's would.")
            )
        }
        if summary.correlationMisses > 0 {
            warnings.append(
                "\(summary.correlationMisses) cookies or tokens were sent as captured, for the target "
                    + "had given none in their place. lab correlate shows where they come from."
            )
        }
        if summary.requests == 0, summary.warmup > 0 {
            warnings.append(
                "All \(summary.warmup) requests belong to the warm-up, so there are no figures. "
                    + "Shorten --warmup, or send more with --duration or --requests."
            )
        }
        return warnings
    }

    private static func percent(_ part: Int, _ whole: Int) -> Double {
        (Double(part) / Double(max(1, whole)) * 1000).rounded() / 10
    }

    /// Why exchanges are left out.
    static func sentence(_ skipped: SkippedExchanges) -> String {
        skipped.reason == .methodNotAllowed
            ? "left out \(skipped.count) exchange(s) whose method is not in --method-allow"
            : "left out \(skipped.count) exchange(s) that can't be sent: \(skipped.reason.rawValue)"
    }

    /// Why results do not match, with the counts, most frequent first, no more than five.
    static func mismatches(_ summary: ReplaySummary) -> String {
        let all = summary.byMismatch.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
        let first = all.prefix(5).map { "\($0.value) \($0.key)" }
        return (first + (all.count > 5 ? ["…"] : [])).joined(separator: ", ")
    }

    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Numbers and strings always encode; a rate is never infinite here.
        guard let data = try? encoder.encode(value) else { return "{}" }
        return String(decoding: data, as: UTF8.self)
    }
}
