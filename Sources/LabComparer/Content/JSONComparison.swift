// Two JSON documents -> where they differ. Only branches whose hashes differ are walked.

import LabExchange

/// Compares two documents.
struct JSONComparison {
    /// An object with more members is a map: its names are data.
    static let mostNames = 50

    private let before: JSONDocument
    private let after: JSONDocument
    private var paths: PathTable
    private var list: DifferenceList

    /// Adds to `list` what `after` has otherwise than `before`.
    static func compare(
        _ before: JSONDocument,
        _ after: JSONDocument,
        root: String,
        into list: inout DifferenceList
    ) {
        var comparison = JSONComparison(before, after, root, list)
        comparison.compare(0, 0, path: 0)
        list = comparison.list
    }

    private init(
        _ before: JSONDocument,
        _ after: JSONDocument,
        _ root: String,
        _ list: DifferenceList
    ) {
        self.before = before
        self.after = after
        self.list = list
        paths = PathTable(root: root)
    }

    private mutating func compare(_ old: Int, _ new: Int, path: Int) {
        let (first, second) = (before.entries[old], after.entries[new])
        if first.hash == second.hash || list.isFull { return }
        guard first.kind == second.kind else {
            let isNull = first.kind == .null || second.kind == .null
            list.add(
                Difference(
                    paths.text(path),
                    isNull ? .nullFlip : .type,
                    before: "\(first.kind.word) \(Excerpt.text(before.text(old)))",
                    after: "\(second.kind.word) \(Excerpt.text(after.text(new)))"
                )
            )
            return
        }
        switch first.kind {
        case .object: compareMembers(old, new, path)
        case .array: compareElements(old, new, path)
        case .string:
            list.addValue(
                paths.text(path),
                before.text(old).dropFirst().dropLast(),
                after.text(new).dropFirst().dropLast()
            )
        case .number, .boolean, .null:
            list.addValue(paths.text(path), before.text(old), after.text(new))
        }
    }

    // MARK: Objects

    private mutating func compareMembers(_ old: Int, _ new: Int, _ path: Int) {
        let (first, second) = (before.children(old), after.children(new))
        let isMap = max(first.count, second.count) > Self.mostNames
        // By the hash of the name, and, for a name that stands twice, by its turn.
        var places: [UInt64: Int] = [:]
        places.reserveCapacity(second.count)
        var twins: [Int: Int] = [:]
        for name in second.reversed() {
            if let twin = places.updateValue(name, forKey: after.entries[name].hash) {
                twins[name] = twin
            }
        }
        for name in first {
            let hash = before.entries[name].hash
            if let partner = places[hash] {
                places[hash] = twins[partner]
                if before.entries[name + 1].hash != after.entries[partner + 1].hash {
                    compare(
                        name + 1,
                        partner + 1,
                        path: paths.member(path, before.string(name), isMap: isMap)
                    )
                }
            } else {
                report(
                    .missing,
                    paths.member(path, before.string(name), isMap: isMap),
                    before.text(name + 1)
                )
            }
        }
        for name in second where places[after.entries[name].hash] == name {
            places[after.entries[name].hash] = twins[name]
            report(
                .extra,
                paths.member(path, after.string(name), isMap: isMap),
                after.text(name + 1)
            )
        }
    }

    private mutating func report(_ kind: DifferenceKind, _ path: Int, _ text: ArraySlice<UInt8>) {
        let text = Excerpt.text(text)
        list.add(
            Difference(
                paths.text(path),
                kind,
                before: kind == .missing ? text : "nothing",
                after: kind == .missing ? "nothing" : text
            )
        )
    }

    // MARK: Arrays

    private mutating func compareElements(_ old: Int, _ new: Int, _ path: Int) {
        let (first, second) = (before.children(old), after.children(new))
        let (left, right) = (
            first.map { before.entries[$0].hash }, second.map { after.entries[$0].hash }
        )
        let element = paths.element(path)
        let rule = list.rules.rule(at: paths.text(path), .order)
        if left.sorted() == right.sorted() {
            if let rule, rule.action == .set || rule.action == .multiset { return list.note(rule) }
            reportOrder(path, first, second)
            return
        }
        if let rule, rule.action == .set, Set(left) == Set(right) { return list.note(rule) }
        var keyName: [UInt8]?
        if let rule, case .key(let name) = rule.action {
            keyName = Array(name.utf8)
            list.note(rule)
        }
        if let pairs = IdentityAlignment(before, first, after, second, key: keyName) {
            for (one, other) in pairs.pairs { compare(one, other, path: element) }
            for one in pairs.onlyBefore { report(.missing, element, before.text(one)) }
            for other in pairs.onlyAfter { report(.extra, element, after.text(other)) }
            if !pairs.keepsOrder, rule?.action != .multiset, rule?.action != .set {
                reportOrder(path, first, second)
            }
            return
        }
        if first.count != second.count {
            list.add(
                Difference(
                    paths.text(path),
                    .length,
                    before: "\(first.count) elements",
                    after: "\(second.count) elements"
                )
            )
        }
        for gap in SequenceAlignment.gaps(left, right) {
            for (one, other) in zip(gap.before, gap.after) {
                compare(first[one], second[other], path: element)
            }
        }
    }

    private mutating func reportOrder(_ path: Int, _ first: [Int], _ second: [Int]) {
        let place = zip(first, second)
            .first { before.entries[$0].hash != after.entries[$1].hash }
        list.add(
            Difference(
                paths.text(path),
                .order,
                before: place.map { Excerpt.text(before.text($0.0)) } ?? "",
                after: place.map { Excerpt.text(after.text($0.1)) } ?? ""
            )
        )
    }
}
