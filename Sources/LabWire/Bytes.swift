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
