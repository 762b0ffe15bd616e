// Paths inside a document, as numbers: a path is written out only where something differs.

import LabExchange

/// The paths that were walked, each with its number.
struct PathTable {
    private struct Step: Hashable {
        var parent: Int
        var name: [UInt8]
    }

    private var numbers: [Step: Int] = [:]
    private var texts: [String]

    /// Begins with the root.
    init(root: String) { texts = [root] }

    /// The path as text.
    func text(_ path: Int) -> String { texts[path] }

    /// The path of a member.
    mutating func member(_ parent: Int, _ name: [UInt8], isMap: Bool) -> Int {
        let name = isMap || Self.isVariable(name) ? Array("{}".utf8) : name
        return step(parent, name, dot: ".")
    }

    /// The path of all elements of an array.
    mutating func element(_ parent: Int) -> Int { step(parent, Array("[]".utf8), dot: "") }

    private mutating func step(_ parent: Int, _ name: [UInt8], dot: String) -> Int {
        let step = Step(parent: parent, name: name)
        if let number = numbers[step] { return number }
        texts.append(texts[parent] + dot + String(decoding: name, as: UTF8.self))
        numbers[step] = texts.count - 1
        return texts.count - 1
    }

    /// Whether a member's name looks like data: a number, a UUID, a hash, or too long for a name.
    private static func isVariable(_ name: [UInt8]) -> Bool {
        guard let first = name.first else { return false }
        if name.count > 100 { return true }
        if first &- 0x30 < 10 { return true }
        return name.count >= 16 && name.allSatisfy { JSONText.digit($0) != nil || $0 == 0x2D }
            && name.contains { $0 &- 0x30 < 10 }
    }
}
