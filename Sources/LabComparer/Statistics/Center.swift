// The middle of a sample, and how well it is known, without an assumption of normality.

import RealModule

/// An estimate and the bounds that hold it.
public struct Bounds: Sendable, Equatable {
    /// The lower bound.
    public var lower: Double
    /// The estimate.
    public var center: Double
    /// The upper bound.
    public var upper: Double

    /// Makes bounds.
    public init(lower: Double, center: Double, upper: Double) {
        self.lower = lower
        self.center = center
        self.upper = upper
    }

    /// Half of the distance between the bounds.
    public var halfWidth: Double { (upper - lower) / 2 }
}

/// Estimates of location.
enum Center {
    /// The median; nil of nothing.
    static func median(_ values: [Double]) -> Double? {
        guard !values.isEmpty else { return nil }
        return middle(ofSorted: values.sorted())
    }

    /// The median of the Walsh averages (Hodges and Lehmann 1963), and the exact signed-rank bounds.
    ///
    /// - Parameters:
    ///   - values: One per round, at least one.
    ///   - misrate: How often the bounds may miss, both sides together.
    /// - Returns: Infinite bounds where so few values can't be held at that rate: for 5 % fewer
    ///   than 6. nil of nothing.
    static func bounds(_ values: [Double], misrate: Double) -> Bounds? {
        guard !values.isEmpty else { return nil }
        var averages: [Double] = []
        averages.reserveCapacity(values.count * (values.count + 1) / 2)
        for (index, value) in values.enumerated() {
            for other in values[index...] { averages.append((value + other) / 2) }
        }
        let last = averages.count - 1
        // Four of them are asked for: to sort all would be most of the work.
        let (low, high) = (select(last / 2, of: &averages), select((last + 1) / 2, of: &averages))
        let center = last.isMultiple(of: 2) ? low : (low + high) / 2
        guard let cut = SignedRank.margin(count: values.count, misrate: misrate), cut <= last / 2
        else { return Bounds(lower: -.infinity, center: center, upper: .infinity) }
        return Bounds(
            lower: select(cut, of: &averages),
            center: center,
            upper: select(last - cut, of: &averages)
        )
    }

    /// The value that would stand at a place if the values were sorted (Hoare's selection 1961); puts
    /// them into another order.
    private static func select(_ place: Int, of values: inout [Double]) -> Double {
        values.withUnsafeMutableBufferPointer { all in
            var (first, last) = (0, all.count - 1)
            while first < last {
                let pivot = all[place]
                var (left, right) = (first, last)
                while left <= right {
                    while all[left] < pivot { left += 1 }
                    while pivot < all[right] { right -= 1 }
                    guard left <= right else { break }
                    all.swapAt(left, right)
                    left += 1
                    right -= 1
                }
                if right < place { first = left }
                if place < left { last = right }
            }
            return all[place]
        }
    }

    /// The value below which a share of a sorted sample lies, interpolated (type 7 of Hyndman and
    /// Fan 1996, what most programs give); nil of nothing.
    static func quantile(ofSorted values: [Double], _ share: Double) -> Double? {
        guard let last = values.last else { return nil }
        let place = share * Double(values.count - 1)
        let index = Int(place)
        guard index + 1 < values.count else { return last }
        return values[index] + (place - Double(index)) * (values[index + 1] - values[index])
    }

    private static func middle(ofSorted values: [Double]) -> Double {
        let half = values.count / 2
        return values.count.isMultiple(of: 2)
            ? (values[half - 1] + values[half]) / 2 : values[half]
    }
}

/// How much longer `after` took than `before`, as a logarithm: 0 for the same, additive over steps.
///
/// Times of 0 count as one unit, so that a clock too coarse for what it measures gives no infinity.
func logRatio(_ after: Double, _ before: Double) -> Double {
    Double.log(max(after, 1)) - Double.log(max(before, 1))
}
