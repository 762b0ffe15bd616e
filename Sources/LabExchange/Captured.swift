// What was captured, as the stages after the session file pass it on.

public import LabWire

/// A body as a session keeps it: each distinct one once.
public struct StoredBody: Sendable, Equatable {
    /// Its row in `body`.
    public var id: Int64
    /// SHA-256 of the whole body, 32 bytes.
    public var digest: [UInt8]
    /// The length of the whole body, bytes.
    public var size: Int64
    /// The body, or as much of its beginning as was kept.
    public var bytes: [UInt8]
    /// Whether less was kept than there was.
    public var isTruncated: Bool

    /// Makes a stored body.
    public init(id: Int64, digest: [UInt8], size: Int64, bytes: [UInt8], isTruncated: Bool) {
        self.id = id
        self.digest = digest
        self.size = size
        self.bytes = bytes
        self.isTruncated = isTruncated
    }
}

/// A captured request with the answer that it had: what a replay sends, and expects.
public struct CapturedExchange: Sendable, Equatable {
    /// Its row in `exchange`.
    public var id: Int64
    /// The connection on which it came.
    public var connectionID: Int64
    /// Its place on that connection, from 1.
    public var sequence: Int
    /// The request's head as it came.
    public var requestHead: [UInt8]
    /// The request's content, without framing; nil where there was none.
    public var requestBody: StoredBody?
    /// The request's trailer section, as it came; empty where there was none.
    public var requestTrailers: [UInt8]
    /// The status that it was answered; nil where no answer came.
    public var status: Int?
    /// The answer's head as it came; nil where there was none, and where it was not asked for.
    public var responseHead: [UInt8]?
    /// The answer's content; nil where there was none.
    public var responseBody: StoredBody?
    /// How it ended.
    public var outcome: ExchangeOutcome
    /// Whether the request was read to its end.
    public var isRequestComplete: Bool
    /// Who sent the request on to the server that answered it; nil where the recorder answered.
    public var intermediary: Intermediary?
    /// When its first byte came, nanoseconds since the first exchange of the session; recordings of
    /// one session follow each other without a gap.
    public var startedNs: Int64
    /// When its answer ended, or as much of it as is known, on the clock of ``startedNs``.
    public var endedNs: Int64
    /// The address of the client that sent it.
    public var client: String

    /// Whether the answer was captured to its end, so that another one can be held against it.
    public var hasWholeAnswer: Bool {
        switch outcome {
        case .clientClosed, .truncated, .upstreamTimeout, .childDied, .appError, .tunnel: false
        case .ok, .badRequest, .upstreamRefused, .upstreamFailed: true
        }
    }

    /// Makes a captured exchange.
    public init(
        id: Int64,
        connectionID: Int64,
        sequence: Int,
        requestHead: [UInt8],
        requestBody: StoredBody?,
        requestTrailers: [UInt8] = [],
        status: Int?,
        responseBody: StoredBody?,
        outcome: ExchangeOutcome,
        isRequestComplete: Bool = true,
        intermediary: Intermediary? = nil,
        startedNs: Int64 = 0,
        endedNs: Int64 = 0,
        client: String = "",
        responseHead: [UInt8]? = nil
    ) {
        self.startedNs = startedNs
        self.endedNs = endedNs
        self.client = client
        self.responseHead = responseHead
        self.intermediary = intermediary
        self.requestTrailers = requestTrailers
        self.isRequestComplete = isRequestComplete
        self.id = id
        self.connectionID = connectionID
        self.sequence = sequence
        self.requestHead = requestHead
        self.requestBody = requestBody
        self.status = status
        self.responseBody = responseBody
        self.outcome = outcome
    }
}

/// What became of one replayed request: a row of `replay_result`, as instants.
public struct ReplayResult: Sendable, Equatable {
    /// The captured exchange that was sent.
    public var exchangeID: Int64
    /// How often the session had been sent before: 0 in the first pass.
    public var round: Int32
    /// The number of the replay's own connection, from 1.
    public var connection: Int32
    /// When it was due; where no clock says so, when the one before it was done.
    public var intendedNs: Int64
    /// When its first byte was sent.
    public var sentNs: Int64
    /// When the answer's first byte came; 0 for never.
    public var firstByteNs: Int64
    /// When it was over, one way or the other.
    public var doneNs: Int64
    /// The status; 0 where no answer came.
    public var status: Int16
    /// How it ended.
    public var outcome: ReplayOutcome
    /// Whether it is the captured answer, in the parts that were to be compared.
    public var matches: Bool
    /// Why it does not match; nil where it does.
    ///
    /// `outcome` where an answer came then and not now, or now and not then; `status`, `header:NAME`,
    /// `body`, or `body:/pointer` of a JSON content, with `*` for the number of an element.
    public var mismatch: String?
    /// The content, where it is not the captured one; nil where it is, or where there is none.
    public var differingBody: DifferingBody?
    /// The answer's head as it came, its empty line included; nil where none came, and where it was
    /// not to be kept.
    ///
    /// Interim responses are not told of.
    public var head: [UInt8]?
    /// Whether it stays out of the statistics.
    public var isWarmup: Bool

    /// Makes a result.
    public init(
        exchangeID: Int64,
        round: Int32,
        connection: Int32,
        intendedNs: Int64,
        sentNs: Int64,
        firstByteNs: Int64,
        doneNs: Int64,
        status: Int16,
        outcome: ReplayOutcome,
        matches: Bool,
        differingBody: DifferingBody?,
        head: [UInt8]? = nil,
        mismatch: String? = nil,
        isWarmup: Bool = false
    ) {
        self.isWarmup = isWarmup
        self.mismatch = mismatch
        self.head = head
        self.exchangeID = exchangeID
        self.round = round
        self.connection = connection
        self.intendedNs = intendedNs
        self.sentNs = sentNs
        self.firstByteNs = firstByteNs
        self.doneNs = doneNs
        self.status = status
        self.outcome = outcome
        self.matches = matches
        self.differingBody = differingBody
    }
}

/// A replayed answer's content that is not the captured one.
public struct DifferingBody: Sendable, Equatable {
    /// SHA-256 of the whole content, 32 bytes.
    public var digest: [UInt8]
    /// Its length, bytes.
    public var size: Int64
    /// The content, or as much of its beginning as is kept.
    public var bytes: [UInt8]

    /// Makes a differing body.
    public init(digest: [UInt8], size: Int64, bytes: [UInt8]) {
        self.digest = digest
        self.size = size
        self.bytes = bytes
    }
}
