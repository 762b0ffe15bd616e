// Text by lines, forms by fields, pages by tokens.

import LabExchange

/// Compares content that is text.
enum TextComparison {
    /// Lines beyond this share one place.
    static let mostPlaces = 500

    /// Adds the lines that differ; a line's place is its number in the first answer.
    static func compareLines(
        _ before: ArraySlice<UInt8>,
        _ after: ArraySlice<UInt8>,
        root: String,
        into list: inout DifferenceList
    ) {
        let (first, second) = (lines(before), lines(after))
        if first.count != second.count {
            list.add(
                Difference(
                    root,
                    .length,
                    before: "\(first.count) lines",
                    after: "\(second.count) lines"
                )
            )
        }
        for gap in SequenceAlignment.gaps(
            first.map { ContentHash.of($0) },
            second.map { ContentHash.of($0) }
        ) {
            for (one, other) in zip(gap.before, gap.after) {
                let number = min(one + 1, mostPlaces)
                list.addValue("\(root):\(number)", first[one], second[other])
            }
        }
    }

    private static func lines(_ text: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        text.split(separator: 0x0A, omittingEmptySubsequences: false)
            .map { $0.last == 0x0D ? $0.dropLast() : $0 }
    }

    /// Adds the fields of a form (application/x-www-form-urlencoded) that differ.
    static func compareForms(
        _ before: ArraySlice<UInt8>,
        _ after: ArraySlice<UInt8>,
        root: String,
        into list: inout DifferenceList
    ) {
        let (first, second) = (fields(before), fields(after))
        for (name, values) in first.sorted(by: { $0.key < $1.key }) {
            let place = "\(root).\(name)"
            guard let others = second[name] else {
                list.add(
                    Difference(
                        place,
                        .missing,
                        before: Excerpt.text(Array(values.joined(separator: ", ".utf8))),
                        after: "nothing"
                    )
                )
                continue
            }
            if values.count != others.count {
                list.add(
                    Difference(
                        place,
                        .length,
                        before: "\(values.count) values",
                        after: "\(others.count) values"
                    )
                )
            }
            for (one, other) in zip(values, others) where one != other {
                list.addValue(place, one, other)
            }
        }
        for (name, values) in second.sorted(by: { $0.key < $1.key }) where first[name] == nil {
            list.add(
                Difference(
                    "\(root).\(name)",
                    .extra,
                    before: "nothing",
                    after: Excerpt.text(Array(values.joined(separator: ", ".utf8)))
                )
            )
        }
    }

    private static func fields(_ form: ArraySlice<UInt8>) -> [String: [[UInt8]]] {
        var found: [String: [[UInt8]]] = [:]
        for field in form.split(separator: 0x26) {
            let parts = field.split(separator: 0x3D, maxSplits: 1, omittingEmptySubsequences: false)
            let name = String(decoding: decoded(parts[0]), as: UTF8.self)
            found[name, default: []].append(parts.count > 1 ? decoded(parts[1]) : [])
        }
        return found
    }

    private static func decoded(_ text: ArraySlice<UInt8>) -> [UInt8] {
        let bytes = Array(text)
        var result: [UInt8] = []
        var at = 0
        while at < bytes.count {
            if bytes[at] == 0x25, at + 2 < bytes.count, let high = JSONText.digit(bytes[at + 1]),
                let low = JSONText.digit(bytes[at + 2])
            {
                result.append(UInt8(high << 4 | low))
                at += 3
            } else {
                result.append(bytes[at] == 0x2B ? 0x20 : bytes[at])
                at += 1
            }
        }
        return result
    }
}
