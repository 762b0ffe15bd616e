// What one worker counts. Each has its own, so that no two threads write to one line of memory;
// they are added up when all have ended.

import Histogram
import LabExchange

/// The sums of one worker; those of the warm-up are left out, but for progress.
struct WorkerTotals: Sendable {
    /// How much later than due a request may leave before it is called late, nanoseconds.
    static let lateNs: Int64 = 1_000_000

    var counts = Counts()
    /// Requests that are over and belong to the warm-up.
    var warmup = 0
    var abandoned = 0
    var firstSentNs = Int64.max
    var lastDoneNs: Int64 = 0
    var connectionsOpened = 0
    var sessionsStarted = 0
    var sessionsCompleted = 0
    /// Sessions, and the requests in them, that could not start when they were due.
    var sessionsDropped = 0
    var dropped = 0
    /// How often a captured value was sent, because the target had given none in its place.
    var correlationMisses = 0
    /// Requests that left late, and those of them that were due before the answer ahead of them came.
    var late = 0
    var lateBehindAnswer = 0
    /// How many results have each outcome, in the order of `ReplayOutcome.allCases`.
    var byOutcome = [Int](repeating: 0, count: ReplayOutcome.allCases.count)
    /// How many results have each status; 0 is for no answer.
    var byStatus = [Int](repeating: 0, count: 1000)
    /// How many results do not match, by why; of many different reasons only the kind.
    var byMismatch: [String: Int] = [:]
    var mismatches = 0
    var ok = 0
    var requests = 0
    var latencies: Latencies

    private static let mostReasons = 256

    init(isOpen: Bool) { latencies = Latencies(isOpen: isOpen) }

    /// What progress shows, the warm-up included.
    struct Counts: Sendable {
        var sent = 0
        var done = 0
        var ok = 0
        var mismatches = 0
        var dropped = 0
        var latencies = RecentLatencies()
    }

    /// Takes in one result.
    @inline(__always)
    mutating func add(_ result: ReplayResult, route: Int, waitedForAnswer: Bool) {
        let isOk = result.outcome == .ok
        counts.done += 1
        if isOk {
            counts.ok += 1
            let fromNs = latencies.isOpen ? result.intendedNs : result.sentNs
            counts.latencies.record(result.doneNs - fromNs)
        }
        if !result.matches { counts.mismatches += 1 }
        guard !result.isWarmup else {
            warmup += 1
            return
        }
        requests += 1
        if isOk { ok += 1 }
        if !result.matches { addMismatch(result.mismatch ?? "outcome") }
        byStatus[Int(result.status)] += 1
        byOutcome[result.outcome.place] += 1
        if result.doneNs > lastDoneNs { lastDoneNs = result.doneNs }
        if result.sentNs < firstSentNs { firstSentNs = result.sentNs }
        if latencies.isOpen, result.sentNs - result.intendedNs > Self.lateNs {
            late += 1
            if waitedForAnswer { lateBehindAnswer += 1 }
        }
        latencies.add(result, route: route)
    }
}

/// The durations that one worker measured.
struct Latencies: Sendable {
    let isOpen: Bool
    /// By the hundred of the status, and at 0 those without an answer in time.
    private let classes: [LatencyCounts]
    private let service: LatencyCounts
    private let lag: LatencyCounts
    /// By the route's place; those that were not met are not there, or empty.
    private var routes: [LatencyCounts?] = []

    init(isOpen: Bool) {
        self.isOpen = isOpen
        classes = (0..<10).map { _ in LatencyCounts() }
        service = LatencyCounts()
        lag = LatencyCounts()
    }

    /// Takes in one result: whole answers, and in an open loop what had none in time, whose user
    /// waited at least so long.
    @inline(__always)
    mutating func add(_ result: ReplayResult, route: Int) {
        let serviceNs = result.doneNs - result.sentNs
        guard isOpen else {
            guard result.outcome == .ok else { return }
            classes[Int(result.status) / 100].record(serviceNs)
            record(serviceNs, route)
            return
        }
        lag.record(result.sentNs - result.intendedNs)
        let responseNs = result.doneNs - result.intendedNs
        if result.outcome == .ok {
            service.record(serviceNs)
            classes[Int(result.status) / 100].record(responseNs)
            record(responseNs, route)
        } else if result.outcome == .timeout {
            classes[0].record(responseNs)
            record(responseNs, route)
        }
    }

