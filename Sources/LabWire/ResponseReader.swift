// bytes -> responses, with the method of each request known beforehand.

/// Reads the responses of one connection, one after another.
public struct ResponseReader: Sendable {
    /// What was read.
    public enum Event: Sendable {
        /// Nothing more can be said before more bytes come.
        case needsBytes
        /// A response begins, interim ones included; after an interim one comes another head.
        case head(ResponseHead)
        /// A run of its content, without framing. Valid for as long as it is kept.
        case content(ArraySlice<UInt8>)
        /// The response is complete.
        case end
        /// A rule was broken; the connection can't be used any more.
        case refused(Deviation)
        /// The peer closed before a response began.
        case closed
    }

    private enum State { case idle, head, body(BodyReader), refused }

    private let limits: HeadLimits
    private var queue = ByteQueue()
    private var scanner = HeadScanner()
    private var state = State.idle
    private var hasEnded = false
    private var method: [UInt8] = []
    private var consumed = 0
    private var messageStart = 0

    /// Makes a reader for one connection.
    public init(limits: HeadLimits = HeadLimits()) {
        self.limits = limits
    }

    /// Takes note that a request was sent, whose response comes next.
    public mutating func expectResponse(toMethod method: some Sequence<UInt8>) {
        self.method.removeAll(keepingCapacity: true)
        self.method.append(contentsOf: method)
        state = .head
    }

    /// Takes bytes as they came from the connection.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer) { queue.append(bytes) }

    /// Takes note that the peer will send no more.
    public mutating func receiveEnd() { hasEnded = true }

    /// Whether bytes came that belong to no response.
    public var hasUnread: Bool { !queue.isEmpty }

    /// The trailer section of the response whose end was just given, as it came.
    public private(set) var trailers: [UInt8] = []

    /// The next event.
    public mutating func next() -> Event {
        switch state {
        case .idle:
            return hasEnded ? .closed : .needsBytes
        case .refused:
            return .closed
        case .body(var body):
            let before = queue.count
            let event = body.next(&queue, hasEnded: hasEnded)
            consumed += before - queue.count
            switch event {
            case .needsBytes:
                state = .body(body)
                return .needsBytes
            case .content(let run):
                state = .body(body)
                return .content(run)
            case .end:
                state = .idle
                trailers = body.trailers
                return .end
            case .refused(let rule):
                return refuse(Deviation(rule, at: consumed - messageStart))
            }
        case .head:
            return nextHead()
        }
    }

    private mutating func nextHead() -> Event {
        guard let length = scanner.headLength(in: queue) else {
            if queue.count > limits.headBytes { return refuse(Deviation(.headTooLarge, at: 0)) }
            guard hasEnded else { return .needsBytes }
            return queue.isEmpty ? .closed : refuse(Deviation(.headTruncated, at: queue.count))
        }
        guard length <= limits.headBytes else { return refuse(Deviation(.headTooLarge, at: 0)) }
        do throws(Deviation) {
            let bytes = Array(queue.view.prefix(length))
            let head = try ResponseHead(parsing: bytes, limits: limits)
            queue.drop(length)
            messageStart = consumed
            consumed += length
            if !head.isInterim { state = .body(BodyReader(head.framing(forMethod: method))) }
            return .head(head)
        } catch {
            return refuse(error)
        }
    }

    private mutating func refuse(_ deviation: Deviation) -> Event {
        state = .refused
        return .refused(deviation)
    }
}
