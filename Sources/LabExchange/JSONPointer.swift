// Places in JSON: RFC 6901, and `*` for every element or member where one pointer is to name many.

/// A place in a JSON text, or many alike: `/user/id`, `/items/*/updated`.
public struct JSONPointer: Sendable, Equatable, CustomStringConvertible {
    /// One step down.
    enum Step: Sendable, Equatable {
        /// A member of this name; in an array the element of this number.
        case name([UInt8])
        /// `*`: every member, every element. A member that has this name is among them.
        case any
    }

    /// The pointer as it was written.
    public let description: String
    let steps: [Step]

    /// Reads a pointer; nil where it is not empty and does not begin with `/`, or has a `~` that is
    /// neither `~0` nor `~1`.
    public init?(_ text: String) {
        description = text
        guard !text.isEmpty else {
            steps = []
            return
        }
        guard text.utf8.first == 0x2F else { return nil }
        var steps: [Step] = []
        for part in text.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false) {
            if part.elementsEqual("*".utf8) {
                steps.append(.any)
                continue
            }
            guard let name = Self.unescaped(part) else { return nil }
            steps.append(.name(name))
        }
        self.steps = steps
    }

    private static func unescaped(_ part: Substring.UTF8View) -> [UInt8]? {
        var name: [UInt8] = []
        var isEscape = false
        for byte in part {
            switch (isEscape, byte) {
            case (true, 0x30): name.append(0x7E)
            case (true, 0x31): name.append(0x2F)
            case (true, _): return nil
            case (false, 0x7E):
                isEscape = true
                continue
            case (false, _): name.append(byte)
            }
            isEscape = false
        }
        return isEscape ? nil : name
    }

    /// A name as it stands in a pointer.
    static func escaped(_ name: [UInt8]) -> String {
        var out: [UInt8] = []
        for byte in name {
            switch byte {
            case 0x7E: out += [0x7E, 0x30]
            case 0x2F: out += [0x7E, 0x31]
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}

extension JSONTree {
    /// Where `other` differs first, as a pointer with `*` for each array's element, so that it can be
    /// given as one to ignore; nil where it does not differ.
    ///
    /// A place that is ignored may hold anything, and may be missing.
    public func difference(from other: JSONTree, ignoring pointers: [JSONPointer]) -> String? {
        difference(from: other, pointers.map { $0.steps[...] }, at: "")
    }

    private func difference(
        from other: JSONTree,
        _ ignored: [ArraySlice<JSONPointer.Step>],
        at place: String
    ) -> String? {
        if ignored.contains(where: \.isEmpty) { return nil }
        switch (self, other) {
        case (.object(let mine), .object(let theirs)):
            // In the order of names, so that the same two texts always differ in the same place.
            let names = Set(mine.keys).union(theirs.keys)
                .sorted { $0.lexicographicallyPrecedes($1) }
            for name in names {
                let found = Self.difference(
                    mine[name],
                    theirs[name],
                    below(ignored, name),
                    at: place + "/" + JSONPointer.escaped(name)
                )
                if let found { return found }
            }
            return nil
        case (.array(let mine), .array(let theirs)):
            for index in 0..<max(mine.count, theirs.count) {
                let found = Self.difference(
                    index < mine.count ? mine[index] : nil,
                    index < theirs.count ? theirs[index] : nil,
                    below(ignored, Array("\(index)".utf8)),
                    at: place + "/*"
                )
                if let found { return found }
            }
            return nil
        default:
            return self == other ? nil : place
        }
    }

    private static func difference(
        _ mine: JSONTree?,
        _ theirs: JSONTree?,
        _ ignored: [ArraySlice<JSONPointer.Step>],
        at place: String
    ) -> String? {
        if let mine, let theirs { return mine.difference(from: theirs, ignored, at: place) }
        return ignored.contains(where: \.isEmpty) ? nil : place
    }

    /// What of the pointers is left below a member or an element.
    private func below(
        _ ignored: [ArraySlice<JSONPointer.Step>],
        _ name: [UInt8]
    ) -> [ArraySlice<JSONPointer.Step>] {
        ignored.compactMap { steps in
            switch steps.first {
            case .any: steps.dropFirst()
            case .name(let one) where one == name: steps.dropFirst()
            default: nil
            }
        }
    }
}