    @inline(__always)
    private mutating func record(_ ns: Int64, _ route: Int) {
        if route >= routes.count || routes[route] == nil { meet(route) }
        routes[route]?.record(ns)
    }

    /// Makes room for the counts of a route that was not met before.
    private mutating func meet(_ route: Int) {
        while routes.count <= route { routes.append(nil) }
        routes[route] = LatencyCounts()
    }

    /// Gives the memory back.
    func free() { (classes + routes.compactMap { $0 } + [service, lag]).forEach { $0.free() } }

    /// The series of several workers, added up: all first, then by status, then by route.
    static func series(
        _ all: [Latencies],
        routes: [String]
    ) -> (series: [LatencySeries], whole: Histogram<UInt64>) {
        guard let isOpen = all.first?.isOpen else { return ([], .latencies()) }
        let kind = isOpen ? LatencyKind.response : .service
        func histogram(_ counts: (Latencies) -> LatencyCounts?) -> Histogram<UInt64> {
            var histogram = Histogram<UInt64>.latencies()
            for one in all { counts(one)?.add(to: &histogram) }
            return histogram
        }
        var whole = Histogram<UInt64>.latencies()
        var parts: [LatencySeries] = []
        for hundred in [1, 2, 3, 4, 5, 6, 7, 8, 9, 0] {
            let one = histogram { $0.classes[hundred] }
            whole.add(one)
            parts.append(
                LatencySeries(kind, hundred == 0 ? .timeout : .statusClass(hundred), one)
            )
        }
        for (place, name) in routes.enumerated() {
            parts.append(
                LatencySeries(
                    kind,
                    .route(name),
                    histogram { place < $0.routes.count ? $0.routes[place] : nil }
                )
            )
        }
        var found = [LatencySeries(kind, .all, whole)]
        if isOpen {
            found.append(LatencySeries(.service, .all, histogram { $0.service }))
            found.append(LatencySeries(.lag, .all, histogram { $0.lag }))
        }
        return (found + parts.filter { $0.spread.count > 0 }, whole)
    }
}

extension WorkerTotals {
    private mutating func addMismatch(_ reason: String) {
        mismatches += 1
        // Names of fields and members are the target's to choose, and it may choose a new one each time.
        if byMismatch[reason] == nil, byMismatch.count >= Self.mostReasons {
            byMismatch[String(reason.prefix { $0 != ":" }), default: 0] += 1
        } else {
            byMismatch[reason, default: 0] += 1
        }
    }
}

extension ReplayOutcome {
    /// Its place in `allCases`, without searching.
    @inline(__always)
    fileprivate var place: Int {
        switch self {
        case .ok: 0
        case .refused: 1
        case .reset: 2
        case .timeout: 3
        case .truncated: 4
        case .malformed: 5
        case .tls: 6
        }
    }
}

extension ReplaySummary {
    /// Adds up what all workers counted.
    init(_ all: [WorkerTotals], routes: [String]) {
        for totals in all {
            requests += totals.requests
            ok += totals.ok
            errors += totals.requests - totals.ok
            mismatches += totals.mismatches
            warmup += totals.warmup
            abandoned += totals.abandoned
            dropped += totals.dropped
            correlationMisses += totals.correlationMisses
            sessionsDropped += totals.sessionsDropped
            sessionsStarted += totals.sessionsStarted
            sessionsCompleted += totals.sessionsCompleted
            late += totals.late
            lateBehindAnswer += totals.lateBehindAnswer
            connectionsOpened += totals.connectionsOpened
            byMismatch.merge(totals.byMismatch) { $0 + $1 }
            if totals.requests > 0 {
                startedNs = startedNs == 0 ? totals.firstSentNs : min(startedNs, totals.firstSentNs)
                endedNs = max(endedNs, totals.lastDoneNs)
            }
            for (outcome, count) in zip(ReplayOutcome.allCases, totals.byOutcome) where count > 0 {
                byOutcome[outcome, default: 0] += count
            }
            for (status, count) in totals.byStatus.enumerated() where count > 0 && status > 0 {
                byStatus[status, default: 0] += count
            }
        }
        (series, histogram) = Latencies.series(all.map(\.latencies), routes: routes)
        let isSilent = byStatus.isEmpty && warmup == 0
        targetNeverAnswered =
            isSilent && (requests > 0 && mismatches > 0 || requests == 0 && abandoned > 0)
    }
}
