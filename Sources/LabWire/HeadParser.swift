// The bytes of one whole head -> a value, or the first rule that it breaks. One pass over the
// lines; nothing is allocated per field but its place in one array.

/// How much head a peer may send.
public struct HeadLimits: Sendable, Equatable {
    /// The most bytes in a head, from its first to its empty line.
    public var headBytes: Int
    /// The most bytes in a request target.
    public var targetBytes: Int
    /// The most field lines.
    public var fields: Int

    /// Makes limits; the defaults are those of common servers.
    public init(headBytes: Int = 64 << 10, targetBytes: Int = 16 << 10, fields: Int = 200) {
        self.headBytes = headBytes
        self.targetBytes = targetBytes
        self.fields = fields
    }
}

extension RequestHead {
    /// Reads a whole request head, empty line included.
    ///
    /// - Throws: The first ``Deviation`` that makes the head refused.
    public init(parsing bytes: [UInt8], limits: HeadLimits = HeadLimits()) throws(Deviation) {
        var lines = FieldSectionParser(kind: .request, limits: limits)
        let parts = try bytes.parse { (all: UnsafeBufferPointer<UInt8>) throws(Deviation) in
            let line = try lines.startLine(all)
            let parts = try RequestLine(all, line, limits)
            try lines.fieldLines(all)
            return parts
        }
        let framing = try lines.requestFraming(minorVersion: parts.minorVersion)
        try lines.checkHost(minorVersion: parts.minorVersion)
        self.init(
            bytes: bytes,
            fields: lines.fields,
            minorVersion: parts.minorVersion,
            connection: lines.connection,
            deviations: lines.deviations,
            framing: framing,
            expectsContinue: lines.expectsContinue && parts.minorVersion >= 1,
            methodRange: parts.method,
            targetRange: parts.target
        )
    }

    /// Why a request line, its end included, is none; nil where it is one.
    static func refusal(ofLine line: [UInt8], limits: HeadLimits) -> Deviation? {
        var lines = FieldSectionParser(kind: .request, limits: limits)
        do throws(Deviation) {
            try line.parse { (all: UnsafeBufferPointer<UInt8>) throws(Deviation) in
                _ = try RequestLine(all, try lines.startLine(all), limits)
            }
            return nil
        } catch {
            return error
        }
    }
}

extension ResponseHead {
    /// Reads a whole response head, empty line included.
    ///
    /// - Throws: The first ``Deviation`` that makes the head refused.
    public init(parsing bytes: [UInt8], limits: HeadLimits = HeadLimits()) throws(Deviation) {
        var lines = FieldSectionParser(kind: .response, limits: limits)
        let parts = try bytes.parse { (all: UnsafeBufferPointer<UInt8>) throws(Deviation) in
            let line = try lines.startLine(all)
            let parts = try StatusLine(all, line)
            try lines.fieldLines(all)
            return parts
        }
        let framing = try lines.responseFraming(minorVersion: parts.minorVersion)
        self.init(
            bytes: bytes,
            fields: lines.fields,
            minorVersion: parts.minorVersion,
            connection: lines.connection,
            deviations: lines.deviations,
            status: parts.status,
            fieldFraming: framing,
            reasonRange: parts.reason,
            fieldsStart: parts.end
        )
    }
}

extension Array where Element == UInt8 {
    /// `withUnsafeBufferPointer` with the error's type kept.
    @inline(__always)
    fileprivate func parse<Result>(
        _ body: (UnsafeBufferPointer<UInt8>) throws(Deviation) -> Result
    ) throws(Deviation) -> Result {
        try withUnsafeBufferPointer { (all) throws(Deviation) in try body(all) }
    }
}

extension Deviation: Error {}

/// `METHOD SP TARGET SP VERSION` (RFC 9112 3).
private struct RequestLine {
    let method: Range<Int>
    let target: Range<Int>
    let minorVersion: Int

    init(
        _ all: UnsafeBufferPointer<UInt8>,
        _ line: Range<Int>,
        _ limits: HeadLimits
    ) throws(Deviation) {
        var at = line.lowerBound
        while at < line.upperBound, ByteSet.token.contains(all[at]) { at += 1 }
        method = line.lowerBound..<at
        guard !method.isEmpty else { throw Deviation(.methodInvalid, at: at) }
        guard at < line.upperBound, all[at] == Byte.space else {
            throw Deviation(at < line.upperBound ? .methodInvalid : .requestLineMalformed, at: at)
        }
        at += 1
        let targetStart = at
        while at < line.upperBound, ByteSet.target.contains(all[at]) { at += 1 }
        target = targetStart..<at
        guard target.count <= limits.targetBytes else {
            throw Deviation(.targetTooLong, at: targetStart)
        }
        guard !target.isEmpty else { throw Deviation(.requestLineMalformed, at: at) }
        guard at < line.upperBound else { throw Deviation(.requestLineMalformed, at: at) }
        guard all[at] == Byte.space else { throw Deviation(.targetInvalid, at: at) }
        at += 1
        minorVersion = try minorVersionOf(all, at..<line.upperBound, extraSpaceIs: .targetInvalid)
    }
}

/// `VERSION SP STATUS SP REASON`; a missing last space is let pass (RFC 9112 4).
private struct StatusLine {
    let minorVersion: Int
    let status: Int
    let reason: Range<Int>
    let end: Int

    init(_ all: UnsafeBufferPointer<UInt8>, _ line: Range<Int>) throws(Deviation) {
        let start = line.lowerBound
        guard line.count >= 12, all[start + 8] == Byte.space else {
            throw Deviation(.statusLineMalformed, at: start)
        }
        minorVersion = try minorVersionOf(
            all,
            start..<start + 8,
            extraSpaceIs: .statusLineMalformed
        )
        var code = 0
        for at in start + 9..<start + 12 {
            let digit = all[at] &- 0x30
            guard digit < 10 else { throw Deviation(.statusLineMalformed, at: at) }
            code = code * 10 + Int(digit)
        }
        guard code >= 100 else { throw Deviation(.statusLineMalformed, at: start + 9) }
        status = code
        guard line.count == 12 || all[start + 12] == Byte.space else {
            throw Deviation(.statusLineMalformed, at: start + 12)
        }
        reason = min(start + 13, line.upperBound)..<line.upperBound
        for at in reason where !ByteSet.fieldValue.contains(all[at]) {
            throw Deviation(.statusLineMalformed, at: at)
        }
        end = line.upperBound + (all[line.upperBound] == Byte.carriageReturn ? 2 : 1)
    }
}

/// Reads `HTTP/1.x`; the name is case-sensitive and each number is one digit (RFC 9112 2.3).
private func minorVersionOf(
    _ all: UnsafeBufferPointer<UInt8>,
    _ place: Range<Int>,
    extraSpaceIs rule: WireRule
) throws(Deviation) -> Int {
    guard UnsafeBufferPointer(rebasing: all[place]).starts(with: [0x48, 0x54, 0x54, 0x50, 0x2F])
    else {
        let spaced = all[place].contains(Byte.space)
        throw Deviation(spaced ? rule : .versionInvalid, at: place.lowerBound)
    }
    let at = place.lowerBound + 5
    guard place.count == 8, all[at] &- 0x30 < 10, all[at + 1] == 0x2E, all[at + 2] &- 0x30 < 10
    else { throw Deviation(.versionInvalid, at: at) }
    guard all[at] == 0x31 else { throw Deviation(.versionUnsupported, at: at) }
    return Int(all[at + 2] - 0x30)
}
