import Foundation
import LabTestSupport
import Testing

@testable import LabComparer

/// The statistics, judged by scipy, numpy and pragmastat.
@Suite struct StatisticsOracleTests {
    private struct Question: Encodable {
        var kind: String
        var values: [Double] = []
        var before: [Double] = []
        var heads = 0
        var tails = 0
        var share = 0.0
        var attained = 0.0
    }

    private struct Answer: Decodable {
        var p: Double?
        var median: Double?
        var center: Double?
        var lower: Double?
        var upper: Double?
        var value: Double?
        var holm: [Double]?
        var bh: [Double]?
    }

    private func ask(_ questions: [Question]) throws -> [Answer] {
        let folder = try Place.temporary()
        let input = folder.appendingPathComponent("questions.json")
        try JSONEncoder().encode(questions).write(to: input)
        let end = try Tool.run(
            "sh",
            "-c",
            "\"$0\" \"$1\" <\"$2\"",
            Place.package.appendingPathComponent(".build/venv/bin/python").path,
            Place.package.appendingPathComponent("Scripts/judge-statistics.py").path,
            input.path
        )
        guard end.status == 0 else { throw Trouble("the judge failed: \(end.errors)") }
        return try JSONDecoder().decode([Answer].self, from: Data(end.output.utf8))
    }

    /// A sample: spread out or with heavy tails, now and then rounded so that there are ties.
    private func sample(_ count: Int, _ random: inout SplitMix64) -> [Double] {
        let rounds = Int.random(in: 0..<4, using: &random) == 0
        let shift = Double.random(in: -1...1, using: &random)
        return (0..<count).map { _ in
            let uniform = Double.random(in: 0.001...0.999, using: &random)
            let value = shift + (uniform - 0.5) / (Bool.random(using: &random) ? 1 : 1 - uniform)
            return rounds ? (value * 4).rounded() / 4 : value
        }
    }

    private func agree(_ ours: Double?, _ theirs: Double?) -> Bool {
        guard let ours, let theirs else { return false }
        return abs(ours - theirs) <= 1e-9 * max(abs(ours), abs(theirs), 1e-3)
    }

    @Test func `the centre and its bounds are pragmastat's, of a thousand samples`() throws {
        var random = SplitMix64(seed: 1)
        let samples = (0..<1000).map { sample(2 + $0 % 62, &random) }
        let misrate = 0.05
        let answers = try ask(
            samples.map { values in
                var question = Question(kind: "center", values: values)
                if let cut = SignedRank.margin(count: values.count, misrate: misrate) {
                    let ranks = Array(1...values.count)
                    question.attained = 2 * SignedRank.cumulative(ranks: ranks, upTo: cut)[cut]
                }
                return question
            }
        )
        for (values, answer) in zip(samples, answers) {
            let bounds = try #require(Center.bounds(values, misrate: misrate))
            #expect(agree(Center.median(values), answer.median))
            #expect(agree(bounds.center, answer.center))
            if values.count < 6 {
                #expect(bounds.lower == -.infinity && bounds.upper == .infinity)
            } else {
                #expect(agree(bounds.lower, answer.lower), "\(values.count) values")
                #expect(agree(bounds.upper, answer.upper), "\(values.count) values")
            }
        }
    }

    @Test func `signed ranks are scipy's, with ties by all ways in which signs fall`() throws {
        var random = SplitMix64(seed: 2)
        let samples = (0..<1000).map { index in
            var values = sample(1 + index % 50, &random)
            // All ways are counted for what is tied, so that must be few.
            if Set(values.map(abs)).count < values.count { values = Array(values.prefix(14)) }
            return values
        }
        let answers = try ask(samples.map { Question(kind: "signed rank", values: $0) })
        for (values, answer) in zip(samples, answers) {
            #expect(agree(SignedRank.oneSidedP(values), answer.p), "\(values)")
        }
    }

    @Test func `the sign test is scipy's binomial`() throws {
        var random = SplitMix64(seed: 3)
        let pairs = (0..<1000).map { _ in
            (Int.random(in: 0...120, using: &random), Int.random(in: 0...120, using: &random))
        }
        let answers = try ask(pairs.map { Question(kind: "sign", heads: $0.0, tails: $0.1) })
        for (pair, answer) in zip(pairs, answers) {
            let p = SignTest.oneSidedP(heads: pair.0, tails: pair.1)
            let theirs = try #require(answer.p)
            #expect(abs(p - theirs) <= 1e-9 * max(theirs, 1e-12), "\(pair)")
        }
    }

    @Test func `adjusted values are Holm's, and Benjamini and Hochberg's`() throws {
        var random = SplitMix64(seed: 4)
        let samples = (0..<1000).map { index in
            (0...(index % 40)).map { _ in pow(Double.random(in: 0...1, using: &random), 4) }
        }
        let answers = try ask(samples.map { Question(kind: "adjust", values: $0) })
        for (values, answer) in zip(samples, answers) {
            for (ours, theirs) in zip(Multiplicity.holm(values), try #require(answer.holm)) {
                #expect(agree(ours, theirs))
            }
            for (ours, theirs) in zip(
                Multiplicity.benjaminiHochberg(values),
                try #require(answer.bh)
            ) {
                #expect(agree(ours, theirs))
            }
        }
    }

    @Test func `quantiles and Cliff's delta are numpy's`() throws {
        var random = SplitMix64(seed: 5)
        let samples = (0..<1000).map { index in
            Question(
                kind: index.isMultiple(of: 2) ? "quantile" : "cliff",
                values: sample(1 + index % 50, &random),
                before: sample(1 + index % 37, &random),
                share: Double.random(in: 0...1, using: &random)
            )
        }
        for (question, answer) in zip(samples, try ask(samples)) {
            let ours =
                question.kind == "cliff"
                ? CliffDelta(after: question.values, before: question.before).value
                : Center.quantile(ofSorted: question.values.sorted(), question.share)
            #expect(agree(ours, answer.value))
        }
    }
}
