// Conditions: which are read, which hold, which can't be judged.

import Histogram
import Testing

@testable import LabReplayer

struct FailConditionTests {
    private var summary: ReplaySummary {
        var summary = ReplaySummary()
        summary.requests = 1000
        summary.ok = 999
        summary.errors = 1
        summary.mismatches = 20
        summary.startedNs = 1
        summary.endedNs = 1_000_000_001
        for _ in 0..<999 { summary.histogram.record(5_000_000) }
        return summary
    }

    @Test(arguments: [
        ("p50>4ms", true), ("p50>6ms", false), ("p90 >= 4ms", true), ("mean<6ms", true),
        ("max<=4000us", false), ("errors>0", true), ("errors>=1", true), ("errors>1", false),
        ("errors>0.1%", false), ("errors>0.05%", true), ("mismatches>=2%", true),
        ("mismatches>2%", false), ("rate<1001", true), ("rate<1000", false),
    ])
    func `a condition holds or passes`(text: String, holds: Bool) throws {
        let verdict = try #require(FailCondition(text)).verdict(on: summary)
        if case .fails(let sentence) = verdict {
            #expect(holds && sentence.contains(text), "\(sentence)")
        } else {
            #expect(!holds && verdict == .passes)
        }
    }

    @Test func `a percentile of too few answers is not judged`() throws {
        // 999 whole answers: one too few for p99, enough for p95.
        let verdict = try #require(FailCondition("p99>1s")).verdict(on: summary)
        guard case .cannotTell = verdict else {
            Issue.record("\(verdict)")
            return
        }
        #expect(try #require(FailCondition("p95>1s")).verdict(on: summary) == .passes)
    }

    @Test(arguments: [
        "", "p99", "p99>", "p99>200", "p98>1ms", "errors>5ms", "errors=5", "rate<1%", "max>-1ms",
        "errors>nan", "errors>%", ">5", "p99>>1ms",
    ])
    func `what is no condition is not read`(text: String) { #expect(FailCondition(text) == nil) }
}
