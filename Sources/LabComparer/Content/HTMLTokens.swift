// A page as tags and text: enough to say where two pages differ, no more.

import LabExchange

/// A tag, or a run of text.
struct HTMLToken {
    enum Kind {
        case tag, end, text
    }

    var kind: Kind
    /// The tag's name in lowercase; of text, the tag that it stands in.
    var name: String
    /// The attributes, by name in lowercase, in the order of names.
    var attributes: [(name: String, value: ArraySlice<UInt8>)] = []
    /// Of text: the text without the space around it.
    var text: ArraySlice<UInt8> = []

    /// Of all that it says.
    var hash: UInt64 {
        var hash = ContentHash.of(Array(name.utf8)[...]) ^ (kind == .end ? 1 : 0)
        for attribute in attributes {
            hash = ContentHash.mixed(hash ^ ContentHash.of(Array(attribute.name.utf8)[...]))
            hash = ContentHash.mixed(hash ^ ContentHash.of(attribute.value))
        }
        return kind == .text ? ContentHash.mixed(hash ^ ContentHash.of(text)) : hash
    }
}

/// Reads pages, as leniently as browsers do.
struct HTMLTokens {
    private let all: ArraySlice<UInt8>
    private var at: Int
    private var tokens: [HTMLToken] = []
    private var open = ""

    /// The tokens of a page.
    static func of(_ page: ArraySlice<UInt8>) -> [HTMLToken] {
        var reader = HTMLTokens(page)
        reader.read()
        return reader.tokens
    }

    private init(_ page: ArraySlice<UInt8>) {
        all = page
        at = page.startIndex
    }

    private mutating func read() {
        while at < all.endIndex {
            guard all[at] == 0x3C, at + 1 < all.endIndex else {
                takeText()
                continue
            }
            switch all[at + 1] {
            case 0x21: skipMarkup()
            case 0x2F: takeEnd()
            case let byte where isLetter(byte): takeTag()
            default: takeText()
            }
        }
    }

    private func isLetter(_ byte: UInt8) -> Bool { (byte | 0x20) &- 0x61 < 26 }
    private func isSpace(_ byte: UInt8) -> Bool { byte <= 0x20 }

    /// A comment or a document type: no part of what is seen.
    private mutating func skipMarkup() {
        let isComment = all[at...].starts(with: "<!--".utf8)
        let end = isComment ? "-->" : ">"
        at = place(of: end, from: at + 2).map { $0 + end.utf8.count } ?? all.endIndex
    }

    private func place(of word: String, from start: Int) -> Int? {
        let word = Array(word.utf8)
        var place = start
        while place + word.count <= all.endIndex {
            if all[place..<(place + word.count)].lazy.map({ $0 }).elementsEqual(word) {
                return place
            }
            place += 1
        }
        return nil
    }

    private mutating func takeText() {
        let start = at
        at += 1
        while at < all.endIndex, all[at] != 0x3C { at += 1 }
        addText(all[start..<at])
    }

    private mutating func addText(_ text: ArraySlice<UInt8>) {
        var text = text.drop(while: isSpace)
        while let last = text.last, isSpace(last) { text.removeLast() }
        guard !text.isEmpty else { return }
        tokens.append(HTMLToken(kind: .text, name: open, text: text))
    }

    private mutating func takeName() -> String {
        let start = at
        while at < all.endIndex, !isSpace(all[at]), all[at] != 0x3E, all[at] != 0x2F,
            all[at] != 0x3D
        {
            at += 1
        }
        return String(decoding: all[start..<at], as: UTF8.self).lowercased()
    }

    private mutating func takeEnd() {
        at += 2
        let name = takeName()
        while at < all.endIndex, all[at] != 0x3E { at += 1 }
        at = min(at + 1, all.endIndex)
        tokens.append(HTMLToken(kind: .end, name: name))
        open = ""
    }

