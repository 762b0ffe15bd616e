// How a value is written where it stands: as it is, in a URL, in a form, in a JSON string.

import LabWire

/// How the bytes of a value are written at a place of a request.
enum ValueEncoding: Sendable, Equatable {
    /// As they are: a header's value, a part of a multipart form.
    case plain
    /// As in a URL's path or query (RFC 3986 2.1).
    case percent
    /// As in a form: a space is `+`.
    case form
    /// As inside the quotes of a JSON string (RFC 8259 7).
    case json

    /// Writes a value so.
    func encode(_ value: [UInt8]) -> [UInt8] {
        switch self {
        case .plain:
            // A line end in a head would begin a field that nobody recorded.
            return value.filter { $0 >= 0x20 || $0 == 0x09 }
        case .percent, .form: return percentEncoded(value)
        case .json: return jsonEscaped(value)
        }
    }

    private func percentEncoded(_ value: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(value.count)
        for byte in value {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: out.append(byte)
            case 0x20 where self == .form: out.append(UInt8(ascii: "+"))
            default:
                out.append(UInt8(ascii: "%"))
                out.append(Self.digit(byte >> 4))
                out.append(Self.digit(byte & 15))
            }
        }
        return out
    }

    private func jsonEscaped(_ value: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(value.count)
        for byte in value {
            switch byte {
            case 0x22, 0x5C:
                out.append(UInt8(ascii: "\\"))
                out.append(byte)
            case 0..<0x20:
                out.append("\\u00")
                out.append(Self.digit(byte >> 4))
                out.append(Self.digit(byte & 15))
            default: out.append(byte)
            }
        }
        return out
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? 0x30 + value : 0x41 + value - 10
    }

    /// Reads what is written so in a URL or a form; any other bytes are given back as they are.
    func decode(_ bytes: ArraySlice<UInt8>) -> [UInt8] {
        guard self == .percent || self == .form else { return Array(bytes) }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var at = bytes.startIndex
        while at < bytes.endIndex {
            let byte = bytes[at]
            if byte == UInt8(ascii: "%"), at + 2 < bytes.endIndex,
                let high = hexadecimalDigit(bytes[at + 1]),
                let low = hexadecimalDigit(bytes[at + 2])
            {
                out.append(high << 4 | low)
                at += 3
                continue
            }
            out.append(byte == UInt8(ascii: "+") && self == .form ? 0x20 : byte)
            at += 1
        }
        return out
    }
}

extension Collection<UInt8> where Self: RandomAccessCollection, Index == Int {
    /// Where `other` stands first; nil where it does not, or is empty.
    func firstRange(of other: some Collection<UInt8>) -> Range<Int>? {
        guard let first = other.first, other.count <= count else { return nil }
        var at = startIndex
        let last = endIndex - other.count
        while at <= last {
            if self[at] == first, self[at..<(at + other.count)].elementsEqual(other) {
                return at..<(at + other.count)
            }
            at += 1
        }
        return nil
    }
}
