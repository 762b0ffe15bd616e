// An answer taken apart: what its head, its JSON, its forms and its links say.

import LabExchange
import LabWire

/// An answer taken apart as far as locators ask for it.
///
/// A class, so that what was read once is read no more.
final class AnswerAnatomy {
    let head: ResponseHead
    /// The content without gzip or deflate; nothing where it has another coding, or is damaged.
    let content: [UInt8]
    private let media: MediaType

    init(head: ResponseHead, content: [UInt8]) {
        self.head = head
        var codings: [String] = []
        for field in head.fields where head.name(of: field).equals(ignoringCase: "content-encoding")
        {
            codings += String(decoding: head.value(of: field), as: UTF8.self).lowercased()
                .split { $0 == "," || $0 == " " || $0 == "\t" }.map { String($0) }
        }
        self.content =
            codings.isEmpty ? content : Array(Inflate.undo(codings, of: content[...]) ?? [])
        media = MediaType(head.value(ofFirst: "content-type") ?? [])
    }

    /// The leaves of a JSON content.
    private(set) lazy var leaves = media.isJSON ? JSONLeaves.of(content[...]) ?? [] : []
    /// The tags of an HTML content.
    private(set) lazy var tags = media.isMarkup ? MarkupTag.all(in: content[...]) : []
    /// Whether the content can be searched as text.
    var isText: Bool { media.isText || media.isJSON }
    /// The cookies that it sets.
    var cookies: [SetCookie] {
        head.fields.compactMap { field in
            guard head.name(of: field).equals(ignoringCase: "set-cookie") else { return nil }
            return SetCookie(head.value(of: field))
        }
    }

    /// What the first place of a kind holds.
    func values(of source: AnswerLocator.Source, _ part: AnswerLocator.URLPart?) -> [UInt8]? {
        switch source {
        case .header(let name):
            for field in head.fields
            where head.name(of: field).elementsEqual(name.utf8, by: { asciiLowercased($0) == $1 }) {
                if let value = Self.taken(part, of: Array(head.value(of: field))) { return value }
            }
            return nil
        case .cookie(let name): return cookies.first { $0.name == name }?.value
        case .json(let pointer):
            return leaves.first { $0.pointer == pointer }.flatMap { Self.taken(part, of: $0.value) }
        case .input(let name):
            return tags.first {
                $0.element == "input" && $0["name"] == Array(name.utf8) && $0["value"] != nil
            }?["value"]
        case .meta(let name):
            return tags.first { $0.element == "meta" && $0["name"] == Array(name.utf8) }?["content"]
        case .attribute(let name):
            for tag in tags {
                if let value = tag[name].flatMap({ Self.taken(part, of: $0) }) { return value }
            }
            return nil
        case .link(let pattern):
            for link in tags.flatMap(\.links) {
                if let value = Self.taken(part ?? .path(pattern), of: link, at: pattern) {
                    return value
                }
            }
            return nil
        case .text(let after, let before): return text(after: after, before: before)
        }
    }

    private func text(after: String, before: String) -> [UInt8]? {
        guard isText, let start = content.firstRange(of: Array(after.utf8)) else { return nil }
        guard !before.isEmpty else { return Array(content[start.upperBound...]) }
        return content[start.upperBound...].firstRange(of: Array(before.utf8))
            .map { Array(content[start.upperBound..<$0.lowerBound]) }
    }

    /// The part of a URL; the whole where no part is asked for.
    private static func taken(
        _ part: AnswerLocator.URLPart?,
        of value: [UInt8],
        at pattern: PathPattern? = nil
    ) -> [UInt8]? {
        guard let part else { return value }
        let url = URLParts(value[...])
        if let pattern, pattern.match(value[url.path]) == nil { return nil }
        switch part {
        case .query(let name):
            return url.query.first { $0.name == name }
                .map { ValueEncoding.form.decode(value[$0.value]) }
        case .path(let pattern):
            return pattern.match(value[url.path])?.first
                .map { ValueEncoding.percent.decode(value[$0]) }
        }
    }
}
