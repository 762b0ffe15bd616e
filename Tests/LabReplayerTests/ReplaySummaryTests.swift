// Sums, histograms and sentences.

import Histogram
import LabExchange
import LabWire
import Testing

@testable import LabReplayer

struct ReplaySummaryTests {
    private func result(
        _ outcome: ReplayOutcome,
        status: Int16,
        sent: Int64,
        done: Int64,
        matches: Bool
    ) -> ReplayResult {
        ReplayResult(
            exchangeID: 1,
            round: 0,
            connection: 1,
            intendedNs: sent,
            sentNs: sent,
            firstByteNs: done,
            doneNs: done,
            status: status,
            outcome: outcome,
            matches: matches,
            differingBody: nil
        )
    }

    private func totals(isOpen: Bool = false) -> WorkerTotals {
        WorkerTotals(isOpen: isOpen)
    }

    @Test func `a summary is the sum of its workers`() {
        var one = totals()
        var other = totals()
        one.add(result(.ok, status: 200, sent: 100, done: 5_000_100, matches: true))
        one.add(result(.timeout, status: 0, sent: 50, done: 9_000_000, matches: false))
        other.add(result(.ok, status: 404, sent: 70, done: 7_000_000, matches: false))
        other.add(result(.reset, status: 0, sent: 90, done: 100, matches: true))
        let summary = ReplaySummary([one, totals(), other], routes: ["GET /"])
        #expect(summary.requests == 4)
        #expect(summary.ok == 2)
        #expect(summary.errors == 2)
        #expect(summary.mismatches == 2)
        #expect(summary.startedNs == 50)
        #expect(summary.endedNs == 9_000_000)
        #expect(summary.byOutcome == [.ok: 2, .timeout: 1, .reset: 1])
        #expect(summary.byStatus == [200: 1, 404: 1])
        #expect(summary.histogram.totalCount == 2)
        #expect(!summary.targetNeverAnswered)
    }

    @Test func `each outcome is counted as itself`() {
        var totals = totals()
        for outcome in ReplayOutcome.allCases {
            totals.add(result(outcome, status: 0, sent: 1, done: 2, matches: false))
        }
        let summary = ReplaySummary([totals], routes: ["GET /"])
        #expect(summary.byOutcome.count == ReplayOutcome.allCases.count)
        #expect(totals.byOutcome.allSatisfy { $0 == 1 })
    }

    @Test func `merging histograms loses no count`() {
        var all = Histogram<UInt64>.latencies()
        var first = all
        var second = all
        var value: UInt64 = 1
        for place in 0..<10_000 {
            // Any spread over the whole range will do.
            value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let time = (value >> 33) % 3_600_000_000
            all.record(time)
            if place % 3 == 0 { first.record(time) } else { second.record(time) }
        }
        var merged = Histogram<UInt64>.latencies()
        merged.add(sparse: first.sparse)
        merged.add(sparse: second.sparse)
        #expect(merged.totalCount == 10_000)
        #expect(merged.sparse.elementsEqual(all.sparse, by: ==))
        first.add(second)
        #expect(first.sparse.elementsEqual(all.sparse, by: ==))
        for percentile in [50, 90, 99, 99.9] {
            #expect(first.valueAtPercentile(percentile) == all.valueAtPercentile(percentile))
        }
    }

    @Test func `a bucket is named by its lowest value`() {
        var histogram = Histogram<UInt64>.latencies()
        histogram.record(1_000_000)
        histogram.record(1_000_001)
        let sparse = histogram.sparse
        #expect(sparse.count == 1)
        #expect(sparse.first?.count == 2)
        #expect(sparse.first?.bucket == histogram.lowestEquivalentForValue(1_000_000))
    }

    @Test func `every error is a sentence that says what to do`() {
        let sentences: [(ReplayError, String)] = [
            (
                .cannotResolve(host: "nowhere", reason: "Name or service not known"),
                "Cannot find the address of 'nowhere': Name or service not known. "
                    + "Check the host in --target."
            ),
            (
                .noAddress(target: "a:81"),
                "Cannot replay to 'a:81': no address of it is known. Check the host in --target."
            ),
            (
                .tooFewDescriptors(needed: 5000, allowed: 4096),
                "Cannot open 5000 descriptors: this process may have 4096. "
                    + "Lower --concurrency or --max-in-flight, or raise the limit with 'ulimit -Hn'."
            ),
            (
                .cannotStart(what: "thread", reason: "Resource temporarily unavailable"),
                "Cannot start the replay: no thread could be made: "
                    + "Resource temporarily unavailable. "
                    + "Lower --threads, or free resources and try again."
            ),
        ]
        for (error, sentence) in sentences { #expect(error.description == sentence) }
    }

    @Test func `a name without an address is an error`() {
        let error = #expect(throws: ReplayError.self) {
            try ReplaySettings.resolve(Authority(host: "no-such-host.invalid", port: 80))
        }
        guard case .cannotResolve(let host, _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(host == "no-such-host.invalid")
    }

    @Test(arguments: ["127.0.0.1", "::1"])
    func `a numeric address is its own`(host: String) throws {
        #expect(try ReplaySettings.resolve(Authority(host: host, port: 80)).count == 1)
    }
}

extension WorkerTotals {
    fileprivate mutating func add(_ result: ReplayResult) {
        add(result, route: 0, waitedForAnswer: false)
    }
}
