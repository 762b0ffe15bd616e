// The durations of a replay, sorted by what was measured and of which requests.

public import Histogram

/// What was measured.
public enum LatencyKind: String, Sendable, CaseIterable {
    /// From the moment when a request was due to its answer's last byte: what a user waits. It has a
    /// meaning in an open loop only.
    case response
    /// From a request's first byte sent to its answer's last byte.
    case service
    /// From the moment when a request was due to its first byte sent; in an open loop only.
    case lag
}

/// Durations of one kind, of all requests or of some.
public struct LatencySeries: Sendable {
    /// Which requests.
    public enum Part: Sendable, Equatable {
        case all
        /// Those whose answer has a status of this hundred, such as 2 for 200 to 299.
        case statusClass(Int)
        /// Those that had no answer in time, in a series of response times.
        case timeout
        /// Those of one route, such as `GET /item/{id}`.
        case route(String)
    }

    /// What was measured.
    public var kind: LatencyKind
    /// Of which requests.
    public var part: Part
    /// The buckets that hold something, lowest first, each by its lowest value in nanoseconds.
    public var buckets: [(bucket: UInt64, count: UInt64)]
    /// What they come to.
    public var spread: LatencySpread

    init(_ kind: LatencyKind, _ part: Part, _ histogram: Histogram<UInt64>) {
        self.kind = kind
        self.part = part
        buckets = histogram.sparse
        spread = LatencySpread(histogram)
    }

    /// The name in `histogram.series`: `service`, `service status 2xx`, `service route GET /`.
    public var name: String {
        switch part {
        case .all: kind.rawValue
        case .statusClass(let hundred): "\(kind.rawValue) status \(hundred)xx"
        case .timeout: "\(kind.rawValue) status timeout"
        case .route(let route): "\(kind.rawValue) route \(route)"
        }
    }
}

/// What a set of durations comes to, nanoseconds.
public struct LatencySpread: Sendable, Equatable {
    /// How many there are.
    public var count: Int
    /// Their mean; nil where there is none.
    public var meanNs: Double?
    /// The largest; nil where there is none.
    public var maxNs: Double?
    private var percentiles: [Double] = []

    /// The percentiles that are worked out.
    private static let known = [50, 90, 95, 99, 99.9, 99.99]

    /// Reads a histogram of nanoseconds.
    public init(_ histogram: Histogram<UInt64>) {
        count = Int(clamping: histogram.totalCount)
        guard count > 0 else { return }
        meanNs = histogram.mean
        maxNs = Double(histogram.max)
        percentiles = Self.known.prefix { count >= Self.needed(for: $0) }
            .map { Double(histogram.valueAtPercentile($0)) }
    }

    /// The value below which `percent` of all lie, one of 50, 90, 95, 99, 99.9 and 99.99; nil where
    /// there are too few to say: ten must lie beyond it, or it is one value's accident.
    public func percentile(_ percent: Double) -> Double? {
        guard let place = Self.known.firstIndex(of: percent), place < percentiles.count else {
            return nil
        }
        return percentiles[place]
    }

    /// How many values a percentile needs.
    static func needed(for percent: Double) -> Int { Int((1000 / (100 - percent)).rounded()) }
}
