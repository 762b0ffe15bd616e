// What one worker counts. Each has its own, so that no two threads write to one line of memory;
// they are added up when all have ended.

import Histogram
import LabExchange

/// The sums of one worker.
struct WorkerTotals: Sendable {
    var counts = Counts()
    var abandoned = 0
    var firstSentNs = Int64.max
    var lastDoneNs: Int64 = 0
    var connectionsOpened = 0
    /// How many results have each outcome, in the order of `ReplayOutcome.allCases`.
    var byOutcome = [Int](repeating: 0, count: ReplayOutcome.allCases.count)
    /// How many results have each status; 0 is for no answer.
    var byStatus = [Int](repeating: 0, count: 1000)
    /// How many results do not match, by why; of many different reasons only the kind.
    var byMismatch: [String: Int] = [:]
    var histogram = Histogram<UInt64>.serviceTimes()

    private static let mostReasons = 256

    /// What progress shows.
    struct Counts: Sendable {
        var sent = 0
        var done = 0
        var ok = 0
        var mismatches = 0
    }

    /// Takes in one result.
    @inline(__always)
    mutating func add(_ result: ReplayResult) {
        counts.done += 1
        byStatus[Int(result.status)] += 1
        byOutcome[result.outcome.place] += 1
        if !result.matches { addMismatch(result.mismatch ?? "outcome") }
        if result.doneNs > lastDoneNs { lastDoneNs = result.doneNs }
        if result.sentNs < firstSentNs { firstSentNs = result.sentNs }
        guard result.outcome == .ok else { return }
        counts.ok += 1
        let time = UInt64(max(0, result.doneNs - result.sentNs))
        histogram.record(min(time, histogram.highestTrackableValue))
    }
}

extension WorkerTotals {
    private mutating func addMismatch(_ reason: String) {
        counts.mismatches += 1
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
    /// Adds what one worker counted.
    mutating func add(_ totals: WorkerTotals) {
        requests += totals.counts.done
        ok += totals.counts.ok
        errors += totals.counts.done - totals.counts.ok
        mismatches += totals.counts.mismatches
        abandoned += totals.abandoned
        connectionsOpened += totals.connectionsOpened
        if totals.counts.done > 0 {
            startedNs = startedNs == 0 ? totals.firstSentNs : min(startedNs, totals.firstSentNs)
            endedNs = max(endedNs, totals.lastDoneNs)
        }
        for (outcome, count) in zip(ReplayOutcome.allCases, totals.byOutcome) where count > 0 {
            byOutcome[outcome, default: 0] += count
        }
        for (status, count) in totals.byStatus.enumerated() where count > 0 && status > 0 {
            byStatus[status, default: 0] += count
        }
        byMismatch.merge(totals.byMismatch) { $0 + $1 }
        histogram.add(totals.histogram)
        targetNeverAnswered = requests > 0 && byStatus.isEmpty && mismatches > 0
    }
}
