// A fault in one answer: what was answered -> what a broken build would have answered instead.

import LabExchange

/// What is changed in an answer.
enum AnswerChange: Sendable, Equatable {
    /// Another status; of the answer itself nothing else.
    case status(Int)
    /// The connection ends before the answer does.
    case cutOff
    /// A header field is not there.
    case dropHeader(String)
    /// A value of a JSON document is of another type.
    case retype(JSONPath)
    /// A member of a JSON document has another name.
    case rename(JSONPath)
    /// A value of a JSON document is another one of its type.
    case revalue(JSONPath)
    /// A word of a text is another one, wherever it stands.
    case reword([UInt8])

    /// What takes the place of names, words and strings.
    private static let mark = Array("planted".utf8)

    /// The answer with the fault in it; as it was where it has no place for it.
    func applied(to answer: ObservedAnswer) -> ObservedAnswer {
        guard answer.outcome == .ok else { return answer }
        var changed = answer
        switch self {
        case .status(let status): changed.status = status
        case .cutOff: changed.outcome = .truncated
        case .dropHeader(let name): changed.head = Self.head(answer.head, without: name)
        case .retype(let path): edit(&changed, at: path, Self.retyped)
        case .rename(let path): edit(&changed, at: path, isName: true) { _, _ in "\"planted\"" }
        case .revalue(let path): edit(&changed, at: path, Self.revalued)
        case .reword(let word):
            guard let plain = PlainContent(answer) else { return answer }
            changed = plain.replacing(Array(plain.bytes).replacing(word, with: Self.mark))
        }
        return changed
    }

    private func edit(
        _ answer: inout ObservedAnswer,
        at path: JSONPath,
        isName: Bool = false,
        _ text: (JSONKind, ArraySlice<UInt8>) -> String?
    ) {
        guard let plain = PlainContent(answer), let document = JSONDocument(plain.bytes),
            let entry = path.entry(in: document, isName: isName),
            let new = text(document.entries[entry].kind, document.text(entry))
        else { return }
        var bytes = Array(plain.bytes)
        let start = plain.bytes.startIndex
        let range = document.range(entry)
        bytes.replaceSubrange(
            (range.lowerBound - start)..<(range.upperBound - start),
            with: new.utf8
        )
        answer = plain.replacing(bytes)
    }

    private static func retyped(_ kind: JSONKind, _ text: ArraySlice<UInt8>) -> String? {
        switch kind {
        case .number, .boolean: "\"\(String(decoding: text, as: UTF8.self))\""
        case .string: "7"
        case .null, .array, .object: nil
        }
    }

    private static func revalued(_ kind: JSONKind, _ text: ArraySlice<UInt8>) -> String? {
        switch kind {
        case .number: text.elementsEqual("4711".utf8) ? "4712" : "4711"
        case .boolean: text.elementsEqual("true".utf8) ? "false" : "true"
        case .string: "\"planted\""
        case .null, .array, .object: nil
        }
    }

    /// A head without the fields of a name.
    static func head(_ head: [UInt8], without name: String) -> [UInt8] {
        let lines = head.split(separator: 0x0A, omittingEmptySubsequences: false)
        let kept = lines.filter { line in
            guard let colon = line.firstIndex(of: 0x3A) else { return true }
            return String(decoding: line[..<colon], as: UTF8.self).lowercased() != name
        }
        return Array(kept.joined(separator: [0x0A]))
    }
}

/// An answer's content without its codings, to be changed.
struct PlainContent {
    /// The content.
    let bytes: ArraySlice<UInt8>
    private let answer: ObservedAnswer

    /// nil where the content is not known, cut, or coded in a way that is not known here.
    init?(_ answer: ObservedAnswer) {
        guard answer.isWhole, let content = answer.content,
            let plain = Inflate.undo(ResponseFields(answer.head).codings, of: content[...])
        else { return nil }
        self.answer = answer
        bytes = plain
    }

    /// The answer with other content, which is not coded.
    func replacing(_ bytes: [UInt8]) -> ObservedAnswer {
        var changed = answer
        changed.content = bytes
        changed.head = AnswerChange.head(answer.head, without: "content-encoding")
        return changed
    }
}
