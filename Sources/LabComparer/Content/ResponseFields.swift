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
        for line in head.split(separator: 0x0A).dropFirst() {
            guard let colon = line.firstIndex(of: 0x3A), colon > line.startIndex else { continue }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            var value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            while let last = value.last, last <= 0x20 { value.removeLast() }
            all[name, default: []].append(value)
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
