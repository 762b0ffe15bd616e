// The field lines of a head: their places, what they say of framing and connection, and the rules
// that they bend (RFC 9112 5 and 6). What makes smuggling possible is refused, the rest is noted.

struct FieldSectionParser {
    enum Kind { case request, response }

    let kind: Kind
    let limits: HeadLimits
    private(set) var fields: [FieldLine] = []
    private(set) var deviations: [Deviation] = []
    private(set) var connection: ConnectionOptions = []
    private(set) var expectsContinue = false

    private var hostCount = 0
    private var hostIsEmpty = false
    private var hostPlace = 0
    private var contentLength: UInt64?
    private var lengthPlace = 0
    private var codingPlace: Int?
    private var endsInChunked = false
    private var hasOtherCoding = false
    private var at = 0
    private var emptyLines = 0

    init(kind: Kind, limits: HeadLimits) {
        self.kind = kind
        self.limits = limits
        fields.reserveCapacity(24)
    }

    /// The start line, without its line end; leading empty lines are passed over and noted.
    mutating func startLine(_ all: UnsafeBufferPointer<UInt8>) throws(Deviation) -> Range<Int> {
        while true {
            let line = try nextLine(all)
            if !line.isEmpty { return line }
            guard at < all.count else { throw Deviation(.headTruncated, at: at) }
            // One is what a client of old sends after a body; a flood of them is something else.
            emptyLines += 1
            guard emptyLines <= 8 else { throw Deviation(.leadingEmptyLine, at: line.lowerBound) }
            if emptyLines == 1 { note(.leadingEmptyLine, line.lowerBound) }
        }
    }

    /// All field lines, up to the empty line.
    ///
    /// Each byte is looked at once, in order: what is refused is the first byte that no rule allows.
    mutating func fieldLines(_ all: UnsafeBufferPointer<UInt8>) throws(Deviation) {
        while true {
            let start = at
            var place = start
            while place < all.count, ByteSet.token.contains(all[place]) { place += 1 }
            guard place > start else { return try takeEmptyLine(all) }
            guard fields.count < limits.fields else { throw Deviation(.tooManyFields, at: start) }
            let name = start..<place
            if place == all.count || all[place] != Byte.colon {
                place = try colon(all, after: name)
            }
            var valueStart = place + 1
            while valueStart < all.count, isBlank(all[valueStart]) { valueStart += 1 }
            let end = endOfFieldValue(all, from: valueStart)
            try takeLineEnd(all, at: end, otherwise: .controlInFieldValue)
            var valueEnd = end
            while valueEnd > valueStart, isBlank(all[valueEnd - 1]) { valueEnd -= 1 }
            fields.append(FieldLine(name: name, value: valueStart..<valueEnd))
            try understand(all, name, valueStart..<valueEnd)
        }
    }

    /// Takes the empty line that ends the fields; nothing else may begin without a name.
    private mutating func takeEmptyLine(
        _ all: UnsafeBufferPointer<UInt8>
    ) throws(Deviation) {
        let start = at
        if start < all.count, isBlank(all[start]) {
            throw Deviation(fields.isEmpty ? .whitespaceBeforeFirstField : .lineFolding, at: start)
        }
        try takeLineEnd(all, at: start, otherwise: .fieldNameInvalid)
    }

    /// The place of the colon that does not follow `name` at once.
    private mutating func colon(
        _ all: UnsafeBufferPointer<UInt8>,
        after name: Range<Int>
    ) throws(Deviation) -> Int {
        var place = name.upperBound
        while place < all.count, isBlank(all[place]) { place += 1 }
        if place > name.upperBound {
            guard place < all.count, all[place] == Byte.colon else {
                throw Deviation(.fieldWithoutColon, at: name.upperBound)
            }
            // A proxy takes the space out of a response and refuses a request (RFC 9112 5.1).
            guard kind == .response else {
                throw Deviation(.spaceBeforeColon, at: name.upperBound)
            }
            note(.spaceBeforeColon, name.upperBound)
            return place
        }
        try takeLineEnd(all, at: place, otherwise: .fieldNameInvalid)
        throw Deviation(.fieldWithoutColon, at: place)
    }

    private mutating func note(_ rule: WireRule, _ offset: Int) {
        deviations.append(Deviation(rule, at: offset))
    }

