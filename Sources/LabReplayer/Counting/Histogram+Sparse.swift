// The histogram as a session keeps it: only buckets that hold something, each named by its lowest
// value. Equal layouts make merging exact: counts are added, nothing is interpolated.

public import Histogram

extension Histogram where Count == UInt64 {
    /// An empty histogram of nanoseconds: 1 µs apart at the low end, up to one hour, 3 digits.
    public static func latencies() -> Histogram<UInt64> {
        Histogram(
            lowestDiscernibleValue: 1000,
            highestTrackableValue: 3_600_000_000_000,
            numberOfSignificantValueDigits: .three
        )
    }

    /// The buckets that hold something, lowest first, each by its lowest value in nanoseconds.
    public var sparse: [(bucket: UInt64, count: UInt64)] {
        recordedValues().map { (lowestEquivalentForValue($0.value), $0.count) }
    }

    /// Adds the buckets of another histogram of the same layout, such as ``sparse`` gives.
    ///
    /// Adding whole histograms is `add`, which is exact too.
    public mutating func add(sparse: some Sequence<(bucket: UInt64, count: UInt64)>) {
        for (bucket, count) in sparse { record(bucket, count: count) }
    }
}
