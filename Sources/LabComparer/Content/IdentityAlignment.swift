// Elements that say who they are: paired by it, wherever they stand.

import LabExchange

/// The elements of two arrays, paired by a member that identifies them.
struct IdentityAlignment {
    /// Elements that both have, as entries.
    private(set) var pairs: [(Int, Int)] = []
    private(set) var onlyBefore: [Int] = []
    private(set) var onlyAfter: [Int] = []
    /// Whether those that both have stand in the same order.
    private(set) var keepsOrder = true

    /// What identifies an element, where no rule names something: the first that all have, each its
    /// own.
    private static let names = ["id", "uuid", "key", "name"]

    /// Pairs elements; nil where they are not all objects with such a member, or share fewer than
    /// half of them: an identity that is new in each answer identifies nothing.
    init?(
        _ before: JSONDocument,
        _ first: [Int],
        _ after: JSONDocument,
        _ second: [Int],
        key: [UInt8]?
    ) {
        guard !first.isEmpty, !second.isEmpty else { return nil }
        let names = key.map { [$0] } ?? Self.names.map { Array($0.utf8) }
        for name in names {
            guard let old = Self.identities(before, first, name),
                let new = Self.identities(after, second, name)
            else { continue }
            let places = Dictionary(uniqueKeysWithValues: zip(new, second))
            let common = old.filter { places[$0] != nil }.count
            guard key != nil || 2 * common >= min(old.count, new.count) else { continue }
            let known = Set(old)
            var last = -1
            for (identity, element) in zip(old, first) {
                if let partner = places[identity] {
                    pairs.append((element, partner))
                    if partner < last { keepsOrder = false }
                    last = partner
                } else {
                    onlyBefore.append(element)
                }
            }
            for (identity, element) in zip(new, second) where !known.contains(identity) {
                onlyAfter.append(element)
            }
            return
        }
        return nil
    }

    /// The hash of each element's member; nil where one has none, or two have the same.
    private static func identities(
        _ document: JSONDocument,
        _ elements: [Int],
        _ name: [UInt8]
    ) -> [UInt64]? {
        var found: [UInt64] = []
        var known: Set<UInt64> = []
        for element in elements {
            guard document.entries[element].kind == .object,
                let member = document.children(element)
                    .first(where: { document.text($0).dropFirst().dropLast().elementsEqual(name) })
            else { return nil }
            let value = document.entries[member + 1]
            guard value.kind == .string || value.kind == .number,
                known.insert(value.hash).inserted
            else { return nil }
            found.append(value.hash)
        }
        return found
    }
}
