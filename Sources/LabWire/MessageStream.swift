// What reading requests and reading responses have in common: a queue of bytes, a head that is looked
// for, and content that is taken out of its framing.

/// What a reader of messages found.
public enum MessageEvent<Head: MessageHead>: Sendable {
    /// Nothing more can be said before more bytes come.
    case needsBytes
    /// A message begins.
    case head(Head)
    /// A run of its content, without framing. Valid for as long as it is kept.
    case content(ArraySlice<UInt8>)
    /// The message is complete.
    case end
    /// A rule was broken; what follows can't be understood.
    case refused(Deviation)
    /// The peer closed between two messages.
    case closed
}

/// The bytes of one direction of a connection, read message by message.
struct MessageStream<Head: MessageHead>: Sendable {
    let limits: HeadLimits
    private(set) var queue = ByteQueue()
    private(set) var hasEnded = false
    private(set) var isRefused = false
    /// How long the head is that was refused; nil where its end was not found.
    private(set) var refusedLength: Int?
    /// Whether a head was given whose content has not ended.
    private(set) var isInBody = false
    /// The trailer section of the message whose end was just given.
    private(set) var trailers = TrailerSection()

    private var scanner = HeadScanner()
    /// Whether the start line of a head that has not ended was looked at.
    private var hasLookedAtLine = false
    private var body = BodyReader(.none)
    private var consumed = 0
    private var messageStart = 0

    init(limits: HeadLimits) { self.limits = limits }

    mutating func receive(_ bytes: UnsafeRawBufferPointer) { queue.append(bytes) }

    mutating func receiveEnd() { hasEnded = true }

    mutating func takeUnread() -> ArraySlice<UInt8> { queue.take(queue.count) }

    /// The next event of the message whose head was given.
    mutating func nextOfBody() -> MessageEvent<Head> {
        let before = queue.count
        let event = body.next(&queue, hasEnded: hasEnded)
        consumed += before - queue.count
        switch event {
        case .needsBytes: return .needsBytes
        case .content(let run): return .content(run)
        case .end:
            isInBody = false
            let bytes = body.trailers
            guard !bytes.isEmpty else { return .end }
            // Its last line is empty, and no part of it.
            let place = consumed - messageStart - bytes.count - 2
            trailers = TrailerSection(bytes: bytes, offset: place)
            return .end
        case .refused(let rule): return refuse(Deviation(rule, at: consumed - messageStart))
        }
    }

    /// The next head.
    ///
    /// - Parameters:
    ///   - parse: Makes it of its bytes.
    ///   - framing: How content follows it; nil where another head does.
    /// - Returns: The head, or why there is none.
    mutating func nextHead(
        parse: ([UInt8], HeadLimits) throws(Deviation) -> Head,
        framing: (Head) -> BodyFraming?
    ) -> MessageEvent<Head> {
        guard let length = scanner.headLength(in: queue) else {
            if let line = lineWithoutVersion() { return refuse(line) }
            if queue.count > limits.headBytes { return refuse(tooLarge) }
            guard hasEnded else { return .needsBytes }
            let onlyLineEnds = queue.view.allSatisfy { $0 == 0x0D || $0 == 0x0A }
            return onlyLineEnds ? .closed : refuse(Deviation(.headTruncated, at: queue.count))
        }
        refusedLength = length
        guard length <= limits.headBytes else {
            if let line = lineWithoutVersion() { return refuse(line) }
            return refuse(tooLarge)
        }
        do throws(Deviation) {
            let head = try parse(Array(queue.view.prefix(length)), limits)
            refusedLength = nil
            hasLookedAtLine = false
            queue.drop(length)
            messageStart = consumed
            if !trailers.bytes.isEmpty { trailers = TrailerSection() }
            consumed += length
            if let framing = framing(head) {
                body = BodyReader(framing)
                isInBody = true
            }
            return .head(head)
        } catch {
            if error.rule == .requestLineMalformed { _ = lineWithoutVersion() }
            return refuse(error)
        }
    }

    /// Why a request line cannot be one, told as soon as it has ended: HTTP/0.9 sends nothing after
    /// `GET /` and would wait for an answer (RFC 9112 3 knows no such form).
    ///
    /// The line alone is what was refused, whether more has come or not.
    private mutating func lineWithoutVersion() -> Deviation? {
        guard Head.self == RequestHead.self, !hasLookedAtLine else { return nil }
        let allowed = queue.view.prefix(limits.headBytes)
        let start = allowed.firstIndex { $0 != Byte.carriageReturn && $0 != Byte.lineFeed }
        guard let start, let end = allowed[start...].firstIndex(of: Byte.lineFeed) else {
            return nil
        }
        hasLookedAtLine = true
        let line = Array(queue.view[...end])
        guard let deviation = RequestHead.refusal(ofLine: line, limits: limits),
            deviation.rule == .requestLineMalformed
        else { return nil }
        refusedLength = line.count
        return deviation
    }

    /// Why a head is larger than allowed: told by the bytes that are allowed, so that it is the same
    /// whether more has come or not.
    ///
    /// Of a request it is the method or the target that is too long, if it alone is, or goes on beyond
    /// what is allowed.
    private var tooLarge: Deviation {
        guard Head.self == RequestHead.self else { return Deviation(.headTooLarge, at: 0) }
        let allowed = queue.view.prefix(limits.headBytes)
        let isLineEnd = { (byte: UInt8) in byte == Byte.carriageReturn || byte == Byte.lineFeed }
        let line = allowed.drop(while: isLineEnd).prefix { !isLineEnd($0) }
        if !line.isEmpty, line.endIndex == allowed.endIndex,
            line.allSatisfy(ByteSet.token.contains)
        {
            return Deviation(.methodTooLong, at: line.startIndex - queue.start)
        }
        let target = line.drop { $0 != Byte.space }.dropFirst().prefix { $0 != Byte.space }
        let goesOn = !target.isEmpty && target.endIndex == allowed.endIndex
        guard target.count > limits.targetBytes || goesOn else {
            return Deviation(.headTooLarge, at: 0)
        }
        return Deviation(.targetTooLong, at: target.startIndex - queue.start)
    }

    private mutating func refuse(_ deviation: Deviation) -> MessageEvent<Head> {
        isRefused = true
        isInBody = false
        return .refused(deviation)
    }
}
