// The fields of two response heads. That a field is there is always compared; what it says, unless
// its exact name is known to change from answer to answer.

import LabExchange
import LabWire

/// Compares response heads.
enum HeaderComparison {
    /// Fields of whose values only the form is compared.
    static let formOnly = VolatileFields.contentTimes.union(["etag"])
    /// Fields that say how the content is framed or coded: the content itself is compared.
    static let framing: Set<String> = ["content-length", "transfer-encoding", "content-encoding"]

    /// Whether two heads are the same line by line, but for the values of fields that are not compared.
    ///
    /// Most are, and need no closer look. False where only a closer look can tell.
    static func areAlike(_ before: [UInt8], _ after: [UInt8]) -> Bool {
        if before == after { return true }
        var (first, second) = (before[...], after[...])
        while !first.isEmpty, !second.isEmpty {
            let (old, new) = (nextLine(&first), nextLine(&second))
            if old == new { continue }
            let name = old.prefix { $0 != 0x3A }
            guard name.count < old.count, new.starts(with: old.prefix(name.count + 1)),
                VolatileFields.names.contains(String(decoding: name, as: UTF8.self).lowercased())
            else { return false }
        }
        return first.isEmpty && second.isEmpty
    }

    /// Takes a line off, without its end.
    private static func nextLine(_ rest: inout ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let end = rest.firstIndex(of: 0x0A) ?? rest.endIndex
        defer { rest = rest[end...].dropFirst() }
        return rest[..<end]
    }

    /// Adds what differs, but for the status and the media type, which are compared elsewhere.
    static func compare(
        _ before: ResponseFields,
        _ after: ResponseFields,
        into list: inout DifferenceList
    ) {
        for name in before.names {
            guard let old = before.values(name) else { continue }
            let place = "header \(name)"
            guard let new = after.values(name) else {
                list.add(
                    Difference(
                        place,
                        framing.contains(name) ? .coding : .missing,
                        before: Excerpt.text(joined(old)),
                        after: "nothing"
                    )
                )
                continue
            }
            if name == "set-cookie" {
                compareCookies(old, new, into: &list)
            } else if framing.contains(name) {
                if name == "content-encoding", old != new {
                    list.add(
                        Difference(
                            place,
                            .coding,
                            before: Excerpt.text(joined(old)),
                            after: Excerpt.text(joined(new))
                        )
                    )
                }
            } else if name != "content-type", !VolatileFields.names.contains(name), old != new {
                list.addValue(
                    place,
                    joined(old),
                    joined(new),
                    onlyShape: formOnly.contains(name)
                )
            }
        }
        for name in after.names where before.values(name) == nil {
            list.add(
                Difference(
                    "header \(name)",
                    framing.contains(name) ? .coding : .extra,
                    before: "nothing",
                    after: Excerpt.text(joined(after.values(name) ?? []))
                )
            )
        }
    }

    private static func joined(_ values: [ArraySlice<UInt8>]) -> [UInt8] {
        Array(values.joined(separator: ", ".utf8))
    }

    // MARK: Cookies (RFC 6265 4.1)

    private struct Cookie {
        var value: ArraySlice<UInt8>
        var attributes: [String: ArraySlice<UInt8>]
    }

    private static func cookies(_ values: [ArraySlice<UInt8>]) -> [String: Cookie] {
        var found: [String: Cookie] = [:]
        for value in values {
            let parts = value.split(separator: 0x3B).map { pair($0) }
            guard let first = parts.first else { continue }
            let attributes = parts.dropFirst().map { ($0.0.lowercased(), $0.1) }
            found[first.0] = Cookie(
                value: first.1,
                attributes: Dictionary(attributes) { _, last in last }
            )
        }
        return found
    }

    private static func pair(_ part: ArraySlice<UInt8>) -> (String, ArraySlice<UInt8>) {
        let part = part.drop { $0 == 0x20 || $0 == 0x09 }
        let sign = part.firstIndex(of: 0x3D) ?? part.endIndex
        return (String(decoding: part[..<sign], as: UTF8.self), part[sign...].dropFirst())
    }

    private static func compareCookies(
        _ before: [ArraySlice<UInt8>],
        _ after: [ArraySlice<UInt8>],
        into list: inout DifferenceList
    ) {
        let (first, second) = (cookies(before), cookies(after))
        for (name, old) in first.sorted(by: { $0.key < $1.key }) {
            let place = "cookie \(name)"
            guard let new = second[name] else {
                list.add(
                    Difference(
                        place,
                        .missing,
                        before: Excerpt.text(old.value),
                        after: "nothing"
                    )
                )
                continue
            }
            if old.value != new.value { list.addValue(place, old.value, new.value) }
            compareAttributes(place, old.attributes, new.attributes, into: &list)
        }
        for (name, new) in second.sorted(by: { $0.key < $1.key }) where first[name] == nil {
            list.add(
                Difference(
                    "cookie \(name)",
                    .extra,
                    before: "nothing",
                    after: Excerpt.text(new.value)
                )
            )
        }
    }

    /// A cookie's attribute is security as often as not: one that goes is breaking, one that comes
    /// changes what a browser does.
    private static func compareAttributes(
        _ place: String,
        _ before: [String: ArraySlice<UInt8>],
        _ after: [String: ArraySlice<UInt8>],
        into list: inout DifferenceList
    ) {
        for name in Set(before.keys).union(after.keys).sorted() {
            let place = "\(place); \(name)"
            switch (before[name], after[name]) {
            case (let old?, let new?) where old != new:
                list.addValue(place, old, new, onlyShape: name == "expires")
            case (let old?, nil):
                list.add(
                    Difference(place, .missing, before: Excerpt.text(old), after: "nothing")
                )
            case (nil, let new?):
                list.add(
                    Difference(
                        place,
                        .extra,
                        before: "nothing",
                        after: Excerpt.text(new),
                        severity: .value
                    )
                )
            default: break
            }
        }
    }
}
