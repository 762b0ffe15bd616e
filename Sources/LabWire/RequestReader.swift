// bytes -> requests. Feed it any split of the bytes and it gives the same events.

/// Reads the requests of one connection, one after another.
///
///     receive(bytes) ──▶ next() ──▶ .head ─▶ .content* ─▶ .end ─▶ .head …
///                                └▶ .refused: what follows cannot be understood
public struct RequestReader: Sendable {
    /// What was read.
    public enum Event: Sendable {
        /// Nothing more can be said before more bytes come.
        case needsBytes
        /// A request begins.
        case head(RequestHead)
        /// A run of its content, without framing. Valid for as long as it is kept.
        case content(ArraySlice<UInt8>)
        /// The request is complete.
        case end
        /// A rule was broken; close after answering ``WireRule/status``.
        case refused(Deviation)
        /// The peer closed between two requests.
        case closed
    }

    private enum State { case head, body(BodyReader), refused }

    private let limits: HeadLimits
    private var queue = ByteQueue()
    private var scanner = HeadScanner()
    private var state = State.head
    private var hasEnded = false
    private var consumed = 0
    private var messageStart = 0

    /// Makes a reader for one connection.
    public init(limits: HeadLimits = HeadLimits()) {
        self.limits = limits
    }

    /// Takes bytes as they came from the connection.
    public mutating func receive(_ bytes: UnsafeRawBufferPointer) { queue.append(bytes) }

    /// Takes note that the peer will send no more.
    public mutating func receiveEnd() { hasEnded = true }

    /// Bytes that came and were not yet given out: the head that was refused, or pipelined requests.
    public var unread: ArraySlice<UInt8> { queue.view }

    /// Whether the peer has begun a request that is not complete, or sent one ahead.
    public var hasUnread: Bool { !queue.isEmpty }

    /// The next event.
    public mutating func next() -> Event {
        switch state {
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
                state = .head
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
            if queue.count > limits.headBytes {
                let line = queue.view.firstIndex(of: Byte.lineFeed)
                return refuse(Deviation(line == nil ? .targetTooLong : .headTooLarge, at: 0))
            }
            guard hasEnded else { return .needsBytes }
            let onlyLineEnds = queue.view.allSatisfy { $0 == 0x0D || $0 == 0x0A }
            return onlyLineEnds ? .closed : refuse(Deviation(.headTruncated, at: queue.count))
        }
        guard length <= limits.headBytes else { return refuse(Deviation(.headTooLarge, at: 0)) }
        do throws(Deviation) {
            let bytes = Array(queue.view.prefix(length))
            let head = try RequestHead(parsing: bytes, limits: limits)
            queue.drop(length)
            messageStart = consumed
            consumed += length
            state = .body(BodyReader(head.framing))
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
