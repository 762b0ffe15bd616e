// The leaves of a JSON text with the place of each in the bytes, so that one can be replaced and
// all else stays as it was written.

import LabWire

/// A string or a number in a JSON text.
struct JSONLeaf {
    /// Where it is, as a JSON Pointer (RFC 6901).
    var pointer: String
    /// Where its bytes stand: of a string those between the quotes.
    var range: Range<Int>
    /// What it says: of a string without escapes.
    var value: [UInt8]
    /// Whether it is a string.
    var isString: Bool
}

/// Reads the leaves of a JSON text, in order.
struct JSONLeaves {
    private let bytes: ArraySlice<UInt8>
    private var at: Int
    private var leaves: [JSONLeaf] = []

    /// Nesting that no API has, and that a hostile answer may; deeper is read as no JSON.
    private static let deepest = 64

    /// The leaves; nil where the bytes are no JSON.
    static func of(_ bytes: ArraySlice<UInt8>) -> [JSONLeaf]? {
        var reader = JSONLeaves(bytes)
        guard reader.readValue("", depth: 0) else { return nil }
        reader.skipBlanks()
        return reader.at == bytes.endIndex ? reader.leaves : nil
    }

    private init(_ bytes: ArraySlice<UInt8>) {
        self.bytes = bytes
        at = bytes.startIndex
    }

    private var next: UInt8? { at < bytes.endIndex ? bytes[at] : nil }

    private mutating func skipBlanks() {
        while let byte = next, byte == 0x20 || (0x09...0x0D).contains(byte) { at += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard next == byte else { return false }
        at += 1
        return true
    }

    private mutating func readValue(_ pointer: String, depth: Int) -> Bool {
        skipBlanks()
        guard depth < Self.deepest, let first = next else { return false }
        switch first {
        case UInt8(ascii: "{"): return readObject(pointer, depth: depth)
        case UInt8(ascii: "["): return readArray(pointer, depth: depth)
        case UInt8(ascii: "\""):
            guard let (range, value) = readString() else { return false }
            leaves.append(JSONLeaf(pointer: pointer, range: range, value: value, isString: true))
            return true
        default: return readWord(pointer)
        }
    }

    /// A number is a leaf; `true`, `false` and `null` are not.
    private mutating func readWord(_ pointer: String) -> Bool {
        let start = at
        while let byte = next, byte > 0x20, byte != UInt8(ascii: ","), byte != UInt8(ascii: "]"),
            byte != UInt8(ascii: "}")
        {
            at += 1
        }
        guard let first = bytes[start..<at].first else { return false }
        if first == UInt8(ascii: "-") || first &- 0x30 < 10 {
            let value = Array(bytes[start..<at])
            leaves.append(
                JSONLeaf(pointer: pointer, range: start..<at, value: value, isString: false)
            )
            return true
        }
        return bytes[start..<at].equals("true") || bytes[start..<at].equals("false")
            || bytes[start..<at].equals("null")
    }

    private mutating func readObject(_ pointer: String, depth: Int) -> Bool {
        at += 1
        skipBlanks()
        if take(UInt8(ascii: "}")) { return true }
        while true {
            skipBlanks()
            guard let (_, key) = readString() else { return false }
            skipBlanks()
            guard take(UInt8(ascii: ":")),
                readValue(pointer + "/" + Self.token(key), depth: depth + 1)
            else { return false }
            skipBlanks()
            if take(UInt8(ascii: ",")) { continue }
            return take(UInt8(ascii: "}"))
        }
    }

    private mutating func readArray(_ pointer: String, depth: Int) -> Bool {
        at += 1
        skipBlanks()
        if take(UInt8(ascii: "]")) { return true }
        var index = 0
        while true {
            guard readValue(pointer + "/\(index)", depth: depth + 1) else { return false }
            index += 1
            skipBlanks()
            if take(UInt8(ascii: ",")) { continue }
            return take(UInt8(ascii: "]"))
        }
    }

    /// A reference token of a JSON Pointer (RFC 6901 3).
    private static func token(_ key: [UInt8]) -> String {
        var out: [UInt8] = []
        for byte in key {
            switch byte {
            case UInt8(ascii: "~"): out.append("~0")
            case UInt8(ascii: "/"): out.append("~1")
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    private mutating func readString() -> (range: Range<Int>, value: [UInt8])? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        let start = at
        var value: [UInt8] = []
        while let byte = next {
            at += 1
            switch byte {
            case UInt8(ascii: "\""): return (start..<(at - 1), value)
            case UInt8(ascii: "\\"):
                guard let escaped = readEscape() else { return nil }
                value.append(contentsOf: escaped)
            default: value.append(byte)
            }
        }
        return nil
    }

    private mutating func readEscape() -> [UInt8]? {
        guard let byte = next else { return nil }
        at += 1
        switch byte {
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "u"):
            guard let unit = readUnit() else { return nil }
            var units = [unit]
            // The second half of a character beyond the first plane.
            if UTF16.isLeadSurrogate(unit), take(UInt8(ascii: "\\")) {
                guard take(UInt8(ascii: "u")), let trail = readUnit() else { return nil }
                units.append(trail)
            }
            return Array(String(decoding: units, as: UTF16.self).utf8)
        default: return [byte]
        }
    }

    private mutating func readUnit() -> UInt16? {
        var unit: UInt16 = 0
        for _ in 0..<4 {
            guard let digit = next.flatMap({ hexadecimalDigit($0) }) else { return nil }
            unit = unit << 4 | UInt16(digit)
            at += 1
        }
        return unit
    }
}
