// A load and its latencies, as JSON.

import LabReplayer

/// What shape a replay's load has: `load` in its settings and in its totals.
struct LoadWords: Encodable {
    /// `closed`: a session starts when one has ended; `open`: sessions start by the clock.
    var loop: String
    var pace: String
    var speed: Double
    var maxGapS: Double?
    var rate: Double?
    var rateUnit: String?
    var arrival: String?
    var atOnce: Int
    var sessions: String
    var connections: String

    init(_ settings: ReplaySettings) {
        let shape = settings.shape
        loop = shape.isOpen ? "open" : "closed"
        pace = shape.pace.rawValue
        speed = shape.speed
        maxGapS = shape.maxGapNs.map { Double($0) / 1e9 }
        rate = shape.rate?.perSecond
        rateUnit = shape.rate?.unit.rawValue
        arrival = shape.rate?.arrival.rawValue
        atOnce = settings.mostAtOnce
        sessions = settings.sessions.defaultValueDescription
        connections = settings.connections.rawValue
    }
}

/// Durations in milliseconds; a percentile for which there are too few is null.
struct LatencyWords: Encodable {
    private let spread: LatencySpread?

    init(_ spread: LatencySpread?) { self.spread = spread }

    private enum Key: String, CodingKey {
        case count, mean, p50, p90, p95, p99, p999, p9999, max
    }

    /// Every key is always there: null where it can't be told.
    func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Key.self)
        func milliseconds(_ value: Double?) -> Double? { value.map { $0 / 1e6 } }
        try members.encode(spread?.count ?? 0, forKey: .count)
        try members.encode(milliseconds(spread?.meanNs), forKey: .mean)
        let percentiles: [(Key, Double)] = [
            (.p50, 50), (.p90, 90), (.p95, 95), (.p99, 99), (.p999, 99.9), (.p9999, 99.99),
        ]
        for (key, percent) in percentiles {
            try members.encode(milliseconds(spread?.percentile(percent)), forKey: key)
        }
        try members.encode(milliseconds(spread?.maxNs), forKey: .max)
    }
}
