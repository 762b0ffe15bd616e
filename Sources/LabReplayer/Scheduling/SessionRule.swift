// What a replay treats as one client: which captured connections belong together, and on which
// connections of its own they are sent.

/// Which captured connections make one session: a client's chain of connections, sent in order,
/// each request only after the whole answer to the one before.
public enum SessionRule: Sendable, Equatable {
    /// Each captured connection is a session.
    case connection
    /// Connections from one address, each begun no later than `gapNs` after the one before ended.
    case client(gapNs: Int64)
    /// Connections on which the same value of this cookie was sent or set.
    case cookie(name: String)

    /// The gap after which an address is taken for another client, unless one is given: 60 s.
    public static let usualGapNs: Int64 = 60_000_000_000
}

/// On which connections the requests of a session are sent.
public enum ConnectionUse: String, Sendable, CaseIterable {
    /// As captured: a connection for each captured one, closed after its last request.
    case captured
    /// One connection for each session.
    case session
    /// Connections outlive sessions: the next session goes on with one that is open.
    case shared
    /// A connection for each request.
    case perRequest = "per-request"
}
