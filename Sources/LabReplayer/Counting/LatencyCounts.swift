// Counts of durations in the buckets of the histogram, without the histogram's own cost: no generic
// code, no reference counts, and memory that the system gives only where a bucket is touched.

import Glibc
import Histogram

/// Durations of one worker, in the buckets of `Histogram.latencies()`.
///
/// Not copied while requests are sent: it is a pointer to its counts.
struct LatencyCounts: @unchecked Sendable {
    // Unchecked: one worker writes, and hands it over when it has ended.
    private let counts: UnsafeMutablePointer<UInt64>

    /// 3 digits are 2048 steps below each power of two; the unit is 512 ns, the power of two below
    /// the 1 µs that can be told apart.
    private static let unitBits: UInt64 = 9
    private static let mask: UInt64 = 2047 << 9
    private static let halfBits = 10
    private static let half = 1 << 10
    private static let mostNs: UInt64 = 3_600_000_000_000
    private static let size = place(of: mostNs) + 1

    init() {
        // Zeros that are not touched take no memory: an array would touch them all.
        guard let room = calloc(Self.size, MemoryLayout<UInt64>.stride) else {
            preconditionFailure("no memory for \(Self.size) counts")
        }
        counts = room.bindMemory(to: UInt64.self, capacity: Self.size)
    }

    /// Gives the memory back; nothing may be done with it after.
    func free() { Glibc.free(counts) }

    /// Counts a duration in nanoseconds; below 0 it is 0, above one hour it is one hour.
    @inline(__always)
    func record(_ durationNs: Int64) {
        counts[Self.place(of: min(UInt64(max(0, durationNs)), Self.mostNs))] += 1
    }

    /// The place of a value's bucket, as HdrHistogram counts them.
    @inline(__always)
    private static func place(of value: UInt64) -> Int {
        let bucket = 64 - Int(unitBits) - 11 - (value | mask).leadingZeroBitCount
        let sub = Int(truncatingIfNeeded: value >> (UInt64(bucket) + unitBits))
        return ((bucket + 1) << halfBits) + sub - half
    }

    /// The lowest value of a place.
    private static func lowest(_ place: Int) -> UInt64 {
        var bucket = (place >> halfBits) - 1
        var sub = (place & (half - 1)) + half
        if bucket < 0 {
            sub -= half
            bucket = 0
        }
        return UInt64(sub) << (UInt64(bucket) + unitBits)
    }

    /// Adds all counts to a histogram.
    func add(to histogram: inout Histogram<UInt64>) {
        for place in 0..<Self.size where counts[place] > 0 {
            histogram.record(Self.lowest(place), count: counts[place])
        }
    }
}
