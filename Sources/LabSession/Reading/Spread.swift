// How a set of durations, or of other quantities, is spread: percentiles that the set can carry.

/// The percentiles of a set of values, all in the unit that the property holding it names.
///
/// A percentile is nil where fewer than `10 / (1 − p)` values are known: the 99th percentile of
/// fifty requests is the slowest of them and no more.
public struct Spread: Codable, Sendable, Equatable {
    /// How many values there are.
    public var count: Int
    /// The median; nil below 20 values.
    public var p50: Int64?
    /// The 90th percentile; nil below 100 values.
    public var p90: Int64?
    /// The 99th percentile; nil below 1000 values.
    public var p99: Int64?
    /// The 99.9th percentile; nil below 10,000 values.
    public var p999: Int64?
    /// The largest value; nil where there is none.
    public var max: Int64?

    /// Makes the spread of values; the array is taken over and sorted in place.
    public init(_ values: consuming [Int64]) {
        var sorted = values
        sorted.sort()
        self.init(count: sorted.count, largest: sorted.last) { sorted[$0 - 1] }
    }

    /// Makes the spread of a histogram: values, each with how often it was seen, ascending.
    public init(buckets: [(value: Int64, count: Int)]) {
        var running = 0
        let ends = buckets.map { bucket in
            running += bucket.count
            return running
        }
        self.init(count: running, largest: buckets.last { $0.count > 0 }?.value) { rank in
            buckets[ends.firstIndex { $0 >= rank } ?? buckets.count - 1].value
        }
    }

    // `value` gives the value of a rank, from 1 to `count`, in ascending order.
    private init(count: Int, largest: Int64?, value: (Int) -> Int64) {
        // Nearest rank, in whole numbers: 0.9 * 10 is not 9 in floating point on every machine.
        func percentile(perMille: Int) -> Int64? {
            guard count * (1000 - perMille) >= 10_000 else { return nil }
            return value((count * perMille + 999) / 1000)
        }
        self.count = count
        p50 = percentile(perMille: 500)
        p90 = percentile(perMille: 900)
        p99 = percentile(perMille: 990)
        p999 = percentile(perMille: 999)
        max = count > 0 ? largest : nil
    }
}
