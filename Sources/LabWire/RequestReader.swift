// bytes -> requests. Feed it any split of the bytes and it gives the same events.

/// Reads the requests of one connection, one after another.
///
///     receive(bytes) ──▶ next() ──▶ .head ─▶ .content* ─▶ .end ─▶ .head …
///                                └▶ .refused: what follows cannot be understood
public struct RequestReader: Sendable {
    /// What was read; after ``MessageEvent/refused(_:)`` close, having answered ``WireRule/status``.
    public typealias Event = MessageEvent<RequestHead>

    private var stream: MessageStream<RequestHead>

    /// Makes a reader for one connection.
    public init(limits: HeadLimits = HeadLimits()) {
        stream = MessageStream(limits: limits)
    }

    /// Takes bytes as they came from the connection.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer) { stream.receive(bytes) }

    /// Takes note that the peer will send no more.
    public mutating func receiveEnd() { stream.receiveEnd() }

    /// Bytes that came and were not yet given out: the head that was refused, or pipelined requests.
    public var unread: ArraySlice<UInt8> { stream.queue.view }

    /// The head that was refused, without what may have come after it: what is stored of it does not
    /// depend on how the bytes were cut.
    public var refusedHead: ArraySlice<UInt8> { unread.prefix(stream.refusedLength ?? .max) }

    /// Whether the peer has begun a request that is not complete, or sent one ahead.
    public var hasUnread: Bool { !stream.queue.isEmpty }

    /// Takes what came and was not yet given out, for a connection that speaks HTTP no more.
    public mutating func takeUnread() -> ArraySlice<UInt8> { stream.takeUnread() }

    /// The trailer section of the request whose end was just given.
    public var trailers: TrailerSection { stream.trailers }

    /// The next event.
    public mutating func next() -> Event {
        if stream.isRefused { return .closed }
        if stream.isInBody { return stream.nextOfBody() }
        return stream.nextHead(
            parse: { (bytes, limits) throws(Deviation) in
                try RequestHead(parsing: bytes, limits: limits)
            },
            framing: { $0.framing }
        )
    }
}
