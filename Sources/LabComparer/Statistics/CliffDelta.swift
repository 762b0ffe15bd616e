// How often the one is larger than the other: an effect without a unit.

/// Cliff's delta (1993): P(after > before) − P(after < before), from −1 to 1.
public struct CliffDelta: Sendable, Equatable {
    /// The value.
    public let value: Double

    /// Of all pairs of values; 0 where there are none.
    public init(after: [Double], before: [Double]) {
        guard !after.isEmpty, !before.isEmpty else {
            value = 0
            return
        }
        let sorted = before.sorted()
        var balance = 0
        for one in after {
            balance += Self.count(in: sorted) { $0 < one }
            balance -= sorted.count - Self.count(in: sorted) { $0 <= one }
        }
        value = Double(balance) / (Double(after.count) * Double(before.count))
    }

    /// The usual words for its size, by Romano and others 2006.
    public var word: String {
        switch abs(value) {
        case ..<0.147: "negligible"
        case ..<0.33: "small"
        case ..<0.474: "medium"
        default: "large"
        }
    }

    /// How many of a sorted sample are on the near side of a bound.
    private static func count(in sorted: [Double], _ isNear: (Double) -> Bool) -> Int {
        var low = 0
        var high = sorted.count
        while low < high {
            let middle = (low + high) / 2
            if isNear(sorted[middle]) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
