// A JSON document as a tape: one entry per value, in the order of the text, each with a hash of all
// that it means. Two values that mean the same have the same hash, so whole branches are equal at a
// glance and only what differs is walked.

/// What kind of value an entry is (RFC 8259).
public enum JSONKind: UInt8, Sendable {
    /// `null`.
    case null
    /// `true` or `false`.
    case boolean
    /// A number.
    case number
    /// A string.
    case string
    /// An array.
    case array
    /// An object.
    case object

    /// The kind in a word, such as `boolean`.
    public var word: String {
        switch self {
        case .null: "null"
        case .boolean: "boolean"
        case .number: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}

/// One value, or one name of a member.
public struct JSONEntry: Sendable {
    /// Of the meaning: members in any order, numbers as exact decimals, strings without escapes.
    public internal(set) var hash: UInt64
    /// Where its text begins.
    public internal(set) var start: Int32
    /// Where its text ends.
    public internal(set) var end: Int32
    /// The entry after it and all that it holds.
    public internal(set) var next: Int32
    /// How many elements or members it has.
    public internal(set) var count: Int32
    /// What kind of value it is.
    public internal(set) var kind: JSONKind
}

/// A parsed document.
///
/// An object's members stand as name, value, name, value.
public struct JSONDocument: Sendable {
    /// The text.
    public let bytes: ArraySlice<UInt8>
    /// The values in the order of the text; the first one is the whole.
    public let entries: ContiguousArray<JSONEntry>

    /// How deep a document may be nested: what is deeper is none, and treated as text.
    public static let mostDepth = 200

    /// Reads a document; nil where it is none, whole and alone.
    public init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count < Int(Int32.max) else { return nil }
        self.bytes = bytes
        let read = bytes.withUnsafeBufferPointer { all -> ContiguousArray<JSONEntry>? in
            var parser = JSONParser(all)
            return parser.parse() ? parser.entries : nil
        }
        guard let read else { return nil }
        entries = read
    }

    /// The text of an entry.
    public func text(_ index: Int) -> ArraySlice<UInt8> {
        bytes[range(index)]
    }

    /// Where an entry's text stands among ``bytes``.
    public func range(_ index: Int) -> Range<Int> {
        let entry = entries[index]
        return (bytes.startIndex + Int(entry.start))..<(bytes.startIndex + Int(entry.end))
    }

    /// The characters of a string, without its quotes and escapes.
    public func string(_ index: Int) -> [UInt8] {
        JSONText.unescaped(text(index).dropFirst().dropLast())
    }

    /// The entries of an array's elements, or of an object's names.
    public func children(_ index: Int) -> [Int] {
        let isObject = entries[index].kind == .object
        var found: [Int] = []
        found.reserveCapacity(Int(entries[index].count))
        var place = index + 1
        while place < Int(entries[index].next) {
            found.append(place)
            // A name is one entry; its value comes after it.
            place = isObject ? Int(entries[place + 1].next) : Int(entries[place].next)
        }
        return found
    }
}
