// What a person knows to be no fault, with the reason and the day on which it is to be asked again.

/// What a rule does with a difference at its place.
public enum RuleAction: Sendable, Equatable {
    /// Nothing there is compared.
    case ignore
    /// Only the form is compared: a UUID stays a UUID.
    case shape
    /// Numbers may differ by this share of the first one.
    case tolerance(Double)
    /// Of an array neither the order counts, nor how often an element is there.
    case set
    /// Of an array the order does not count.
    case multiset
    /// Of an array elements are paired by the member of this name.
    case key(String)

    /// The word that stands in a rules file.
    public var word: String {
        switch self {
        case .ignore: "ignore"
        case .shape: "shape"
        case .tolerance: "tolerance"
        case .set: "set"
        case .multiset: "multiset"
        case .key: "key"
        }
    }
}

/// One rule.
public struct Rule: Sendable, Equatable {
    /// Which endpoints: a method and a route, `*` for any run of characters.
    public var endpoint: String
    /// Which places, as findings name them, `*` for any run of characters.
    public var path: String
    /// Which kind of difference; nil for any.
    public var kind: DifferenceKind?
    /// What it does.
    public var action: RuleAction
    /// Why.
    public var reason: String
    /// The last day on which it holds, `2026-12-31`; nil for ever.
    public var expires: String?

    /// Makes a rule.
    public init(
        endpoint: String,
        path: String,
        kind: DifferenceKind? = nil,
        action: RuleAction,
        reason: String,
        expires: String? = nil
    ) {
        self.endpoint = endpoint
        self.path = path
        self.kind = kind
        self.action = action
        self.reason = reason
        self.expires = expires
    }
}

/// A rule with its number in the file, from 0.
struct NumberedRule: Sendable {
    var number: Int
    var rule: Rule
    var action: RuleAction { rule.action }

    /// Whether two numbers are as close as the rule wants.
    func tolerates(_ before: some Collection<UInt8>, _ after: some Collection<UInt8>) -> Bool {
        guard case .tolerance(let share) = rule.action,
            let old = Double(String(decoding: Array(before), as: UTF8.self)),
            let new = Double(String(decoding: Array(after), as: UTF8.self))
        else { return false }
        return abs(new - old) <= share * abs(old)
    }
}

/// The rules that hold for one endpoint.
struct EndpointRules: Sendable {
    static let none = EndpointRules(rules: [])

    var rules: [NumberedRule]

    /// The first rule for a place and a kind; nil where there is none.
    func rule(at place: String, _ kind: DifferenceKind) -> NumberedRule? {
        if rules.isEmpty { return nil }
        return rules.first {
            ($0.rule.kind == nil || $0.rule.kind == kind)
                && matches(place, pattern: $0.rule.path)
        }
    }
}

/// Whether a text is what a pattern says; `*` is any run of characters.
func matches(_ text: String, pattern: String) -> Bool {
    let (text, pattern) = (Array(text.utf8), Array(pattern.utf8))
    var (at, place) = (0, 0)
    var (star, mark) = (-1, 0)
    while at < text.count {
        if place < pattern.count, pattern[place] == 0x2A {
            (star, mark) = (place, at)
            place += 1
        } else if place < pattern.count, pattern[place] == text[at] {
            at += 1
            place += 1
        } else if star >= 0 {
            mark += 1
            (at, place) = (mark, star + 1)
        } else {
            return false
        }
    }
    return pattern[place...].allSatisfy { $0 == 0x2A }
}
