// The fields of a stored head, read leniently: what is stored may have been refused.

/// The fields of a stored head, in order.
struct HeadFields {
    /// Names and values as they came, without the whitespace around them.
    let fields: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)]
    /// The first line, without its end.
    let start: ArraySlice<UInt8>

    init(_ head: [UInt8]) {
        let lines = head.split(separator: 0x0A).map { $0.last == 0x0D ? $0.dropLast() : $0 }
        start = lines.first ?? []
        fields = lines.dropFirst().compactMap { line in
            guard let colon = line.firstIndex(of: 0x3A) else { return nil }
            return (line[..<colon], Self.trimmed(line[(colon + 1)...]))
        }
    }

    /// The value of the first field of a name, in lowercase.
    func value(_ name: String) -> String? {
        fields.first { String(decoding: $0.name, as: UTF8.self).lowercased() == name }
            .map { String(decoding: $0.value, as: UTF8.self) }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || $0 == 0x09 }
        var rest = bytes.drop(while: isSpace)
        while let last = rest.last, isSpace(last) { rest.removeLast() }
        return rest
    }
}
