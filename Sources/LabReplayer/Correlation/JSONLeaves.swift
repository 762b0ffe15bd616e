// The leaves of a JSON text with the place of each in the bytes, so that one can be replaced and
// all else stays as it was written.

import LabExchange

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

/// The leaves of a JSON text, in order.
struct JSONLeaves {
    private let document: JSONDocument
    private var leaves: [JSONLeaf] = []

    /// The leaves; nil where the bytes are no JSON.
    static func of(_ bytes: ArraySlice<UInt8>) -> [JSONLeaf]? {
        guard let document = JSONDocument(bytes) else { return nil }
        var found = JSONLeaves(document: document)
        found.add(0, "")
        return found.leaves
    }

    private init(document: JSONDocument) { self.document = document }

    /// A string and a number are leaves; `true`, `false` and `null` are not.
    private mutating func add(_ index: Int, _ pointer: String) {
        let range = document.range(index)
        switch document.entries[index].kind {
        case .null, .boolean: break
        case .number:
            let value = Array(document.text(index))
            leaves.append(JSONLeaf(pointer: pointer, range: range, value: value, isString: false))
        case .string:
            leaves.append(
                JSONLeaf(
                    pointer: pointer,
                    range: (range.lowerBound + 1)..<(range.upperBound - 1),
                    value: document.string(index),
                    isString: true
                )
            )
        case .array:
            for (place, child) in document.children(index).enumerated() {
                add(child, pointer + "/\(place)")
            }
        case .object:
            for name in document.children(index) {
                add(name + 1, pointer + "/" + JSONPointer.escaped(document.string(name)))
            }
        }
    }
}
