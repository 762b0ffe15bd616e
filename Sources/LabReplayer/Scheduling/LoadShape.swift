// The shape of the load: a value that says when sessions start and when their requests are sent.

import Glibc

/// When sessions start, and when the requests in them are sent.
public struct LoadShape: Sendable, Equatable {
    /// When a request of a session is sent, once the one before it is answered.
    public enum Pace: String, Sendable, CaseIterable {
        /// At once.
        case asap
        /// When it was captured, counted from the start of the session; at once where that is past.
        case recorded
        /// After the time that the client took to think: from the answer before it to it.
        case think
    }

    /// How sessions, or requests, arrive at a rate.
    public struct Rate: Sendable, Equatable {
        /// What is counted.
        public enum Unit: String, Sendable, CaseIterable {
            case sessions
            case requests
        }

        /// How arrivals are spread.
        public enum Arrival: String, Sendable, CaseIterable {
            /// At equal distances.
            case const
            /// Independently of each other, as many clients come: a Poisson process.
            case poisson
        }

        /// How many start in a second, above 0.
        public var perSecond: Double
        /// Of what.
        public var unit: Unit
        /// How they are spread.
        public var arrival: Arrival
        /// What the gaps of a Poisson process are drawn from: equal seeds give equal gaps.
        public var seed: UInt64

        /// Makes a rate.
        public init(
            perSecond: Double,
            unit: Unit = .sessions,
            arrival: Arrival = .const,
            seed: UInt64 = 1
        ) {
            self.perSecond = perSecond
            self.unit = unit
            self.arrival = arrival
            self.seed = seed
        }
    }

    /// When requests inside a session are sent; without a rate, ``Pace/recorded`` starts sessions too.
    public var pace = Pace.asap
    /// What captured gaps are divided by, above 0.
    public var speed = 1.0
    /// The longest gap inside a session and between the starts of two, nanoseconds, as it is sent.
    public var maxGapNs: Int64?
    /// How fast sessions or requests start; nil for no rate.
    public var rate: Rate?
    /// How many sessions may be under way in an open loop.
    public var maxInFlight = 10_000
    /// The captured time that a pass of ``Pace/recorded`` takes, nanoseconds; nil for that from the
    /// first session sent to the last.
    ///
    /// A shard has that of the whole, so that all shards together are the schedule of one machine.
    public var span: Range<Int64>?

    /// Makes the shape of a closed loop.
    public init() {}

    /// Whether sessions start by the clock, and not when others have ended.
    public var isOpen: Bool { rate != nil || pace == .recorded }

    /// A captured gap as it is sent.
    func paced(_ gapNs: Int64) -> Int64 {
        let scaled = Double(max(0, gapNs)) / speed
        // A year is for ever, and leaves room to add.
        return min(Int64(min(scaled, 3.2e16)), maxGapNs ?? .max)
    }
}

/// Moments at a rate, one after the other, nanoseconds from the start.
struct Arrivals: Sendable {
    /// The mean distance, nanoseconds.
    let gapNs: Double
    private let isRandom: Bool
    private var state: UInt64
    private var number = 0.0
    private var atNs = 0.0

    init(_ rate: LoadShape.Rate) {
        gapNs = 1e9 / rate.perSecond
        isRandom = rate.arrival == .poisson
        state = rate.seed
    }

    /// The next moment; the first one is 0 at equal distances.
    mutating func next() -> Int64 {
        guard isRandom else {
            // A product and not a sum, so that no error grows.
            defer { number += 1 }
            return Int64(min(number * gapNs, 9e18))
        }
        atNs += -log(1 - uniform()) * gapNs
        return Int64(min(atNs, 9e18))
    }

    /// SplitMix64, the upper 53 bits: from 0 to below 1.
    private mutating func uniform() -> Double {
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        bits ^= bits >> 31
        return Double(bits >> 11) * 0x1p-53
    }
}
