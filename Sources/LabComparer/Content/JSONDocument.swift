// A JSON document as a tape: one entry per value, in the order of the text, each with a hash of all
// that it means. Two values that mean the same have the same hash, so whole branches are equal at a
// glance and only what differs is walked.

/// What kind of value an entry is (RFC 8259).
enum JSONKind: UInt8 {
    case null, boolean, number, string, array, object

    var word: String {
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
struct JSONEntry {
    /// Of the meaning: members in any order, numbers as exact decimals, strings without escapes.
    var hash: UInt64
    /// Where its text begins.
    var start: Int32
    /// Where its text ends.
    var end: Int32
    /// The entry after it and all that it holds.
    var next: Int32
    /// How many elements or members it has.
    var count: Int32
    var kind: JSONKind
}

/// A parsed document.
///
/// An object's members stand as name, value, name, value.
struct JSONDocument {
    let bytes: ArraySlice<UInt8>
    let entries: ContiguousArray<JSONEntry>

    /// How deep a document may be nested: what is deeper is treated as text.
    static let mostDepth = 200

    /// Reads a document; nil where it is none, whole and alone.
    init?(_ bytes: ArraySlice<UInt8>) {
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
    func text(_ index: Int) -> ArraySlice<UInt8> {
        let entry = entries[index]
        return bytes[(bytes.startIndex + Int(entry.start))..<(bytes.startIndex + Int(entry.end))]
    }

    /// The characters of a string, without its quotes and escapes.
    func string(_ index: Int) -> [UInt8] {
        JSONText.unescaped(text(index).dropFirst().dropLast())
    }

    /// The entries of an array's elements, or of an object's names.
    func children(_ index: Int) -> [Int] {
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