    /// The next line without its end.
    private mutating func nextLine(
        _ all: UnsafeBufferPointer<UInt8>
    ) throws(Deviation) -> Range<Int> {
        let start = at
        var end = start
        while end < all.count, all[end] != Byte.lineFeed, all[end] != Byte.carriageReturn {
            end += 1
        }
        try takeLineEnd(all, at: end, otherwise: .headTruncated)
        return start..<end
    }

    /// Goes on behind the line end at `end`; `rule` is what is broken where no line end is.
    ///
    /// Bare LF is let pass and noted once; bare CR never passes.
    @inline(__always)
    private mutating func takeLineEnd(
        _ all: UnsafeBufferPointer<UInt8>,
        at end: Int,
        otherwise rule: WireRule
    ) throws(Deviation) {
        if end + 1 < all.count, all[end] == Byte.carriageReturn, all[end + 1] == Byte.lineFeed {
            at = end + 2
        } else {
            try takeUnusualLineEnd(all, at: end, otherwise: rule)
        }
    }

    private mutating func takeUnusualLineEnd(
        _ all: UnsafeBufferPointer<UInt8>,
        at end: Int,
        otherwise rule: WireRule
    ) throws(Deviation) {
        guard end < all.count else { throw Deviation(.headTruncated, at: end) }
        guard all[end] != Byte.carriageReturn else { throw Deviation(.bareCarriageReturn, at: end) }
        guard all[end] == Byte.lineFeed else { throw Deviation(rule, at: end) }
        if !deviations.contains(where: { $0.rule == .bareLineFeed }) { note(.bareLineFeed, end) }
        at = end + 1
    }

    /// Takes in the few fields that decide framing, routing and the connection's life.
    @inline(__always)
    private mutating func understand(
        _ all: UnsafeBufferPointer<UInt8>,
        _ name: Range<Int>,
        _ value: Range<Int>
    ) throws(Deviation) {
        func isNamed(_ word: StaticString) -> Bool {
            UnsafeBufferPointer(rebasing: all[name]).equals(ignoringCase: word)
        }
        switch name.count {
        case 4 where isNamed("host"):
            hostCount += 1
            hostPlace = value.lowerBound
            guard hostCount == 1 || kind == .response else {
                throw Deviation(.hostRepeated, at: name.lowerBound)
            }
            hostIsEmpty = value.isEmpty
            if kind == .request { try checkHostValue(all, value) }
        case 6 where isNamed("expect"):
            expectsContinue =
                UnsafeBufferPointer(rebasing: all[value]).equals(ignoringCase: "100-continue")
        case 10 where isNamed("connection"):
            forEachElement(all, value) { element in
                if element.equals(ignoringCase: "close") {
                    connection.insert(.close)
                } else if element.equals(ignoringCase: "keep-alive") {
                    connection.insert(.keepAlive)
                } else if element.equals(ignoringCase: "upgrade") {
                    connection.insert(.upgrade)
                }
            }
        case 14 where isNamed("content-length"):
            try takeContentLength(all, value)
        case 17 where isNamed("transfer-encoding"):
            try takeTransferEncoding(all, value)
        default: break
        }
    }

    private func checkHostValue(
        _ all: UnsafeBufferPointer<UInt8>,
        _ value: Range<Int>
    ) throws(Deviation) {
        for at in value where !ByteSet.host.contains(all[at]) {
            throw Deviation(.hostInvalid, at: at)
        }
        guard value.isEmpty || Authority.isWellFormed(UnsafeBufferPointer(rebasing: all[value]))
        else { throw Deviation(.hostInvalid, at: value.lowerBound) }
    }

