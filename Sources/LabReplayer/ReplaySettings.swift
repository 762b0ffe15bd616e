// What a replay is told: where to send, how much at once, for how long.

public import LabWire

/// Of which answers a replay keeps the bytes, so that `onResults` is given them.
///
/// A content that is the captured one is never given: it is the exchange's `responseBody`, and
/// `differingBody` is nil. Any other is given up to ``ReplaySettings/mostBodyBytes``, with the digest
/// and the size of the whole. Heads are given whole: LabWire's reader bounds them.
public enum Keeping: String, Sendable, CaseIterable {
    /// Every answer's head, and every content that is not the captured one.
    case all
    /// The heads of the answers that do not match, and every content that is not the captured one.
    case differing = "diff"
    /// Nothing at all: there are totals, and no results.
    case nothing = "none"
}

/// How a session is sent again.
public struct ReplaySettings: Sendable, Equatable {
    /// Where to send, as it stands in `Host`.
    public var target: Authority
    /// The target's addresses; the first that can be reached is kept to.
    public var addresses: [ReplayAddress]
    /// How many captured connections are sent at the same time.
    public var concurrency = 10
    /// How many threads send; no more than ``concurrency`` are used.
    public var threads = 1
    /// How many requests to send, the session taken again from its start as often as needed;
    /// nil for no such bound.
    public var requests: Int?
    /// For how long to start requests, nanoseconds, the session taken again as often as needed;
    /// nil for no such bound.
    public var durationNs: Int64?
    /// How long a whole response may take from the first byte sent, nanoseconds.
    public var timeoutNs: Int64 = 10_000_000_000
    /// How long a connection may take to open, nanoseconds.
    public var connectTimeoutNs: Int64 = 5_000_000_000
    /// Whether hop-by-hop fields are sent as captured: true for a session that the built-in server
    /// recorded, false for one recorded by a proxy, whose upstream never saw them.
    public var keepsHopByHop: Bool
    /// What it takes for an answer to match.
    public var matching = Matching()
    /// Of which answers the results carry the head and the content.
    public var keeping = Keeping.differing
    /// How much of a differing content is kept, bytes.
    public var mostBodyBytes = 1 << 20

    /// Makes settings for a target; all else has its default.
    public init(target: Authority, addresses: [ReplayAddress], keepsHopByHop: Bool) {
        self.target = target
        self.addresses = addresses
        self.keepsHopByHop = keepsHopByHop
    }

    /// Whether the session is taken again from its start.
    var repeats: Bool { requests != nil || durationNs != nil }

    /// The instant after which no request starts, where the replay starts at `startNs`.
    func deadline(from startNs: Int64) -> Int64 {
        guard let durationNs else { return .max }
        let (deadline, isOver) = startNs.addingReportingOverflow(durationNs)
        return isOver ? .max : deadline
    }

    /// How many threads have at least one slot.
    var usedThreads: Int { max(1, min(threads, concurrency)) }
}