    private mutating func takeTag() {
        at += 1
        var token = HTMLToken(kind: .tag, name: takeName())
        while at < all.endIndex, all[at] != 0x3E {
            if isSpace(all[at]) || all[at] == 0x2F || all[at] == 0x3D {
                at += 1
                continue
            }
            let name = takeName()
            token.attributes.append((name, takeValue()))
        }
        at = min(at + 1, all.endIndex)
        token.attributes.sort { $0.name < $1.name }
        tokens.append(token)
        open = token.name
        // What stands in these is no markup.
        if open == "script" || open == "style" {
            let end = place(of: "</\(open)", from: at) ?? all.endIndex
            addText(all[at..<end])
            at = end
        }
    }

    private mutating func takeValue() -> ArraySlice<UInt8> {
        while at < all.endIndex, isSpace(all[at]) { at += 1 }
        guard at < all.endIndex, all[at] == 0x3D else { return [] }
        at += 1
        while at < all.endIndex, isSpace(all[at]) { at += 1 }
        guard at < all.endIndex else { return [] }
        let quote = all[at]
        if quote == 0x22 || quote == 0x27 {
            at += 1
            let start = at
            while at < all.endIndex, all[at] != quote { at += 1 }
            let value = all[start..<at]
            at = min(at + 1, all.endIndex)
            return value
        }
        let start = at
        while at < all.endIndex, !isSpace(all[at]), all[at] != 0x3E { at += 1 }
        return all[start..<at]
    }
}

/// Compares pages.
enum HTMLComparison {
    /// Adds what differs; a place names the tag and which token of the page it is.
    static func compare(
        _ before: ArraySlice<UInt8>,
        _ after: ArraySlice<UInt8>,
        root: String,
        into list: inout DifferenceList
    ) {
        let (first, second) = (HTMLTokens.of(before), HTMLTokens.of(after))
        for gap in SequenceAlignment.gaps(first.map(\.hash), second.map(\.hash)) {
            for (one, other) in zip(gap.before, gap.after) {
                compare(
                    first[one],
                    second[other],
                    "\(root) <\(first[one].name)>:\(min(one + 1, TextComparison.mostPlaces))",
                    &list
                )
            }
            let common = min(gap.before.count, gap.after.count)
            for token in first[gap.before].dropFirst(common) where token.kind != .end {
                list.add(
                    Difference(
                        "\(root) <\(token.name)>",
                        .missing,
                        before: words(token),
                        after: "nothing"
                    )
                )
            }
            for token in second[gap.after].dropFirst(common) where token.kind != .end {
                list.add(
                    Difference(
                        "\(root) <\(token.name)>",
                        .extra,
                        before: "nothing",
                        after: words(token)
                    )
                )
            }
        }
    }

    private static func compare(
        _ one: HTMLToken,
        _ other: HTMLToken,
        _ place: String,
        _ list: inout DifferenceList
    ) {
        guard one.kind == other.kind, one.kind == .text || one.name == other.name else {
            list.add(Difference(place, .type, before: words(one), after: words(other)))
            return
        }
        if one.kind == .text { return list.addValue(place, one.text, other.text) }
        for attribute in one.attributes {
            let partner = other.attributes.first { $0.name == attribute.name }
            if let partner {
                if partner.value != attribute.value {
                    list.addValue("\(place)@\(attribute.name)", attribute.value, partner.value)
                }
            } else {
                list.add(
                    Difference(
                        "\(place)@\(attribute.name)",
                        .missing,
                        before: Excerpt.text(attribute.value),
                        after: "nothing"
                    )
                )
            }
        }
        for attribute in other.attributes
        where !one.attributes.contains(where: { $0.name == attribute.name }) {
            list.add(
                Difference(
                    "\(place)@\(attribute.name)",
                    .extra,
                    before: "nothing",
                    after: Excerpt.text(attribute.value)
                )
            )
        }
    }

    private static func words(_ token: HTMLToken) -> String {
        switch token.kind {
        case .tag: "<\(token.name)>"
        case .end: "</\(token.name)>"
        case .text: Excerpt.text(token.text)
        }
    }
}
