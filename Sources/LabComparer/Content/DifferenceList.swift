// The differences of one pair of answers, each key once.

/// Gathers differences.
struct DifferenceList {
    /// How many distinct keys one pair of answers may have; what is beyond tells nothing new.
    static let mostKeys = 1000

    private(set) var differences: [Difference] = []
    /// The numbers of the rules that forgave something, each once per pair of answers.
    private(set) var usedRules: Set<Int> = []
    let rules: EndpointRules
    private var known: Set<DifferenceKey> = []

    init(rules: EndpointRules) { self.rules = rules }

    /// Whether nothing more is taken.
    var isFull: Bool { differences.count >= Self.mostKeys }

    /// Whether a place has a difference of this kind already.
    func has(_ place: String, _ kind: DifferenceKind) -> Bool {
        known.contains(DifferenceKey(place: place, kind: kind))
    }

    /// Adds a difference, unless there is one like it, or a rule ignores it.
    mutating func add(_ difference: Difference) {
        guard !isFull, !known.contains(difference.key) else { return }
        if let rule = rules.rule(at: difference.key.place, difference.key.kind),
            rule.action == .ignore
        {
            usedRules.insert(rule.number)
            return
        }
        known.insert(difference.key)
        differences.append(difference)
    }

    /// Adds a difference of two values, and of their forms where these differ too.
    mutating func addValue(
        _ place: String,
        _ before: some Collection<UInt8>,
        _ after: some Collection<UInt8>,
        onlyShape: Bool = false
    ) {
        guard !isFull, !has(place, .value) || !has(place, .shape) else { return }
        let (old, new) = (ValueShape(before), ValueShape(after))
        if let rule = rules.rule(at: place, .value) {
            switch rule.action {
            case .shape where old == new, .tolerance where rule.tolerates(before, after):
                usedRules.insert(rule.number)
                return
            default: break
            }
        }
        if !onlyShape {
            add(
                Difference(
                    place,
                    .value,
                    before: Excerpt.text(before),
                    after: Excerpt.text(after)
                )
            )
        }
        if old != new {
            add(Difference(place, .shape, before: old.words, after: new.words))
        }
    }

    /// Takes note that a rule decided.
    mutating func note(_ rule: NumberedRule) { usedRules.insert(rule.number) }
}

/// Bytes as a few words for people.
enum Excerpt {
    /// The longest excerpt, bytes.
    static let most = 120

    /// The beginning of some bytes as text; what is cut is marked.
    static func text(_ bytes: some Collection<UInt8>) -> String {
        let isCut = bytes.count > most
        return String(decoding: bytes.prefix(most), as: UTF8.self) + (isCut ? "…" : "")
    }
}
