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

/// What of the target's cookies and tokens is sent in place of the captured ones.
public enum Correlation: Sendable, Equatable {
    /// Nothing: all is sent as captured.
    case off
    /// What the captured sessions show.
    case automatic
    /// What these rules say.
    case rules(CorrelationRules)
}

/// How a session is sent again.
public struct ReplaySettings: Sendable, Equatable {
    /// Where to send, as it stands in `Host`.
    public var target: Authority
    /// The target's addresses; the first that can be reached is kept to.
    public var addresses: [ReplayAddress]
    /// Which captured connections make one session.
    public var sessions = SessionRule.connection
    /// On which connections a session's requests are sent.
    public var connections = ConnectionUse.captured
    /// When sessions start, and when the requests in them are sent.
    public var shape = LoadShape()
    /// What of the target's cookies and tokens is sent in place of the captured ones.
    public var correlation = Correlation.off
    /// Which part of the sessions is sent, at the times that it has among all; nil for all.
    public var shard: Shard?
    /// How many sessions are sent at the same time, in a closed loop.
    public var concurrency = 10
    /// How many threads send; no more than ``concurrency`` are used.
    public var threads = 1
    /// How many requests to send, those of the warm-up not counted, the session taken again from
    /// its start as often as needed; nil for no such bound.
    public var requests: Int?
    /// For how long to start requests after the warm-up, nanoseconds, the session taken again as
    /// often as needed; nil for no such bound.
    public var durationNs: Int64?
    /// How many passes over the session at most; nil for no such bound.
    public var loops: Int?
    /// How many requests at the start of the schedule stay out of the statistics.
    public var warmupRequests = 0
    /// For how long at the start requests stay out of the statistics, nanoseconds.
    public var warmupNs: Int64 = 0
    /// How long requests in flight have to end when nothing new starts, nanoseconds.
    public var graceNs: Int64 = 5_000_000_000
    /// When the first session may start, nanoseconds of `CLOCK_MONOTONIC`; nil for at once.
    public var startAtNs: Int64?
    /// How long a whole response may take from the first byte sent, nanoseconds.
    public var timeoutNs: Int64 = 10_000_000_000
    /// How long a connection may take to open, nanoseconds.
    public var connectTimeoutNs: Int64 = 5_000_000_000
    /// Whether hop-by-hop fields are sent as captured: true for a session that the built-in server
    /// recorded, false for one recorded by a proxy, whose upstream never saw them.
    public var keepsHopByHop: Bool
    /// What is changed in the captured requests.
    public var changes = RequestChanges()
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

    /// How many passes over the session at most; nil where time or requests alone decide.
    var mostRounds: Int? { loops ?? (requests != nil || durationNs != nil ? nil : 1) }

    /// How many requests at most, those of the warm-up counted; nil where passes or time decide.
    var mostRequests: Int? {
        requests.map { $0.addingReportingOverflow(warmupRequests) }.map { $1 ? .max : $0 }
    }

    /// The instant after which no request starts, where the replay starts at `startNs`.
    func deadline(from startNs: Int64) -> Int64 {
        guard let durationNs else { return .max }
        let (span, isOver) = durationNs.addingReportingOverflow(warmupNs)
        let (deadline, isOverToo) = startNs.addingReportingOverflow(span)
        return isOver || isOverToo ? .max : deadline
    }

    /// How many sessions may be under way at a time.
    public var mostAtOnce: Int { max(1, shape.isOpen ? shape.maxInFlight : concurrency) }

    /// How many threads have at least one slot.
    var usedThreads: Int { max(1, min(threads, mostAtOnce)) }
}
