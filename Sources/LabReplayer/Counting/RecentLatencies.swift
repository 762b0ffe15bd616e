// Latencies while a replay runs: coarse, small enough to be copied ten times in a second, and only
// for the line that is shown meanwhile.

/// Counts of latencies, eight steps to each power of two.
public struct RecentLatencies: Sendable, Equatable {
    private var counts = [UInt32](repeating: 0, count: 512)

    /// Makes counts of nothing.
    public init() {}

    /// Counts a latency in nanoseconds; below 0 it is 0.
    @inline(__always)
    mutating func record(_ latencyNs: Int64) {
        counts[Self.place(of: UInt64(max(0, latencyNs)))] &+= 1
    }

    @inline(__always)
    private static func place(of value: UInt64) -> Int {
        guard value >= 8 else { return Int(value) }
        let power = 63 - value.leadingZeroBitCount
        return (power << 3) | (Int(truncatingIfNeeded: value >> UInt64(power - 3)) & 7)
    }

    /// Adds the counts of another worker.
    mutating func add(_ other: RecentLatencies) {
        for place in counts.indices { counts[place] &+= other.counts[place] }
    }

    /// What was counted since `earlier`, a state of the same counts.
    public func since(_ earlier: RecentLatencies) -> RecentLatencies {
        var rest = self
        for place in counts.indices { rest.counts[place] &-= earlier.counts[place] }
        return rest
    }

    /// The latency below which `percent` of all lie, nanoseconds, to an eighth; nil where fewer than
    /// ten lie beyond it.
    public func percentile(_ percent: Double) -> Int64? {
        let all = counts.reduce(0) { $0 + Int($1) }
        guard all >= LatencySpread.needed(for: percent) else { return nil }
        let rank = Int((Double(all) * percent / 100).rounded(.up))
        var seen = 0
        for (place, count) in counts.enumerated() {
            seen += Int(count)
            guard seen >= rank else { continue }
            return place < 24 ? Int64(place) : Int64(8 | (place & 7)) << Int64((place >> 3) - 3)
        }
        return nil
    }
}
