// Every place of an answer at which a token stands, and the one by which it is found again.

import LabWire

extension AnswerAnatomy {
    /// A locator for each token that the answer holds and that one finds again.
    ///
    /// Of several the first is taken, in the order: head, JSON, form, link, any other text. Whatever
    /// is given does find the token in this answer.
    func locators(of wanted: Set<[UInt8]>) -> [[UInt8]: AnswerLocator] {
        guard !wanted.isEmpty else { return [:] }
        var found: [[UInt8]: AnswerLocator] = [:]
        func offer(_ token: [UInt8], _ locator: AnswerLocator) {
            guard wanted.contains(token), found[token] == nil, locator.value(in: self) == token
            else { return }
            found[token] = locator
        }
        func offerParts(_ value: [UInt8], _ source: AnswerLocator.Source) {
            offer(value, AnswerLocator(source))
            guard value.contains(UInt8(ascii: "/")) else { return }
            for (token, part) in Self.urlParts(of: value, wanted) {
                offer(token, AnswerLocator(source, part: part))
            }
        }
        for field in head.fields {
            let name = String(
                decoding: head.name(of: field).map { asciiLowercased($0) },
                as: UTF8.self
            )
            guard name != "set-cookie", name != "date" else { continue }
            offerParts(Array(head.value(of: field)), .header(name))
        }
        for cookie in cookies { offer(cookie.value, AnswerLocator(.cookie(cookie.name))) }
        for leaf in leaves { offerParts(leaf.value, .json(leaf.pointer)) }
        for tag in tags { offerTag(tag, wanted, offer) }
        offerText(wanted.subtracting(found.keys), offer)
        return found
    }

    private func offerTag(
        _ tag: MarkupTag,
        _ wanted: Set<[UInt8]>,
        _ offer: ([UInt8], AnswerLocator) -> Void
    ) {
        let name = tag["name"].map { String(decoding: $0, as: UTF8.self) }
        if let name, tag.element == "input", let value = tag["value"] {
            offer(value, AnswerLocator(.input(name)))
        }
        if let name, tag.element == "meta", let value = tag["content"] {
            offer(value, AnswerLocator(.meta(name)))
        }
        for link in tag.links {
            let url = URLParts(link[...])
            for (token, part) in Self.urlParts(of: link, wanted) {
                if case .path(let pattern) = part {
                    offer(token, AnswerLocator(.link(pattern)))
                } else {
                    let pattern = PathPattern(ofPath: link[url.path])
                    offer(token, AnswerLocator(.link(pattern), part: part))
                }
            }
        }
        for attribute in tag.attributes {
            offer(attribute.value, AnswerLocator(.attribute(attribute.name)))
        }
    }

    /// What no browser would send is not taken apart, bytes.
    private static let longestURL = 8192

    /// The wanted tokens in a URL: in its query, and in the segments of its path.
    private static func urlParts(
        of link: [UInt8],
        _ wanted: Set<[UInt8]>
    ) -> [(token: [UInt8], part: AnswerLocator.URLPart)] {
        guard link.count <= longestURL else { return [] }
        let url = URLParts(link[...])
        var found: [([UInt8], AnswerLocator.URLPart)] = []
        for field in url.query {
            found.append((ValueEncoding.form.decode(link[field.value]), .query(field.name)))
        }
        let path = link[url.path]
        let slash = UInt8(ascii: "/")
        let segments = path.split(separator: slash, omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            // The rest of the path is part of the pattern, itself with `*` only where it varies
            // too: the first `*` is the one that is taken, so what stands before must be fixed.
            for token in Token.candidates(in: Array(segment)) {
                guard wanted.contains(token), let range = segment.firstRange(of: token) else {
                    continue
                }
                var pieces = segments.map { String(decoding: $0, as: UTF8.self) }
                pieces[index] =
                    String(decoding: segment[..<range.lowerBound], as: UTF8.self) + "*"
                    + String(decoding: segment[range.upperBound...], as: UTF8.self)
                for later in segments.indices.dropFirst(index + 1) {
                    let tail = PathPattern(ofPath: segments[later])
                    pieces[later] = tail.text
                }
                found.append((token, .path(PathPattern(pieces.joined(separator: "/")))))
            }
        }
        return found
    }

    /// What stands in a script or in plain text: between what is before it on its line, and the
    /// byte that follows.
    private func offerText(
        _ wanted: Set<[UInt8]>,
        _ offer: ([UInt8], AnswerLocator) -> Void
    ) {
        guard isText, !wanted.isEmpty else { return }
        let lengths = Set(wanted.map(\.count))
        for isDotted in [true, false] {
            let runs = content.split { byte in
                !Token.isPlain(byte) && !(isDotted && byte == UInt8(ascii: "."))
            }
            for run in runs where lengths.contains(run.count) && wanted.contains(Array(run)) {
                let line = content[..<run.startIndex].suffix(Self.mostBefore)
                let start = line.lastIndex(of: 0x0A).map { $0 + 1 } ?? line.startIndex
                let before = content[run.endIndex...].prefix(1)
                guard start < run.startIndex, let after = Self.text(line[start...]),
                    let before = Self.text(before)
                else { continue }
                offer(Array(run), AnswerLocator(.text(after: after, before: before)))
            }
        }
    }

    private static let mostBefore = 32

    /// Bytes as text that is those bytes again; nil where they are none.
    private static func text(_ bytes: ArraySlice<UInt8>) -> String? {
        let text = String(decoding: bytes, as: UTF8.self)
        return text.utf8.elementsEqual(bytes) ? text : nil
    }
}
