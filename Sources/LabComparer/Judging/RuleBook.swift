// A rules file: JSON -> rules. What is not understood is refused, for a rule that is misspelt would
// forgive nothing, or everything.

import LabExchange

/// Why a rules file is of no use.
public struct RuleError: Error, Equatable, CustomStringConvertible {
    /// What is wrong and what to do, a sentence.
    public let description: String
}

/// The rules of a comparison.
public struct RuleBook: Sendable, Equatable {
    /// All rules, in the order of the file.
    public var rules: [Rule]
    /// The day on which it is asked, `2026-11-25`; a rule that expired before does not hold.
    public var today: String

    /// Makes a book.
    public init(rules: [Rule] = [], today: String = "") {
        self.rules = rules
        self.today = today
    }

    /// Whether a rule still holds.
    public func holds(_ rule: Rule) -> Bool { rule.expires.map { today <= $0 } ?? true }

    /// The rules for an endpoint, such as `GET /items/{id}`.
    func rules(for endpoint: String) -> EndpointRules {
        EndpointRules(
            rules: rules.enumerated()
                .filter { holds($0.element) && matches(endpoint, pattern: $0.element.endpoint) }
                .map { NumberedRule(number: $0.offset, rule: $0.element) }
        )
    }

    /// Reads a rules file: `{"rules": [{"endpoint": …, "path": …, "action": …, "reason": …}]}`.
    ///
    /// - Throws: ``RuleError``.
    public init(reading bytes: [UInt8], today: String) throws(RuleError) {
        guard let document = JSONDocument(bytes[...]) else {
            throw RuleError(
                description: "The rules file is no JSON. It is an object with an array 'rules'."
            )
        }
        let root = try Self.members(document, 0, "The rules file")
        for name in root.keys.sorted() where name != "rules" {
            throw RuleError(
                description:
                    "The rules file has a member '\(name)' that is not known; it may have 'rules'."
            )
        }
        guard let list = root["rules"], document.entries[list].kind == .array else {
            throw RuleError(description: "The rules file lacks the array 'rules'.")
        }
        var rules: [Rule] = []
        for (index, entry) in document.children(list).enumerated() {
            rules.append(try Self.rule(document, entry, number: index + 1))
        }
        self.init(rules: rules, today: today)
    }

    private static func members(
        _ document: JSONDocument,
        _ entry: Int,
        _ what: String
    ) throws(RuleError) -> [String: Int] {
        guard document.entries[entry].kind == .object else {
            throw RuleError(description: "\(what) is no JSON object.")
        }
        var found: [String: Int] = [:]
        for name in document.children(entry) {
            let text = String(decoding: document.string(name), as: UTF8.self)
            guard found.updateValue(name + 1, forKey: text) == nil else {
                throw RuleError(description: "\(what) says '\(text)' twice.")
            }
        }
        return found
    }

    private static let known = [
        "endpoint", "path", "kind", "action", "reason", "expires", "tolerance", "key",
    ]

    private static func rule(
        _ document: JSONDocument,
        _ entry: Int,
        number: Int
    ) throws(RuleError) -> Rule {
        let what = "Rule \(number)"
        let members = try members(document, entry, what)
        for name in members.keys.sorted() where !known.contains(name) {
            throw RuleError(
                description: "\(what) has a member '\(name)' that is not known; "
                    + "known are \(known.joined(separator: ", "))."
            )
        }
        func text(_ name: String) throws(RuleError) -> String? {
            guard let value = members[name] else { return nil }
            guard document.entries[value].kind == .string else {
                throw RuleError(description: "\(what): '\(name)' is to be a string.")
            }
            return String(decoding: document.string(value), as: UTF8.self)
        }
        guard let path = try text("path"), let action = try text("action"),
            let reason = try text("reason"), !reason.isEmpty
        else {
            throw RuleError(description: "\(what) lacks one of 'path', 'action' and 'reason'.")
        }
        var kind: DifferenceKind?
        if let word = try text("kind") {
            kind = DifferenceKind(rawValue: word)
            guard kind != nil else {
                let all = DifferenceKind.allCases.map(\.rawValue).joined(separator: ", ")
                throw RuleError(description: "\(what): 'kind' is '\(word)'; it may be \(all).")
            }
        }
        let expires = try text("expires")
        if let expires, !isDay(expires) {
            throw RuleError(
                description: "\(what): 'expires' is '\(expires)'; it is a day, such as 2026-12-31."
            )
        }
        return Rule(
            endpoint: try text("endpoint") ?? "*",
            path: path,
            kind: kind,
            action: try self.action(action, document, members, try text("key"), what),
            reason: reason,
            expires: expires
        )
    }

    private static func action(
        _ word: String,
        _ document: JSONDocument,
        _ members: [String: Int],
        _ key: String?,
        _ what: String
    ) throws(RuleError) -> RuleAction {
        switch word {
        case "ignore": return .ignore
        case "shape": return .shape
        case "set": return .set
        case "multiset": return .multiset
        case "key":
            guard let key, !key.isEmpty else {
                throw RuleError(description: "\(what): the action 'key' needs 'key', a name.")
            }
            return .key(key)
        case "tolerance":
            guard let entry = members["tolerance"], document.entries[entry].kind == .number,
                let share = Double(String(decoding: document.text(entry), as: UTF8.self)),
                share >= 0
            else {
                throw RuleError(
                    description: "\(what): the action 'tolerance' needs 'tolerance', "
                        + "a share such as 0.01."
                )
            }
            return .tolerance(share)
        default:
            throw RuleError(
                description: "\(what): the action '\(word)' is not known; known are ignore, "
                    + "shape, tolerance, set, multiset and key."
            )
        }
    }

    private static func isDay(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return bytes.count == 10
            && bytes.enumerated().allSatisfy { index, byte in
                index == 4 || index == 7 ? byte == 0x2D : byte &- 0x30 < 10
            }
    }
}
