import LabTestSupport
import RealModule
import Testing

@testable import LabComparer

/// How often the verdict on latency errs, with the rule by which a comparison stops: look after 10
/// rounds, and go on to 40 while it is inconclusive.
///
/// The machine of the simulation: a slow drift (a random walk of 2 % a slot), a mood of each run of a
/// server (2 %), and requests whose times spread by half an order of e, 100 of a route per round.
@Suite struct StoppingRuleTests {
    private struct Machine {
        var random: SplitMix64
        var drift = 0.0

        init(seed: UInt64) { random = SplitMix64(seed: seed) }

        mutating func normal() -> Double {
            let first = Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random)
            let second = Double.random(in: 0..<1, using: &random)
            return (-2 * Double.log(first)).squareRoot() * Double.cos(2 * .pi * second)
        }

        /// The logarithms of one round: candidate against baseline, second baseline against the first.
        ///
        /// The median of `n` pairs misses by about 1.2533 σ √2 / √n.
        mutating func round(shift: Double, deviation: Double) -> (Double, Double) {
            let spread = 1.2533 * deviation / 10
            let slots = (0..<3).map { _ in
                drift += 0.02 * normal()
                return drift + 0.02 * normal() + spread * normal()
            }
            let order = [0, 1, 2].shuffled(using: &random)
            let base = slots[order[0]]
            return (shift + slots[order[1]] - base, slots[order[2]] - base)
        }
    }

    /// One comparison over `routes` routes, all but the first unchanged: the verdicts.
    private func compare(
        _ machine: inout Machine,
        shift: Double,
        routes: Int = 1,
        alpha: Double = 0.05,
        deviation: Double = 0.5
    ) -> [ShiftVerdict] {
        let looks = Looks(first: 10, most: 40)
        var rounds = Array(repeating: (shifts: [Double](), controls: [Double]()), count: routes)
        var verdicts: [ShiftVerdict] = []
        for (index, count) in looks.rounds.enumerated() {
            while rounds[0].shifts.count < count {
                for route in 0..<routes {
                    let (one, other) = machine.round(
                        shift: route == 0 ? shift : 0,
                        deviation: deviation
                    )
                    rounds[route].shifts.append(one)
                    rounds[route].controls.append(other)
                }
            }
            let spent = alpha * looks.share(at: index)
            let threshold = ShiftThreshold(share: 0.05, least: 0.5e6, misrate: 2 * spent)
            let estimates = rounds.compactMap {
                ShiftEstimate(
                    shifts: $0.shifts,
                    controls: $0.controls,
                    level: 20e6,
                    threshold: threshold
                )
            }
            let adjusted = Multiplicity.adjusted(estimates.map(\.p))
            verdicts = zip(estimates, adjusted).map { $0.verdict(adjustedP: $1, alpha: spent) }
            if verdicts.contains(.regressed) { break }
            if verdicts.allSatisfy({ $0 == .equivalent || $0 == .improved }) { break }
        }
        return verdicts
    }

    private func share(
        of repeats: Int,
        seed: UInt64,
        _ isCounted: (inout Machine) -> Bool
    ) -> Double {
        var machine = Machine(seed: seed)
        let count = (0..<repeats).filter { _ in isCounted(&machine) }.count
        return Double(count) / Double(repeats)
    }

    @Test func `identical builds are never called slower, and mostly called equal`() {
        let wrong = share(of: 300, seed: 1) {
            compare(&$0, shift: 0, routes: 3).contains(.regressed)
        }
        // Times that spread by a fifth: on a restless machine the answer is inconclusive instead.
        let equal = share(of: 60, seed: 2) {
            compare(&$0, shift: 0, routes: 3, deviation: 0.15).allSatisfy { $0 == .equivalent }
        }
        #expect(wrong == 0)
        #expect(equal >= 0.9, "\(equal)")
    }

    /// What a share of 5 % shows of 400 at most, at 99.9 %: 8.4 %.
    private static let most = 0.05 + 3.1 * (0.05 * 0.95 / 400).squareRoot()

    @Test func `a slowdown of exactly the threshold is called slower in at most 5 of 100`() {
        let wrong = share(of: 400, seed: 3) {
            compare(&$0, shift: Double.log(onePlus: 0.05)).contains(.regressed)
        }
        #expect(wrong <= Self.most, "\(wrong)")
    }

    @Test func `a slowdown that one cares about passes for equal in at most 5 of 100`() {
        let wrong = share(of: 400, seed: 4) {
            compare(&$0, shift: Double.log(onePlus: 0.05001)).contains(.equivalent)
        }
        #expect(wrong <= Self.most, "\(wrong)")
    }

    @Test func `+30 % on one of three routes is found, and nothing else is named`() {
        let found = share(of: 100, seed: 5) {
            let verdicts = compare(&$0, shift: Double.log(1.3), routes: 3)
            return verdicts[0] == .regressed && !verdicts.dropFirst().contains(.regressed)
        }
        #expect(found >= 0.97, "\(found)")
    }

    @Test func `+15 % is found within 40 rounds`() {
        let found = share(of: 60, seed: 6) {
            compare(&$0, shift: Double.log(1.15)).contains(.regressed)
        }
        #expect(found >= 0.9, "\(found)")
    }

    @Test func `a build that is a third faster is never called slower`() {
        let verdicts = share(of: 60, seed: 7) {
            compare(&$0, shift: Double.log(0.7)) == [.improved]
        }
        #expect(verdicts >= 0.9, "\(verdicts)")
    }

    @Test func `a baseline that differs from itself makes the answer unstable`() throws {
        let shifts = (0..<10).map { 0.10 + Double($0) * 0.001 }
        let threshold = ShiftThreshold(share: 0.05, least: 0, misrate: 0.05)
        let estimate = try #require(
            ShiftEstimate(shifts: shifts, controls: shifts, level: 1e6, threshold: threshold)
        )
        #expect(estimate.verdict(adjustedP: estimate.p, alpha: 0.05) == .unstable)
        // The control: a second baseline that is like the first.
        let quiet = try #require(
            ShiftEstimate(
                shifts: shifts,
                controls: shifts.map { $0 - 0.1045 },
                level: 1e6,
                threshold: threshold
            )
        )
        #expect(quiet.verdict(adjustedP: quiet.p, alpha: 0.05) == .regressed)
    }

    @Test func `a change that is smaller than the least one that counts is none`() throws {
        let shifts = (0..<10).map { 0.30 + Double($0) * 0.001 }
        let controls = (0..<10).map { Double($0 - 5) * 0.001 }
        // 0.1 ms, 30 % more: below 0.5 ms.
        let threshold = ShiftThreshold(share: 0.05, least: 0.5e6, misrate: 0.05)
        let small = try #require(
            ShiftEstimate(shifts: shifts, controls: controls, level: 0.1e6, threshold: threshold)
        )
        #expect(small.verdict(adjustedP: small.p, alpha: 0.05) == .equivalent)
        let large = try #require(
            ShiftEstimate(shifts: shifts, controls: controls, level: 10e6, threshold: threshold)
        )
        #expect(large.verdict(adjustedP: large.p, alpha: 0.05) == .regressed)
    }

    @Test func `too few rounds for the number of routes give no regression, whatever they show`() {
        // 3 rounds: the smallest p is 1/8.
        #expect(SignedRank.oneSidedP([1, 2, 3]) == 0.125)
        #expect(RoundsNeeded.fewest(questions: 1, alpha: 0.05) == 5)
        #expect(RoundsNeeded.fewest(questions: 5, alpha: 0.05) == 7)
        #expect(RoundsNeeded.fewest(questions: 20, alpha: 0.05) == 9)
        #expect(RoundsNeeded.fewest(questions: 50, alpha: 0.05) == 10)
        #expect(RoundsNeeded.fewest(questions: 100, alpha: 0.05) == 11)
    }

    @Test func `what the looks spend adds up to alpha`() {
        for (first, most) in [(10, 40), (1, 1), (6, 63), (10, 10)] {
            let looks = Looks(first: first, most: most)
            #expect(looks.rounds.last == max(first, most))
            let sum = looks.rounds.indices.reduce(0) { $0 + looks.share(at: $1) }
            #expect(abs(sum - 1) < 1e-12)
        }
        #expect(Looks(first: 10, most: 40).rounds == [10, 15, 23, 35, 40])
    }

    @Test func `a tail is told only where ten requests lie beyond it`() {
        var machine = Machine(seed: 8)
        func times(_ factor: Double) -> [[Double]] {
            (0..<10).map { _ in
                (0..<50).map { _ in 1e6 * factor * Double.exp(0.3 * machine.normal()) }
            }
        }
        let (before, after) = (times(1), times(2))
        let shifts = ClusterBootstrap.shifts(
            before: before,
            after: after,
            shares: [0.5, 0.95, 0.99],
            seed: 1,
            resamples: 200
        )
        #expect(shifts[0].map { $0.lower > 0.5 && $0.upper < 0.9 } == true)
        #expect(shifts[1].map { $0.lower > 0.3 && $0.upper < 1.1 } == true)
        // 500 requests have five beyond their p99.
        #expect(shifts[2] == nil)
        // What is told are the quantiles of all that was measured.
        for (index, share) in [0.5, 0.95].enumerated() {
            let (old, new) = (before.flatMap { $0 }.sorted(), after.flatMap { $0 }.sorted())
            let expected = logRatio(
                Center.quantile(ofSorted: new, share) ?? 0,
                Center.quantile(ofSorted: old, share) ?? 0
            )
            #expect(shifts[index].map { abs($0.center - expected) < 1e-12 } == true)
        }
    }
}
