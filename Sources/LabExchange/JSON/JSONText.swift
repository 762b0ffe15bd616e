// The escapes of JSON strings.

/// Text of JSON strings.
public enum JSONText {
    /// The value of a hexadecimal digit; nil where it is none.
    public static func digit(_ byte: UInt8) -> UInt32? {
        switch byte {
        case 0x30...0x39: UInt32(byte - 0x30)
        case 0x41...0x46: UInt32(byte - 0x37)
        case 0x61...0x66: UInt32(byte - 0x57)
        default: nil
        }
    }

    /// The characters of a string, its escapes undone; what is no escape stays as it is.
    public static func unescaped(_ text: some Collection<UInt8>) -> [UInt8] {
        let bytes = Array(text)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var at = 0
        while at < bytes.count {
            guard bytes[at] == 0x5C, at + 1 < bytes.count else {
                result.append(bytes[at])
                at += 1
                continue
            }
            switch bytes[at + 1] {
            case 0x62: result.append(0x08)
            case 0x66: result.append(0x0C)
            case 0x6E: result.append(0x0A)
            case 0x72: result.append(0x0D)
            case 0x74: result.append(0x09)
            case 0x75:
                guard let unit = unit(bytes, at + 2) else { break }
                at += 6
                if unit & 0xFC00 == 0xD800, at + 1 < bytes.count, bytes[at] == 0x5C,
                    bytes[at + 1] == 0x75, let low = self.unit(bytes, at + 2),
                    low & 0xFC00 == 0xDC00
                {
                    at += 6
                    append(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00), to: &result)
                } else {
                    append(unit, to: &result)
                }
                continue
            default: result.append(bytes[at + 1])
            }
            at += 2
        }
        return result
    }

    private static func unit(_ bytes: [UInt8], _ start: Int) -> UInt32? {
        guard start + 4 <= bytes.count else { return nil }
        var unit: UInt32 = 0
        for byte in bytes[start..<(start + 4)] {
            guard let digit = digit(byte) else { return nil }
            unit = unit << 4 | digit
        }
        return unit
    }

    /// As UTF-8; half of a surrogate pair in its own three bytes, so that it equals only itself.
    private static func append(_ scalar: UInt32, to result: inout [UInt8]) {
        switch scalar {
        case ..<0x80: result.append(UInt8(scalar))
        case ..<0x800:
            result.append(UInt8(0xC0 | scalar >> 6))
            result.append(UInt8(0x80 | scalar & 0x3F))
        case ..<0x10000:
            result.append(UInt8(0xE0 | scalar >> 12))
            result.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            result.append(UInt8(0x80 | scalar & 0x3F))
        default:
            result.append(UInt8(0xF0 | scalar >> 18))
            result.append(UInt8(0x80 | scalar >> 12 & 0x3F))
            result.append(UInt8(0x80 | scalar >> 6 & 0x3F))
            result.append(UInt8(0x80 | scalar & 0x3F))
        }
    }
}
