// Two heads, side by side. Servers send the same fields in the same order nearly always, so that is
// tried first, in place; names are looked up and sorted only where it is not so.

import LabExchange

/// Compares the fields of an answer's head with those of the captured one.
struct HeaderCheck {
    /// Names of what frames the message or concerns one connection: a proxy may change it at will.
    private static let hopNames: Set<String> = [
        "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    ]

    let ignored: Set<String>

    /// The name of the first field that is not as captured, in lowercase; nil where all are.
    ///
    /// `Content-Length` counts where `comparesLength`: in an answer to HEAD it is all that is said of
    /// the content.
    func difference(
        _ captured: UnsafeBufferPointer<UInt8>,
        _ came: UnsafeBufferPointer<UInt8>,
        comparesLength: Bool = false
    ) -> String? {
        var mine = HeadLines(captured)
        var theirs = HeadLines(came)
        var one = mine.next()
        var other = theirs.next()
        while let first = one, let second = other {
            if Self.isSameName(first.name, second.name) {
                if !first.value.elementsEqual(second.value) {
                    let name = Self.lowercased(first.name)
                    if counts(name, comparesLength), !isAlike(name, first.value, second.value) {
                        // Perhaps only the order among several of this name.
                        return differenceByName(captured, came, comparesLength)
                    }
                }
                one = mine.next()
                other = theirs.next()
            } else if !counts(Self.lowercased(first.name), comparesLength) {
                one = mine.next()
            } else if !counts(Self.lowercased(second.name), comparesLength) {
                other = theirs.next()
            } else {
                return differenceByName(captured, came, comparesLength)
            }
        }
        while let rest = one ?? other {
            let name = Self.lowercased(rest.name)
            if counts(name, comparesLength) {
                return differenceByName(captured, came, comparesLength)
            }
            if one != nil { one = mine.next() } else { other = theirs.next() }
        }
        return nil
    }

    /// The first difference whatever the order in which fields of different names stand.
    private func differenceByName(
        _ captured: UnsafeBufferPointer<UInt8>,
        _ came: UnsafeBufferPointer<UInt8>,
        _ comparesLength: Bool
    ) -> String? {
        let mine = valuesByName(captured, comparesLength)
        let theirs = valuesByName(came, comparesLength)
        for (name, values) in mine {
            guard let others = theirs.first(where: { $0.name == name })?.values else {
                return name
            }
            if Self.isVolatile(name) { continue }
            let isAlike =
                name == "set-cookie"
                ? values.map { Self.cookieShape($0) } == others.map { Self.cookieShape($0) }
                : Self.joined(values) == Self.joined(others)
            if !isAlike { return name }
        }
        return theirs.first { extra in !mine.contains { $0.name == extra.name } }?.name
    }

    private func valuesByName(
        _ head: UnsafeBufferPointer<UInt8>,
        _ comparesLength: Bool
    ) -> [(name: String, values: [[UInt8]])] {
        var all: [(name: String, values: [[UInt8]])] = []
        var lines = HeadLines(head)
        while let line = lines.next() {
            let name = Self.lowercased(line.name)
            guard counts(name, comparesLength) else { continue }
            if let place = all.firstIndex(where: { $0.name == name }) {
                all[place].values.append(Array(line.value))
            } else {
                all.append((name, [Array(line.value)]))
            }
        }
        return all
    }

    private func counts(_ name: String, _ comparesLength: Bool) -> Bool {
        if ignored.contains(name) { return false }
        return !Self.hopNames.contains(name) || comparesLength && name == "content-length"
    }

    private func isAlike(_ name: String, _ one: HeadLines.Run, _ other: HeadLines.Run) -> Bool {
        if name == "set-cookie" {
            return Self.cookieShape(Array(one)) == Self.cookieShape(Array(other))
        }
        return Self.isVolatile(name)
    }

    /// Whether a value is new each time; that the field is there still counts.
    private static func isVolatile(_ name: String) -> Bool {
        VolatileFields.names.contains(name) || VolatileFields.contentTimes.contains(name)
    }

    /// Names are ASCII; `| 0x20` makes a few other bytes alike too, and none of them is in a name.
    private static func isSameName(_ one: HeadLines.Run, _ other: HeadLines.Run) -> Bool {
        one.count == other.count && zip(one, other).allSatisfy { $0 | 0x20 == $1 | 0x20 }
    }

    private static func lowercased(_ name: HeadLines.Run) -> String {
        String(decoding: name, as: UTF8.self).lowercased()
    }

    /// Several lines of a name mean the same as one list (RFC 9110 5.3); cookies are no list.
    private static func joined(_ values: [[UInt8]]) -> [UInt8] {
        Array(values.joined(separator: [0x2C, 0x20]))
    }

    /// A cookie without its value and its dates: its name and its attributes.
    private static func cookieShape(_ value: [UInt8]) -> [[UInt8]] {
        value.split(separator: 0x3B, omittingEmptySubsequences: false).enumerated()
            .map { place, part in
                let words = part.split(separator: 0x3D, maxSplits: 1)
                let name = (words.first ?? []).filter { $0 != 0x20 }
                if place == 0 { return name }
                // Attribute names are the same in any case (RFC 6265 5.2).
                let attribute = Array(String(decoding: name, as: UTF8.self).lowercased().utf8)
                let isDate = attribute.elementsEqual("expires".utf8)
                return isDate || words.count < 2 ? attribute : attribute + [0x3D] + words[1]
            }
    }
}

/// The field lines of a head that was parsed before, one after the other.
struct HeadLines {
    typealias Run = Slice<UnsafeBufferPointer<UInt8>>

    private let head: UnsafeBufferPointer<UInt8>
    private var at: Int

    init(_ head: UnsafeBufferPointer<UInt8>) {
        self.head = head
        at = (head.firstIndex(of: 0x0A) ?? head.count - 1) + 1
    }

    /// The next line with a colon; nil at the end.
    mutating func next() -> (name: Run, value: Run)? {
        while at < head.count {
            var end = head[at...].firstIndex(of: 0x0A) ?? head.count
            let line = at
            at = end + 1
            if end > line, head[end - 1] == 0x0D { end -= 1 }
            guard let colon = head[line..<end].firstIndex(of: 0x3A) else { continue }
            var start = colon + 1
            while start < end, head[start] == 0x20 || head[start] == 0x09 { start += 1 }
            while end > start, head[end - 1] == 0x20 || head[end - 1] == 0x09 { end -= 1 }
            return (head[line..<colon], head[start..<end])
        }
        return nil
    }
}
