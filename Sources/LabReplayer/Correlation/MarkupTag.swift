// The start tags of an HTML text: enough of HTML to find what a form or a link will send back.

import LabWire

/// A start tag with its attributes.
struct MarkupTag {
    /// The element, in lowercase.
    var element: String
    /// Names in lowercase, and values with their character references resolved.
    var attributes: [(name: String, value: [UInt8])]

    /// The value of the first attribute of a name.
    subscript(_ name: String) -> [UInt8]? { attributes.first { $0.name == name }?.value }

    /// Attributes whose value is a URL.
    private static let links: Set<String> = ["href", "src", "action", "formaction", "data-url"]

    /// The URLs in it.
    var links: [[UInt8]] {
        attributes.filter { Self.links.contains($0.name) }.map(\.value)
    }

    /// All start tags, in order; comments are left out, and what is malformed is passed over.
    static func all(in bytes: ArraySlice<UInt8>) -> [MarkupTag] {
        var tags: [MarkupTag] = []
        var at = bytes.startIndex
        while let open = bytes[at...].firstIndex(of: UInt8(ascii: "<")) {
            at = open + 1
            if bytes[at...].starts(with: "!--".utf8) {
                guard let end = bytes[at...].firstRange(of: Array("-->".utf8)) else { break }
                at = end.upperBound
                continue
            }
            guard at < bytes.endIndex, isLetter(bytes[at]) else { continue }
            var reader = TagReader(bytes: bytes, at: at)
            // A tag that does not end has swallowed all the rest: to look for another one inside
            // it would take the square of the length.
            guard let tag = reader.read() else { break }
            tags.append(tag)
            at = reader.at
        }
        return tags
    }

    fileprivate static func isLetter(_ byte: UInt8) -> Bool { asciiLowercased(byte) &- 0x61 < 26 }
}

private struct TagReader {
    let bytes: ArraySlice<UInt8>
    var at: Int

    private static let close = UInt8(ascii: ">")
    private static let equals = UInt8(ascii: "=")

    private var next: UInt8? { at < bytes.endIndex ? bytes[at] : nil }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || (0x09...0x0D).contains(byte)
    }

    private mutating func word(until isEnd: (UInt8) -> Bool) -> ArraySlice<UInt8> {
        let start = at
        while let byte = next, !isEnd(byte) { at += 1 }
        return bytes[start..<at]
    }

    private mutating func skipBlanks() {
        while let byte = next, Self.isBlank(byte) || byte == UInt8(ascii: "/") { at += 1 }
    }

    mutating func read() -> MarkupTag? {
        let name = word { Self.isBlank($0) || $0 == Self.close || $0 == UInt8(ascii: "/") }
        var tag = MarkupTag(element: Self.lowercased(name), attributes: [])
        while true {
            skipBlanks()
            guard let byte = next else { return nil }
            if byte == Self.close {
                at += 1
                return tag
            }
            let name = word {
                Self.isBlank($0) || $0 == Self.close || $0 == Self.equals || $0 == UInt8(ascii: "/")
            }
            // Two equals signs in a row are no attribute; passed over, so that the loop ends.
            guard !name.isEmpty else {
                at += 1
                continue
            }
            tag.attributes.append((Self.lowercased(name), readValue() ?? []))
        }
    }

    private mutating func readValue() -> [UInt8]? {
        while let byte = next, Self.isBlank(byte) { at += 1 }
        guard next == Self.equals else { return nil }
        at += 1
        while let byte = next, Self.isBlank(byte) { at += 1 }
        guard let first = next else { return nil }
        guard first == UInt8(ascii: "\"") || first == UInt8(ascii: "'") else {
            return Self.resolved(word { Self.isBlank($0) || $0 == Self.close })
        }
        at += 1
        let value = word { $0 == first }
        if next != nil { at += 1 }
        return Self.resolved(value)
    }

    private static func lowercased(_ name: ArraySlice<UInt8>) -> String {
        String(decoding: name.map { asciiLowercased($0) }, as: UTF8.self)
    }

    /// The character references that templates write into attributes.
    private static let references: [(name: StaticString, byte: UInt8)] = [
        ("&amp;", 0x26), ("&quot;", 0x22), ("&#34;", 0x22), ("&#39;", 0x27), ("&#x27;", 0x27),
        ("&lt;", 0x3C), ("&gt;", 0x3E), ("&#43;", 0x2B), ("&#x2B;", 0x2B), ("&#x3D;", 0x3D),
        ("&#61;", 0x3D), ("&#x2F;", 0x2F), ("&#47;", 0x2F),
    ]

    private static func resolved(_ value: ArraySlice<UInt8>) -> [UInt8] {
        guard value.contains(UInt8(ascii: "&")) else { return Array(value) }
        var out: [UInt8] = []
        var rest = value
        while let byte = rest.first {
            let known = references.first { name, _ in
                byte == UInt8(ascii: "&") && rest.prefix(name.utf8CodeUnitCount).equals(name)
            }
            out.append(known?.byte ?? byte)
            rest = rest.dropFirst(known?.name.utf8CodeUnitCount ?? 1)
        }
        return out
    }
}
