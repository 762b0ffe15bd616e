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
    ///   - shares: Which quantiles, 0 to 1, ascending.
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
        let (first, second) = (PooledRounds(before), PooledRounds(after))
        func shift(_ draws: [Int]) -> [Double] {
            zip(first.quantiles(shares, draws), second.quantiles(shares, draws)).map { old, new in
                guard let old, let new else { return 0 }
                return logRatio(new, old)
            }
        }
        var generator = SeededGenerator(seed: seed)
        var drawn = shares.map { _ in [Double]() }
        for _ in 0..<resamples {
            var draws = before.map { _ in 0 }
            for _ in before { draws[Int.random(in: before.indices, using: &generator)] += 1 }
            for (index, value) in shift(draws).enumerated() { drawn[index].append(value) }
        }
        let centers = shift(before.map { _ in 1 })
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

/// The values of all rounds, sorted once: however often each round is drawn, they stay in order.
private struct PooledRounds {
    private let values: [(value: Double, round: Int)]
    private let counts: [Int]

    init(_ rounds: [[Double]]) {
        counts = rounds.map(\.count)
        values = rounds.enumerated().flatMap { round, values in values.map { ($0, round) } }
            .sorted { $0.value < $1.value }
    }

    /// The quantiles of what was drawn, as ``Center/quantile(ofSorted:_:)`` has them; nil of nothing.
    ///
    /// `shares` ascend; `draws` says how often each round was drawn.
    func quantiles(_ shares: [Double], _ draws: [Int]) -> [Double?] {
        let count = zip(draws, counts).reduce(0) { $0 + $1.0 * $1.1 }
        guard count > 0 else { return shares.map { _ in nil } }
        // How many values lie at or before the one of an index.
        var (index, reached) = (-1, 0)
        func value(at place: Int) -> Double {
            while reached <= place {
                index += 1
                reached += draws[values[index].round]
            }
            return values[index].value
        }
        return shares.map { share in
            let place = share * Double(count - 1)
            let low = value(at: Int(place))
            // The next share may begin where this one ends, and never before it.
            let (lastIndex, lastReached) = (index, reached)
            defer { (index, reached) = (lastIndex, lastReached) }
            let high = Int(place) + 1 < count ? value(at: Int(place) + 1) : low
            return low + (place - Double(Int(place))) * (high - low)
        }
    }
}
