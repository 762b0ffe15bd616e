// The content of a message, taken out of its framing: a machine of five states.

/// What a body reader found.
enum BodyEvent {
    /// More bytes are needed.
    case needsBytes
    /// A run of content.
    case content(ArraySlice<UInt8>)
    /// The content is complete.
    case end
    /// A rule of the framing was broken; nothing after it can be understood.
    case refused(WireRule)
}

/// Reads content that is framed by a length, by chunks, or by the end of the connection.
struct BodyReader: Sendable {
    private enum State: Sendable, Equatable {
        case ended
        case length(UInt64)
        case untilClose
        case chunkSize
        case chunkData(UInt64)
        case chunkEnd
        case trailers
    }

    private var state: State
    private var extensionBytes = 0
    private var trailerBytes = 0
    /// The trailer section as it came, its last empty line left out.
    private(set) var trailers: [UInt8] = []

    /// Chunk extensions are ignored, but not without end (CVE-2023-39326 is that attack).
    private static let mostExtensionBytes = 16 << 10
    private static let mostTrailerBytes = 64 << 10

    init(_ framing: BodyFraming) {
        state =
            switch framing {
            case .none: .ended
            case .length(let length): .length(length)
            case .chunked: .chunkSize
            case .untilClose: .untilClose
            }
    }

    mutating func next(_ queue: inout ByteQueue, hasEnded: Bool) -> BodyEvent {
        while true {
            switch state {
            case .ended:
                return .end
            case .length(let left):
                guard let run = takeRun(&queue, left) else {
                    return hasEnded ? .refused(.bodyTruncated) : .needsBytes
                }
                let rest = left - UInt64(run.count)
                state = rest == 0 ? .ended : .length(rest)
                return .content(run)
            case .untilClose:
                if !queue.isEmpty { return .content(queue.take(queue.count)) }
                guard hasEnded else { return .needsBytes }
                state = .ended
            case .chunkSize:
                switch chunkSizeLine(&queue) {
                case .needsBytes: return hasEnded ? .refused(.bodyTruncated) : .needsBytes
                case .refused(let rule): return .refused(rule)
                case .size(let size): state = size == 0 ? .trailers : .chunkData(size)
                }
            case .chunkData(let left):
                guard let run = takeRun(&queue, left) else {
                    return hasEnded ? .refused(.bodyTruncated) : .needsBytes
                }
                let rest = left - UInt64(run.count)
                state = rest == 0 ? .chunkEnd : .chunkData(rest)
                return .content(run)
            case .chunkEnd:
                if let first = queue.view.first, first != Byte.carriageReturn {
                    return .refused(.chunkNotTerminated)
                }
                guard queue.count >= 2 else {
                    return hasEnded ? .refused(.bodyTruncated) : .needsBytes
                }
                guard queue[queue.start + 1] == Byte.lineFeed else {
                    return .refused(.chunkNotTerminated)
                }
                queue.drop(2)
                state = .chunkSize
            case .trailers:
                switch trailerLine(&queue) {
                case .needsBytes: return hasEnded ? .refused(.bodyTruncated) : .needsBytes
                case .refused(let rule): return .refused(rule)
                case .line: continue
                case .end: state = .ended
                }
            }
        }
    }

    private func takeRun(_ queue: inout ByteQueue, _ left: UInt64) -> ArraySlice<UInt8>? {
        queue.isEmpty ? nil : queue.take(Int(min(left, UInt64(queue.count))))
    }

    private enum SizeLine {
        case needsBytes, refused(WireRule), size(UInt64)
    }

