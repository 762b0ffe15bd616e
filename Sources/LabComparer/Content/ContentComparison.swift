// Content -> the way in which it is compared: by its media type, or by how it looks.

import LabExchange

/// Content as it came, with the fields that say what it is.
struct CodedContent {
    var bytes: [UInt8]
    var isWhole: Bool
    var fields: ResponseFields
}

/// Compares contents.
enum ContentComparison {
    /// Where content stands among places.
    static let root = "body"

    /// Adds what differs.
    static func compare(
        _ before: CodedContent,
        _ after: CodedContent,
        into list: inout DifferenceList
    ) {
        let areCodedAlike = before.fields.codings == after.fields.codings
        if before.bytes == after.bytes, areCodedAlike { return }
        let old = Inflate.undo(before.fields.codings, of: before.bytes[...])
        let new = Inflate.undo(after.fields.codings, of: after.bytes[...])
        guard let old, let new else {
            // A coding that is not known here, or content that was cut.
            return compareBinary(before.bytes[...], after.bytes[...], into: &list)
        }
        if old == new { return }
        switch form(of: before, old) {
        case .json(let first):
            guard let second = JSONDocument(new) else {
                list.add(
                    Difference(root, .type, before: "JSON", after: "no JSON: \(Excerpt.text(new))")
                )
                return
            }
            if first.entries[0].hash == second.entries[0].hash {
                list.add(
                    Difference(
                        root,
                        .reserialized,
                        before: Excerpt.text(old),
                        after: Excerpt.text(new)
                    )
                )
                return
            }
            JSONComparison.compare(first, second, root: root, into: &list)
        case .form: TextComparison.compareForms(old, new, root: root, into: &list)
        case .html: HTMLComparison.compare(old, new, root: root, into: &list)
        case .text: TextComparison.compareLines(old, new, root: root, into: &list)
        case .binary: compareBinary(old, new, into: &list)
        }
    }

    private enum Form {
        case json(JSONDocument)
        case form, html, text, binary
    }

    private static func form(of content: CodedContent, _ bytes: ArraySlice<UInt8>) -> Form {
        let type = content.fields.mediaType ?? ""
        if type == "application/json" || type.hasSuffix("+json") {
            return JSONDocument(bytes).map { .json($0) } ?? .text
        }
        if type == "application/x-www-form-urlencoded" { return .form }
        if type == "text/html" || type == "application/xhtml+xml" { return .html }
        let first = bytes.first { $0 > 0x20 }
        if first == 0x7B || first == 0x5B, let document = JSONDocument(bytes) {
            return .json(document)
        }
        return isText(bytes) ? .text : .binary
    }

    private static func isText(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { $0 >= 0x20 || $0 == 0x09 || $0 == 0x0A || $0 == 0x0D || $0 == 0x1B }
    }

    private static func compareBinary(
        _ before: ArraySlice<UInt8>,
        _ after: ArraySlice<UInt8>,
        into list: inout DifferenceList
    ) {
        if before == after { return }
        list.add(Difference(root, .value, before: words(before), after: words(after)))
    }

    private static func words(_ bytes: ArraySlice<UInt8>) -> String {
        let start = bytes.prefix(8).map { byte in
            (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return "\(bytes.count) bytes, \(start.joined(separator: " ")) …"
    }
}
