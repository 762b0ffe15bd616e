// bytes -> responses, with the method of each request known beforehand.

/// Reads the responses of one connection, one after another.
public struct ResponseReader: Sendable {
    /// What was read; after the head of an interim response comes another head.
    public typealias Event = MessageEvent<ResponseHead>

    private var stream: MessageStream<ResponseHead>
    private var method: [UInt8] = []
    private var isExpecting = false

    /// Makes a reader for one connection.
    public init(limits: HeadLimits = HeadLimits()) {
        stream = MessageStream(limits: limits)
    }

    /// Takes note that a request was sent, whose response comes next.
    public mutating func expectResponse(toMethod method: some Sequence<UInt8>) {
        self.method.removeAll(keepingCapacity: true)
        self.method.append(contentsOf: method)
        isExpecting = true
    }

    /// Takes bytes as they came from the connection.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer) { stream.receive(bytes) }

    /// Takes note that the peer will send no more.
    public mutating func receiveEnd() { stream.receiveEnd() }

    /// The head that was refused, without what may have come after it.
    public var refusedHead: ArraySlice<UInt8> {
        stream.queue.view.prefix(stream.refusedLength ?? .max)
    }

    /// Whether bytes came that belong to no response.
    public var hasUnread: Bool { !stream.queue.isEmpty }

    /// Takes what came and was not yet given out, for a connection that speaks HTTP no more.
    public mutating func takeUnread() -> ArraySlice<UInt8> { stream.takeUnread() }

    /// The trailer section of the response whose end was just given.
    public var trailers: TrailerSection { stream.trailers }

    /// The next event.
    public mutating func next() -> Event {
        if stream.isRefused { return .closed }
        if stream.isInBody { return stream.nextOfBody() }
        guard isExpecting else { return stream.hasEnded ? .closed : .needsBytes }
        let event = stream.nextHead(
            parse: { (bytes, limits) throws(Deviation) in
                try ResponseHead(parsing: bytes, limits: limits)
            },
            framing: { [method] head in
                head.isInterim ? nil : head.framing(forMethod: method)
            }
        )
        if case .head(let head) = event, !head.isInterim { isExpecting = false }
        return event
    }
}