    private mutating func takeContentLength(
        _ all: UnsafeBufferPointer<UInt8>,
        _ value: Range<Int>
    ) throws(Deviation) {
        guard contentLength == nil else {
            throw Deviation(.contentLengthRepeated, at: value.lowerBound)
        }
        guard !value.isEmpty else { throw Deviation(.contentLengthInvalid, at: value.lowerBound) }
        var length: UInt64 = 0
        for at in value {
            let digit = all[at] &- 0x30
            guard digit < 10 else {
                throw Deviation(
                    all[at] == Byte.comma ? .contentLengthRepeated : .contentLengthInvalid,
                    at: at
                )
            }
            let (tens, over) = length.multipliedReportingOverflow(by: 10)
            length = tens &+ UInt64(digit)
            guard !over, length >= tens, length <= UInt64(Int64.max) else {
                throw Deviation(.contentLengthInvalid, at: at)
            }
        }
        if value.count > 1, all[value.lowerBound] == 0x30 {
            note(.contentLengthLeadingZero, value.lowerBound)
        }
        contentLength = length
        lengthPlace = value.lowerBound
    }

    private mutating func takeTransferEncoding(
        _ all: UnsafeBufferPointer<UInt8>,
        _ value: Range<Int>
    ) throws(Deviation) {
        codingPlace = codingPlace ?? value.lowerBound
        var broken: WireRule?
        forEachElement(all, value) { coding in
            if endsInChunked {
                broken = broken ?? .transferEncodingNotChunkedLast
            } else if coding.equals(ignoringCase: "chunked") {
                endsInChunked = true
            } else if coding.equals(ignoringCase: "gzip") || coding.equals(ignoringCase: "deflate")
                || coding.equals(ignoringCase: "compress")
            {
                hasOtherCoding = true
            } else {
                broken = broken ?? .transferEncodingUnknown
            }
        }
        if let broken { throw Deviation(broken, at: value.lowerBound) }
    }

    /// A coding that is not `chunked` is known but not undone here; without `chunked` at its end
    /// nobody knows where the content ends.
    private func checkCodings(at place: Int) throws(Deviation) {
        guard endsInChunked else { throw Deviation(.transferEncodingNotChunkedLast, at: place) }
        guard !hasOtherCoding else { throw Deviation(.transferEncodingUnknown, at: place) }
    }

    /// Calls `body` with each element of a comma-separated list, without the whitespace around it.
    @inline(__always)
    private func forEachElement(
        _ all: UnsafeBufferPointer<UInt8>,
        _ value: Range<Int>,
        _ body: (UnsafeBufferPointer<UInt8>) -> Void
    ) {
        var start = value.lowerBound
        while start <= value.upperBound {
            var end = start
            while end < value.upperBound, all[end] != Byte.comma { end += 1 }
            var low = start
            var high = end
            while low < high, isBlank(all[low]) { low += 1 }
            while high > low, isBlank(all[high - 1]) { high -= 1 }
            if low < high { body(UnsafeBufferPointer(rebasing: all[low..<high])) }
            start = end + 1
        }
    }

    /// How a request's content is framed; both ways at once, or in HTTP/1.0, is refused.
    func requestFraming(minorVersion: Int) throws(Deviation) -> BodyFraming {
        if let codingPlace {
            guard contentLength == nil else {
                throw Deviation(.lengthAndTransferEncoding, at: lengthPlace)
            }
            guard minorVersion >= 1 else {
                throw Deviation(.transferEncodingInVersion10, at: codingPlace)
            }
            try checkCodings(at: codingPlace)
            return .chunked
        }
        guard let contentLength, contentLength > 0 else { return .none }
        return .length(contentLength)
    }

    /// How a response's content is framed, before the request's method has its say.
    ///
    /// An HTTP/1.0 server that sends chunks is believed this once and not again (RFC 9112 6.1).
    mutating func responseFraming(minorVersion: Int) throws(Deviation) -> BodyFraming {
        if let codingPlace {
            guard contentLength == nil else {
                throw Deviation(.lengthAndTransferEncoding, at: lengthPlace)
            }
            try checkCodings(at: codingPlace)
            if minorVersion == 0 {
                note(.transferEncodingInVersion10, codingPlace)
                connection.insert(.close)
            }
            return .chunked
        }
        guard let contentLength else { return .untilClose }
        return contentLength == 0 ? .none : .length(contentLength)
    }

    /// An HTTP/1.1 request has exactly one Host (RFC 9112 3.2); an empty one is noted.
    mutating func checkHost(minorVersion: Int) throws(Deviation) {
        if hostCount == 0, minorVersion >= 1 { throw Deviation(.hostMissing, at: 0) }
        if hostCount == 1, hostIsEmpty { note(.hostEmpty, hostPlace) }
    }
}
