// Where two JSON documents differ first, apart from places that are not looked at.

extension JSONDocument {
    /// Where `other` differs first, as a pointer with `*` for each array's element, so that it can be
    /// given as one to ignore; nil where it means the same.
    ///
    /// A place that is ignored may hold anything, and may be missing. Of members of one name the last
    /// one counts.
    public func difference(
        from other: JSONDocument,
        ignoring pointers: [JSONPointer]
    ) -> String? {
        difference(0, from: other, 0, pointers.map { $0.steps[...] }, at: "")
    }

    private func difference(
        _ index: Int,
        from other: JSONDocument,
        _ otherIndex: Int,
        _ ignored: [ArraySlice<JSONPointer.Step>],
        at place: String
    ) -> String? {
        if ignored.contains(where: \.isEmpty) { return nil }
        let (mine, theirs) = (entries[index], other.entries[otherIndex])
        if mine.kind == theirs.kind, mine.hash == theirs.hash { return nil }
        switch (mine.kind, theirs.kind) {
        case (.object, .object):
            let (here, there) = (members(index), other.members(otherIndex))
            // In the order of names, so that the same two texts always differ in the same place.
            let names = Set(here.keys).union(there.keys)
                .sorted { $0.lexicographicallyPrecedes($1) }
            for name in names {
                let found = difference(
                    here[name],
                    from: other,
                    there[name],
                    below(ignored, name),
                    at: place + "/" + JSONPointer.escaped(name)
                )
                if let found { return found }
            }
            return nil
        case (.array, .array):
            let (here, there) = (children(index), other.children(otherIndex))
            for element in 0..<max(here.count, there.count) {
                let found = difference(
                    element < here.count ? here[element] : nil,
                    from: other,
                    element < there.count ? there[element] : nil,
                    below(ignored, Array("\(element)".utf8)),
                    at: place + "/*"
                )
                if let found { return found }
            }
            return nil
        default:
            return place
        }
    }

    private func difference(
        _ index: Int?,
        from other: JSONDocument,
        _ otherIndex: Int?,
        _ ignored: [ArraySlice<JSONPointer.Step>],
        at place: String
    ) -> String? {
        if let index, let otherIndex {
            return difference(index, from: other, otherIndex, ignored, at: place)
        }
        return ignored.contains(where: \.isEmpty) ? nil : place
    }

    /// An object's values by their names.
    private func members(_ index: Int) -> [[UInt8]: Int] {
        let named = children(index).map { (string($0), $0 + 1) }
        return Dictionary(named) { $1 }
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
