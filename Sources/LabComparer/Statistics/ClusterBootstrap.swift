// How well a quantile of pooled times is known: rounds are drawn again, never single requests,
// for the requests of one round have the machine's mood in common.

import RealModule

/// The shift of a quantile between two sets of rounds, with percentile bounds.
enum ClusterBootstrap {
    /// Whether a quantile of so many pooled values says anything: ten must lie beyond it.
    static func canTell(count: Int, share: Double) -> Bool {
        Double(count) * min(share, 1 - share) >= 9.999
    }

    /// `ln Q(after) − ln Q(before)` for each share, resampling whole rounds.
    ///
    /// - Parameters:
    ///   - before: The times of each round, ns.
    ///   - after: Those of the other build, in the same order of rounds.
    ///   - shares: Which quantiles, 0 to 1.
    ///   - seed: What makes it repeatable.
    ///   - resamples: How often rounds are drawn.
    ///   - misrate: How often the bounds may miss.
    /// - Returns: For each share the bounds; nil where too few requests lie beyond it.
    static func shifts(
        before: [[Double]],
        after: [[Double]],
        shares: [Double],
        seed: UInt64,
        resamples: Int = 2000,
        misrate: Double = 0.05
    ) -> [Bounds?] {
        let total = min(before.reduce(0) { $0 + $1.count }, after.reduce(0) { $0 + $1.count })
        let usable = shares.map { canTell(count: total, share: $0) }
        guard before.count == after.count, usable.contains(true) else {
            return shares.map { _ in nil }
        }
        func shift(_ rounds: [Int]) -> [Double] {
            let first = rounds.flatMap { before[$0] }.sorted()
            let second = rounds.flatMap { after[$0] }.sorted()
            return shares.map { share in
                guard let old = Center.quantile(ofSorted: first, share),
                    let new = Center.quantile(ofSorted: second, share)
                else { return 0 }
                return logRatio(new, old)
            }
        }
        var generator = SeededGenerator(seed: seed)
        var drawn = shares.map { _ in [Double]() }
        for _ in 0..<resamples {
            let rounds = before.indices.map { _ in Int.random(in: before.indices, using: &generator)
            }
            for (index, value) in shift(rounds).enumerated() { drawn[index].append(value) }
        }
        let centers = shift(Array(before.indices))
        return shares.indices.map { index in
            guard usable[index] else { return nil }
            let sorted = drawn[index].sorted()
            return Bounds(
                lower: Center.quantile(ofSorted: sorted, misrate / 2) ?? centers[index],
                center: centers[index],
                upper: Center.quantile(ofSorted: sorted, 1 - misrate / 2) ?? centers[index]
            )
        }
    }
}
