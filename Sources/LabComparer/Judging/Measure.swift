// What is measured of a build, beside what it answers.

/// Something of which less is better.
public enum Measure: String, Sendable, CaseIterable, Hashable {
    /// How long answers took, ns.
    case latency
    /// CPU time of the server's processes, µs.
    case cpu
    /// The most resident memory of the server's processes, KiB.
    case memory
    /// Page faults of the server's processes that took no disk.
    case minorFaults = "minor_faults"
    /// Page faults of the server's processes for which something was read from a disk.
    case majorFaults = "major_faults"

    /// What is measured of the server as a whole.
    static let costs = allCases.filter { $0 != .latency }

    /// What a reason is about that rests on it.
    public var kind: ReasonKind {
        switch self {
        case .latency: .latency
        case .cpu: .cpu
        case .memory, .minorFaults, .majorFaults: .memory
        }
    }

    /// Its name in sentences.
    public var words: String {
        switch self {
        case .latency: "latency"
        case .cpu: "CPU time"
        case .memory: "resident memory"
        case .minorFaults: "minor page faults"
        case .majorFaults: "major page faults"
        }
    }

    /// Whether it counts events, of which there may be none.
    var isCount: Bool { self == .minorFaults || self == .majorFaults }

    /// What a server cost of it; 0 for the latency, which belongs to requests.
    func value(of cost: ServerCost) -> Double {
        switch self {
        case .latency: 0
        case .cpu: cost.cpuUs
        case .memory: cost.residentKib
        case .minorFaults: Double(cost.minorFaults)
        case .majorFaults: Double(cost.majorFaults)
        }
    }
}

extension ComparisonSettings {
    /// The practical threshold of a measure, a share.
    func threshold(of measure: Measure) -> Double {
        measure.isCount ? max(threshold, faultThreshold) : threshold
    }

    /// The least change of a measure that counts, in its unit.
    func least(of measure: Measure) -> Double {
        switch measure {
        case .latency: leastNs
        case .cpu: leastCPUUs
        case .memory: leastResidentKib
        case .minorFaults: leastMinorFaults
        case .majorFaults: leastMajorFaults
        }
    }
}
