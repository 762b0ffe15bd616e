// What a replay says of itself: while it runs, and when it is over.

public import Histogram
public import LabExchange

/// How far a replay has come.
public struct ReplayProgress: Sendable, Equatable {
    /// Requests begun: sent, or tried to be sent.
    public var sent = 0
    /// Requests that are over, one way or the other.
    public var done = 0
    /// Requests that had a whole response.
    public var ok = 0
    /// Requests that had none.
    public var errors = 0
    /// Requests whose end is not the captured one, errors included.
    public var mismatches = 0
    /// Requests of sessions that could not start when they were due.
    public var dropped = 0
    /// Latencies of whole answers so far, coarse: response times in an open loop, else service times.
    public var latencies = RecentLatencies()
    /// Time since the start, nanoseconds.
    public var elapsedNs: Int64 = 0
    /// How many requests there will be, where that is known.
    public var planned: Int?
    /// How long the schedule still takes, nanoseconds, where the clock decides.
    public var leftNs: Int64?

    /// Makes progress of nothing.
    public init() {}
}

/// Exchanges that were not sent, because they cannot be.
public struct SkippedExchanges: Sendable, Equatable {
    /// Why an exchange cannot be sent.
    public enum Reason: String, Sendable, CaseIterable {
        /// It was refused when it was captured.
        case badRequest = "bad_request"
        /// It became a tunnel.
        case tunnel
        /// Its head does not parse.
        case unreadableHead = "unreadable_head"
        /// Not all of its content is in the session.
        case incompleteContent = "incomplete_content"
        /// Its method is not one that is to be sent.
        case methodNotAllowed = "method_not_allowed"
        /// A rule made of its target what no request can name.
        case rewrittenTarget = "rewritten_target"
    }

    /// Why they cannot be sent.
    public var reason: Reason
    /// How they ended when they were captured.
    public var outcome: ExchangeOutcome
    /// How many there are in the session.
    public var count: Int

    /// Makes an entry.
    public init(reason: Reason, outcome: ExchangeOutcome, count: Int) {
        self.reason = reason
        self.outcome = outcome
        self.count = count
    }
}

/// What a whole replay came to.
public struct ReplaySummary: Sendable {
    /// Requests that are over, the warm-up left out, as in all figures below; each has one result.
    public var requests = 0
    /// Requests that had a whole response.
    public var ok = 0
    /// Requests that had none: `requests - ok`.
    public var errors = 0
    /// Results whose `matches` is false, errors included.
    public var mismatches = 0
    /// Requests that are over and belong to the warm-up; each has one result too.
    public var warmup = 0
    /// Requests of sessions that could not start when they were due, for too many were under way.
    public var dropped = 0
    /// Those sessions.
    public var sessionsDropped = 0
    /// How often a cookie or token was sent as captured, because the target had given none in its
    /// place; the warm-up's are counted too.
    public var correlationMisses = 0
    /// Sessions of which at least one request was sent, the warm-up's included.
    public var sessionsStarted = 0
    /// Sessions of which all requests were sent.
    public var sessionsCompleted = 0
    /// Requests that left more than 1 ms after they were due; none in a closed loop.
    public var late = 0
    /// Those of them that were due before the answer to the one before came: the target's lateness.
    public var lateBehindAnswer = 0
    /// Requests that were in flight when the replay was stopped, and have no result.
    public var abandoned = 0
    /// When the first request was sent, nanoseconds of `CLOCK_MONOTONIC`; 0 where none was.
    public var startedNs: Int64 = 0
    /// When the last request was over, nanoseconds of `CLOCK_MONOTONIC`; 0 where none was.
    public var endedNs: Int64 = 0
    /// Results by outcome; what did not happen is not in it.
    public var byOutcome: [ReplayOutcome: Int] = [:]
    /// Results by status, those without an answer left out.
    public var byStatus: [Int: Int] = [:]
    /// Results that do not match, by why (``ReplayResult/mismatch``).
    public var byMismatch: [String: Int] = [:]
    /// What was measured: first of all requests, the primary kind first, then by status and route.
    public var series: [LatencySeries] = []
    /// The latencies of all requests, of the primary kind, nanoseconds.
    public var histogram = Histogram<UInt64>.latencies()
    /// How many TCP connections were opened.
    public var connectionsOpened = 0
    /// Whether ``Replayer/stop()`` or ``Replayer/abort()`` ended it.
    public var wasInterrupted = false
    /// Exchanges of the session that cannot be sent.
    public var skipped: [SkippedExchanges] = []
    /// Whether no answer came to any request, though some were captured with one.
    public var targetNeverAnswered = false

    /// Makes the summary of nothing.
    public init() {}

    /// What latency means in this replay: response times in an open loop, else service times.
    public var primary: LatencyKind { series.first?.kind ?? .service }
}
