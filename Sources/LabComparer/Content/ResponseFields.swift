// A response head's fields by name, the names in lowercase and in the order of the alphabet.

import LabWire

/// The fields of a response head.
struct ResponseFields {
    /// The names, in lowercase, each once, sorted.
    let names: [String]
    private let all: [String: [ArraySlice<UInt8>]]

    /// Reads a head's bytes, leniently: it was read once before, when it came.
    init(_ head: [UInt8]) {
        var all: [String: [ArraySlice<UInt8>]] = [:]
        head.withUnsafeBufferPointer { bytes in
            var start = bytes.firstIndex(of: 0x0A) ?? bytes.count
            while start < bytes.count {
                start += 1
                var (colon, end) = (-1, start)
                while end < bytes.count, bytes[end] != 0x0A {
                    if bytes[end] == 0x3A, colon < 0 { colon = end }
                    end += 1
                }
                if colon > start { add(start, colon, end) }
                start = end
            }
            func add(_ start: Int, _ colon: Int, _ end: Int) {
                var (first, last) = (colon + 1, end)
                while first < last, bytes[first] == 0x20 || bytes[first] == 0x09 { first += 1 }
                while last > first, bytes[last - 1] <= 0x20 { last -= 1 }
                let name = String(decoding: bytes[start..<colon], as: UTF8.self).lowercased()
                all[name, default: []].append(head[first..<last])
            }
        }
        self.all = all
        names = all.keys.sorted()
    }

    /// The values of a name, in order; nil where there is none.
    func values(_ name: String) -> [ArraySlice<UInt8>]? { all[name] }

    /// The media type, in lowercase and without its parameters.
    var mediaType: String? {
        guard let value = all["content-type"]?.first else { return nil }
        return String(decoding: value.prefix { $0 != 0x3B && $0 != 0x20 }, as: UTF8.self)
            .lowercased()
    }

    /// The media type's parameters, as they came.
    var mediaParameters: ArraySlice<UInt8> {
        guard let value = all["content-type"]?.first, let mark = value.firstIndex(of: 0x3B) else {
            return []
        }
        return value[(mark + 1)...].drop { $0 == 0x20 }
    }

    /// The content codings, in the order in which they were applied.
    var codings: [String] {
        (all["content-encoding"] ?? []).flatMap { value in
            value.split(separator: 0x2C).map { coding in
                String(decoding: coding.filter { $0 > 0x20 }, as: UTF8.self).lowercased()
            }
        }
    }
}
