// JSON as a tree, so that two texts that mean the same are the same: the order of members, white
// space, escapes and ways to write a number are gone.

/// A JSON value (RFC 8259).
public indirect enum JSONTree: Sendable, Equatable {
    /// `null`.
    case null
    /// `true` or `false`.
    case bool(Bool)
    /// A number, exact.
    case number(JSONNumber)
    /// A string as UTF-8, its escapes undone.
    case string([UInt8])
    /// An array.
    case array([JSONTree])
    /// An object: of members of the same name the last one.
    case object([[UInt8]: JSONTree])

    /// How deep arrays and objects may stand in each other.
    public static let mostDepth = 512

    /// Reads a JSON text; nil where it is none, or is deeper than ``mostDepth``.
    public init?(_ text: UnsafeBufferPointer<UInt8>) {
        var reader = JSONTextReader(text)
        guard let tree = reader.whole() else { return nil }
        self = tree
    }

    /// Reads a JSON text; nil where it is none, or is deeper than ``mostDepth``.
    public init?(_ text: [UInt8]) {
        guard let tree = text.withUnsafeBufferPointer({ JSONTree($0) }) else { return nil }
        self = tree
    }
}

/// A number as a decimal fraction: `1.50e3` and `1500` are the same.
public struct JSONNumber: Sendable, Equatable {
    /// Whether it is below 0.
    public var isNegative: Bool
    /// Its digits without zeros at either end; none for 0.
    public var digits: [UInt8]
    /// By which power of ten the digits, read as a whole number, are multiplied.
    public var exponent: Int

    init(isNegative: Bool, whole: [UInt8], fraction: [UInt8], exponent: Int) {
        var all = whole + fraction
        var power = exponent - fraction.count
        while all.last == 0x30 {
            all.removeLast()
            power += 1
        }
        digits = Array(all.drop { $0 == 0x30 })
        self.isNegative = isNegative && !digits.isEmpty
        self.exponent = digits.isEmpty ? 0 : power
    }
}

/// Reads one JSON text from its first byte to its last.
private struct JSONTextReader {
    private let text: UnsafeBufferPointer<UInt8>
    private var at = 0
    private var depth = 0

    init(_ text: UnsafeBufferPointer<UInt8>) {
        self.text = text
        // A byte order mark is no JSON, and may be ignored (RFC 8259 8.1).
        if text.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    }

    mutating func whole() -> JSONTree? {
        guard let tree = value() else { return nil }
        skipSpace()
        return at == text.count ? tree : nil
    }

    private var next: UInt8? { at < text.count ? text[at] : nil }

    private mutating func skipSpace() {
        while let byte = next, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 {
            at += 1
        }
    }

    private mutating func take(_ byte: Character) -> Bool {
        guard let next, next == byte.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func take(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard text.count - at >= count else { return false }
        for place in 0..<count where text[at + place] != word.utf8Start[place] { return false }
        at += count
        return true
    }

    private mutating func value() -> JSONTree? {
        skipSpace()
        switch next {
        case 0x7B: return nested { $0.object() }
        case 0x5B: return nested { $0.array() }
        case 0x22: return string().map { .string($0) }
        case 0x74: return take("true") ? .bool(true) : nil
        case 0x66: return take("false") ? .bool(false) : nil
        case 0x6E: return take("null") ? .null : nil
        default: return number().map { .number($0) }
        }
    }

    private mutating func nested(_ read: (inout JSONTextReader) -> JSONTree?) -> JSONTree? {
        guard depth < JSONTree.mostDepth else { return nil }
        at += 1
        depth += 1
        defer { depth -= 1 }
        return read(&self)
    }

    private mutating func object() -> JSONTree? {
        var members: [[UInt8]: JSONTree] = [:]
        skipSpace()
        if take("}" as Character) { return .object(members) }
        while true {
            skipSpace()
            guard let name = string() else { return nil }
            skipSpace()
            guard take(":" as Character), let value = value() else { return nil }
            members[name] = value
            skipSpace()
            if take("}" as Character) { return .object(members) }
            guard take("," as Character) else { return nil }
        }
    }

    private mutating func array() -> JSONTree? {
        var elements: [JSONTree] = []
        skipSpace()
        if take("]" as Character) { return .array(elements) }
        while true {
            guard let value = value() else { return nil }
            elements.append(value)
            skipSpace()
            if take("]" as Character) { return .array(elements) }
            guard take("," as Character) else { return nil }
        }
    }

    private mutating func string() -> [UInt8]? {
        guard take("\"" as Character) else { return nil }
        var out: [UInt8] = []
        while let byte = next {
            at += 1
            switch byte {
            case 0x22: return out
            case 0x5C:
                guard escape(&out) else { return nil }
            case 0..<0x20: return nil
            default: out.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(_ out: inout [UInt8]) -> Bool {
        guard let byte = next else { return false }
        at += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: out.append(byte)
        case 0x62: out.append(0x08)
        case 0x66: out.append(0x0C)
        case 0x6E: out.append(0x0A)
        case 0x72: out.append(0x0D)
        case 0x74: out.append(0x09)
        case 0x75:
            guard var scalar = fourDigits() else { return false }
            // A surrogate without its other half is no character; it stays three bytes of its own.
            if scalar & 0xFC00 == 0xD800 {
                let before = at
                if take("\\u"), let low = fourDigits(), low & 0xFC00 == 0xDC00 {
                    scalar = 0x10000 + (scalar & 0x3FF) << 10 + low & 0x3FF
                } else {
                    at = before
                }
            }
            append(scalar, to: &out)
        default: return false
        }
        return true
    }

    private mutating func fourDigits() -> UInt32? {
        guard text.count - at >= 4 else { return nil }
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let digit = Character(Unicode.Scalar(text[at])).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        return value
    }

    private func append(_ scalar: UInt32, to out: inout [UInt8]) {
        func tail(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(scalar >> shift & 0x3F) }
        switch scalar {
        case 0..<0x80: out.append(UInt8(scalar))
        case 0..<0x800: out += [0xC0 | UInt8(scalar >> 6), tail(0)]
        case 0..<0x10000: out += [0xE0 | UInt8(scalar >> 12), tail(6), tail(0)]
        default: out += [0xF0 | UInt8(scalar >> 18), tail(12), tail(6), tail(0)]
        }
    }

    private mutating func digits() -> [UInt8] {
        let start = at
        while let byte = next, byte &- 0x30 < 10 { at += 1 }
        return Array(text[start..<at])
    }

    private mutating func number() -> JSONNumber? {
        let isNegative = take("-" as Character)
        let whole = digits()
        guard !whole.isEmpty, whole.count == 1 || whole[0] != 0x30 else { return nil }
        var fraction: [UInt8] = []
        if take("." as Character) {
            fraction = digits()
            guard !fraction.isEmpty else { return nil }
        }
        var exponent = 0
        if take("e" as Character) || take("E" as Character) {
            let isSmall = take("-" as Character)
            if !isSmall { _ = take("+" as Character) }
            let power = digits()
            guard !power.isEmpty, power.count <= 15 else { return nil }
            exponent = power.reduce(0) { $0 * 10 + Int($1 - 0x30) } * (isSmall ? -1 : 1)
        }
        return JSONNumber(
            isNegative: isNegative,
            whole: whole,
            fraction: fraction,
            exponent: exponent
        )
    }
}