    /// `chunk-size [ chunk-ext ] CRLF` (RFC 9112 7.1).
    ///
    /// Bare LF never ends it (errata 7633).
    private mutating func chunkSizeLine(_ queue: inout ByteQueue) -> SizeLine {
        var size: UInt64 = 0
        var at = queue.start
        let end = queue.storage.count
        while at < end, let digit = hexadecimalDigit(queue[at]) {
            guard size >> 58 == 0 else { return .refused(.chunkSizeInvalid) }
            size = size << 4 | UInt64(digit)
            at += 1
        }
        guard at < end else {
            return at - queue.start > 16 ? .refused(.chunkSizeInvalid) : .needsBytes
        }
        guard at > queue.start, at - queue.start <= 16 else { return .refused(.chunkSizeInvalid) }
        let extensionStart = at
        if queue[at] != Byte.carriageReturn {
            var first = at
            while first < end, isBlank(queue[first]) { first += 1 }
            guard extensionBytes + first - extensionStart <= Self.mostExtensionBytes else {
                return .refused(.chunkExtensionsTooLong)
            }
            guard first < end else { return .needsBytes }
            guard queue[first] == Byte.semicolon else { return .refused(.chunkSizeInvalid) }
        }
        while at < end, queue[at] != Byte.carriageReturn {
            // Looked at byte by byte, so that it is the same whether more has come or not.
            guard extensionBytes + at - extensionStart < Self.mostExtensionBytes else {
                return .refused(.chunkExtensionsTooLong)
            }
            guard ByteSet.fieldValue.contains(queue[at]) else {
                return .refused(.chunkExtensionInvalid)
            }
            at += 1
        }
        guard at + 1 < end else { return .needsBytes }
        guard queue[at + 1] == Byte.lineFeed else { return .refused(.bareCarriageReturn) }
        let words = queue.storage[extensionStart..<at]
        guard words.isEmpty || extensionsAreWellFormed(words) else {
            return .refused(.chunkExtensionInvalid)
        }
        extensionBytes += words.count
        queue.drop(at + 2 - queue.start)
        return .size(size)
    }

    /// `*( BWS ";" BWS name [ "=" value ] )`: each semicolon is followed by a name.
    private func extensionsAreWellFormed(_ words: ArraySlice<UInt8>) -> Bool {
        var wantsName = false
        var isQuoted = false
        var escapes = false
        for byte in words {
            if isQuoted {
                if escapes {
                    escapes = false
                } else if byte == 0x5C {
                    escapes = true
                } else if byte == 0x22 {
                    isQuoted = false
                }
            } else if byte == Byte.semicolon {
                if wantsName { return false }
                wantsName = true
            } else if isBlank(byte) {
                continue
            } else {
                if wantsName, !ByteSet.token.contains(byte) { return false }
                wantsName = false
                if byte == 0x22 { isQuoted = true }
            }
        }
        return !wantsName && !isQuoted
    }

    private enum TrailerLine {
        case needsBytes, refused(WireRule), line, end
    }

    private mutating func trailerLine(_ queue: inout ByteQueue) -> TrailerLine {
        guard let newline = queue.view.firstIndex(of: Byte.lineFeed) else {
            return trailerBytes + queue.count > Self.mostTrailerBytes
                ? .refused(.headTooLarge) : .needsBytes
        }
        // Its length first, so that it is the same whether all of the line has come or not.
        trailerBytes += newline + 1 - queue.start
        guard trailerBytes <= Self.mostTrailerBytes else { return .refused(.headTooLarge) }
        guard newline > queue.start, queue[newline - 1] == Byte.carriageReturn else {
            return .refused(.trailerInvalid)
        }
        let line = queue.storage[queue.start..<newline - 1]
        if !line.isEmpty {
            guard let colon = line.firstIndex(of: Byte.colon), colon > line.startIndex,
                line[..<colon].allSatisfy(ByteSet.token.contains),
                line[(colon + 1)...].allSatisfy(ByteSet.fieldValue.contains)
            else { return .refused(.trailerInvalid) }
        }
        // A line that is refused stays, so that what it is refused for points at it.
        queue.drop(newline + 1 - queue.start)
        if line.isEmpty { return .end }
        trailers.append(contentsOf: line)
        trailers.append("\r\n")
        return .line
    }
}
