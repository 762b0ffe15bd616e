// What is the same for both readers, and what every head must be able to stand.

import LabWire

/// A reader, as the fuzz target needs it.
protocol Subject {
    associatedtype Head: MessageHead & Equatable
    init(limits: HeadLimits, firstMethod: Int)
    var trailers: [UInt8] { get }
    mutating func receive(_ bytes: UnsafeRawBufferPointer)
    mutating func receiveEnd()
    mutating func next() -> MessageEvent<Head>
    /// Traps where a head is not what its own bytes say.
    static func check(_ head: Head, limits: HeadLimits)
}

struct RequestSubject: Subject {
    private var reader: RequestReader

    init(limits: HeadLimits, firstMethod: Int) { reader = RequestReader(limits: limits) }

    var trailers: [UInt8] { [] }
    mutating func receive(_ bytes: UnsafeRawBufferPointer) { reader.receive(bytes) }
    mutating func receiveEnd() { reader.receiveEnd() }
    mutating func next() -> MessageEvent<RequestHead> { reader.next() }

    static func check(_ head: RequestHead, limits: HeadLimits) {
        expect(
            (try? RequestHead(parsing: head.bytes, limits: limits)) == head,
            "reads another head"
        )
        let line = Array(head.method) + [0x20] + Array(head.target) + Array(" HTTP/1.".utf8)
        expect(holds(head.bytes, startLine: line, head), "does not consist of what was read")

        // Sent on, it must mean the same to the next server.
        let version = head.minorVersion == 0 ? 1 : head.minorVersion
        let sent = head.forwarded(host: Array("a".utf8))
        guard let again = try? RequestHead(parsing: sent, limits: .none) else {
            fail("is not well-formed when it is sent on", sent)
        }
        expect(again.framing == head.framing, "is framed otherwise when it is sent on")
        expect(again.method == head.method, "has another method when it is sent on")
        expect(Array(again.target) == head.originForm, "has another target when it is sent on")
        expect(again.minorVersion <= version, "has another version when it is sent on")
        expect(again.deviations.isEmpty || again.deviations.allSatisfy(isKept), "bends rules still")
        _ = head.form
        _ = head.isIdempotent
        _ = head.persists
    }

    /// A length keeps its zeros when it is sent on.
    private static func isKept(_ deviation: Deviation) -> Bool {
        deviation.rule == .contentLengthLeadingZero
    }
}

struct ResponseSubject: Subject {
    private var reader: ResponseReader
    private var method: Int
    private static let methods = ["GET", "HEAD", "CONNECT", "POST"].map { Array($0.utf8) }

    init(limits: HeadLimits, firstMethod: Int) {
        reader = ResponseReader(limits: limits)
        method = firstMethod
        reader.expectResponse(toMethod: Self.methods[method & 3])
    }

    var trailers: [UInt8] { reader.trailers.bytes }
    mutating func receive(_ bytes: UnsafeRawBufferPointer) { reader.receive(bytes) }
    mutating func receiveEnd() { reader.receiveEnd() }

    mutating func next() -> MessageEvent<ResponseHead> {
        let event = reader.next()
        if case .end = event {
            method += 1
            reader.expectResponse(toMethod: Self.methods[method & 3])
        }
        return event
    }

    static func check(_ head: ResponseHead, limits: HeadLimits) {
        expect(
            (try? ResponseHead(parsing: head.bytes, limits: limits)) == head,
            "reads another head"
        )
        expect(holds(head.bytes, startLine: Array("HTTP/1.".utf8), head), "is not what was read")

        let framing = head.framing(forMethod: methods[0])
        let isChunked = framing == .chunked || framing == .untilClose
        let sent = head.forwarded(
            isChunked: isChunked,
            closes: false,
            keepsAlive: true,
            by: Intermediary(pseudonym: "lab")
        )
        guard let again = try? ResponseHead(parsing: sent, limits: .none) else {
            fail("is not well-formed when it is sent on", sent)
        }
        expect(again.status == head.status, "has another status when it is sent on")
        expect(
            again.framing(forMethod: methods[0]) == (isChunked ? .chunked : framing),
            "is framed otherwise when it is sent on"
        )
    }
}

/// The negative control: a reader that forgets the CR with which a piece ends, as one does that
/// looks for CR LF in each piece by itself.
struct ForgetfulSubject: Subject {
    private var subject: RequestSubject

    init(limits: HeadLimits, firstMethod: Int) {
        subject = RequestSubject(limits: limits, firstMethod: firstMethod)
    }

    var trailers: [UInt8] { subject.trailers }
    mutating func receive(_ bytes: UnsafeRawBufferPointer) {
        let isCut = bytes.last == 0x0D
        subject.receive(UnsafeRawBufferPointer(rebasing: isCut ? bytes.dropLast() : bytes[...]))
    }
    mutating func receiveEnd() { subject.receiveEnd() }
    mutating func next() -> MessageEvent<RequestHead> { subject.next() }

    static func check(_ head: RequestHead, limits: HeadLimits) {
        RequestSubject.check(head, limits: limits)
    }
}

extension HeadLimits {
    /// No limits: what is sent on may have grown by a field.
    fileprivate static var none: HeadLimits {
        HeadLimits(headBytes: .max, targetBytes: .max, fields: .max)
    }
}

/// Whether `bytes` are empty lines, a line that begins with `startLine`, the fields of `head`, each
/// with a colon, whitespace and a line end, and an empty line: so that no byte has no meaning.
private func holds(_ bytes: [UInt8], startLine: [UInt8], _ head: some MessageHead) -> Bool {
    guard let first = bytes.firstIndex(where: { $0 != 0x0D && $0 != 0x0A }),
        bytes[first...].starts(with: startLine),
        let lineEnd = bytes[first...].firstIndex(of: 0x0A)
    else { return false }
    var at = lineEnd + 1
    for field in head.fields {
        guard field.name.lowerBound == at, !field.name.isEmpty,
            field.value.lowerBound > field.name.upperBound
        else { return false }
        let between = bytes[field.name.upperBound..<field.value.lowerBound]
        guard between.filter({ $0 == 0x3A }).count == 1,
            between.allSatisfy({ $0 == 0x3A || $0 == 0x20 || $0 == 0x09 }),
            let end = bytes[field.value.upperBound...].firstIndex(of: 0x0A),
            bytes[field.value.upperBound..<end].allSatisfy({
                $0 == 0x20 || $0 == 0x09 || $0 == 0x0D
            })
        else { return false }
        at = end + 1
    }
    return bytes[at...].elementsEqual([0x0D, 0x0A]) || bytes[at...].elementsEqual([0x0A])
}
