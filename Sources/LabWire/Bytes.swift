// What a byte may be, by RFC 9110 5.6.2 and RFC 9112 2. Sets of bytes are four words, so that a
// freshly forked child touches no table and no lazily made global.

/// A set of byte values.
struct ByteSet: Sendable {
    private let words: (UInt64, UInt64, UInt64, UInt64)

    @inline(__always)
    init(_ words: UInt64, _ second: UInt64, _ third: UInt64 = 0, _ fourth: UInt64 = 0) {
        self.words = (words, second, third, fourth)
    }

    @inline(__always)
    func contains(_ byte: UInt8) -> Bool {
        let word =
            switch byte >> 6 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        return (word >> UInt64(byte & 63)) & 1 == 1
    }

    /// `tchar`: ``!#$%&'*+-.^_`|~``, digits and letters.
    static var token: ByteSet {
        @inline(__always) get { ByteSet(0x03FF_6CFA_0000_0000, 0x57FF_FFFF_C7FF_FFFE) }
    }

    /// What may stand in a field value: HTAB, SP, VCHAR, obs-text.
    static var fieldValue: ByteSet {
        @inline(__always) get { ByteSet(0xFFFF_FFFF_0000_0200, 0x7FFF_FFFF_FFFF_FFFF, .max, .max) }
    }

    /// What may stand in a request target: visible bytes and, tolerated, obs-text; never `#`.
    static var target: ByteSet {
        @inline(__always) get { ByteSet(0xFFFF_FFF6_0000_0000, 0x7FFF_FFFF_FFFF_FFFF, .max, .max) }
    }

    /// What may stand in `Host`: reg-name, IPv4, an IPv6 literal in brackets, and the port's colon.
    static var host: ByteSet {
        @inline(__always) get { ByteSet(0x2FFF_6FF2_0000_0000, 0x47FF_FFFE_AFFF_FFFE) }
    }
}

enum Byte {
    static let tab = UInt8(0x09)
    static let lineFeed = UInt8(0x0A)
    static let carriageReturn = UInt8(0x0D)
    static let space = UInt8(0x20)
    static let colon = UInt8(0x3A)
    static let semicolon = UInt8(0x3B)
    static let comma = UInt8(0x2C)
}

/// SP or HTAB.
@inline(__always)
func isBlank(_ byte: UInt8) -> Bool { byte == Byte.space || byte == Byte.tab }

// Eight bytes at a time, as one word: the high bit of each byte of a mark says whether that byte is
// of the kind that is looked for. Subtraction borrows upwards, so marks above the lowest may be
// wrong, and only the lowest is used; the words are little-endian, so that the lowest comes first.

/// Each of the eight bytes is `byte`.
@inline(__always)
private func word(of byte: UInt8) -> UInt64 { 0x0101_0101_0101_0101 &* UInt64(byte) }

@inline(__always)
private func word(_ all: UnsafeBufferPointer<UInt8>, at place: Int) -> UInt64 {
    let bytes = UnsafeRawBufferPointer(all)
    return UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt64.self))
}

/// Marks the lowest byte that is `byte`.
@inline(__always)
private func marks(of byte: UInt8, in word: UInt64) -> UInt64 {
    let difference = word ^ LabWire.word(of: byte)
    return (difference &- LabWire.word(of: 1)) & ~difference & LabWire.word(of: 0x80)
}

/// Marks the lowest byte below `limit`, which is 0x80 at most.
@inline(__always)
private func marks(below limit: UInt8, in word: UInt64) -> UInt64 {
    (word &- LabWire.word(of: limit)) & ~word & LabWire.word(of: 0x80)
}

/// The place of the first `byte` from `start` on; the count of `all` where there is none.
@inline(__always)
func firstPlace(of byte: UInt8, in all: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var at = start
    while at &+ 8 <= all.count {
        let found = marks(of: byte, in: word(all, at: at))
        if found != 0 { return at &+ found.trailingZeroBitCount / 8 }
        at &+= 8
    }
    while at < all.count, all[at] != byte { at &+= 1 }
    return at
}

/// The place of the first byte from `start` on that may not stand in a field value
/// (``ByteSet/fieldValue``); the count of `all` where there is none.
@inline(__always)
func endOfFieldValue(_ all: UnsafeBufferPointer<UInt8>, from start: Int) -> Int {
    var at = start
    while at &+ 8 <= all.count {
        let word = word(all, at: at)
        let found = marks(below: 0x20, in: word) | marks(of: 0x7F, in: word)
        if found == 0 {
            at &+= 8
            continue
        }
        at &+= found.trailingZeroBitCount / 8
        guard all[at] == Byte.tab else { return at }
        at &+= 1
    }
    while at < all.count, ByteSet.fieldValue.contains(all[at]) { at &+= 1 }
    return at
}

/// The lowercase of an ASCII letter; any other byte as it is.
@inline(__always)
public func asciiLowercased(_ byte: UInt8) -> UInt8 {
    byte &- 0x41 < 26 ? byte | 0x20 : byte
}

extension Collection<UInt8> {
    /// Whether these bytes are `word`, which is in lowercase; ASCII letters compared without case.
    @inlinable
    public func equals(ignoringCase word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        var at = word.utf8Start
        for byte in self {
            if asciiLowercased(byte) != at.pointee { return false }
            at += 1
        }
        return true
    }

    /// Whether these bytes are those of `other`, ASCII letters compared without case.
    func equals(ignoringCase other: some Collection<UInt8>) -> Bool {
        count == other.count
            && zip(self, other).allSatisfy { asciiLowercased($0) == asciiLowercased($1) }
    }

    /// Whether these bytes are exactly `word`.
    @inlinable
    public func equals(_ word: StaticString) -> Bool {
        guard count == word.utf8CodeUnitCount else { return false }
        var at = word.utf8Start
        for byte in self {
            if byte != at.pointee { return false }
            at += 1
        }
        return true
    }
}

extension ArraySlice<UInt8> {
    /// The elements of a comma-separated list, without the whitespace around each (RFC 9110 5.6.1).
    var listElements: [ArraySlice<UInt8>] {
        let isBlank = { (byte: UInt8) in byte == Byte.space || byte == Byte.tab }
        return split(separator: Byte.comma).compactMap { element in
            guard let first = element.firstIndex(where: { !isBlank($0) }),
                let last = element.lastIndex(where: { !isBlank($0) })
            else { return nil }
            return element[first...last]
        }
    }
}

extension Array where Element == UInt8 {
    /// Appends the bytes of `text`.
    @inlinable
    public mutating func append(_ text: StaticString) {
        append(
            contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount)
        )
    }

    /// Appends `number` in decimal.
    @inlinable
    public mutating func append(decimal number: some FixedWidthInteger) {
        if number < 0 { append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        let first = count
        repeat {
            append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
            rest /= 10
        } while rest > 0
        self[first...].reverse()
    }

    /// Appends `number` in hexadecimal, lowercase, without leading zeros.
    public mutating func append(hexadecimal number: Int) {
        append(contentsOf: String(number, radix: 16).utf8)
    }
}

/// The value of a hexadecimal digit, 0 to 15; nil for any other byte.
@inline(__always)
public func hexadecimalDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 0x30...0x39: byte - 0x30
    case 0x41...0x46: byte - 0x37
    case 0x61...0x66: byte - 0x57
    default: nil
    }
}
