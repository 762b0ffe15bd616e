// What a client sends back of what it was answered: a rule of the rules file.

/// A kind of request, as rules name it: `GET /orders/*`.
struct RequestKind: Sendable, Equatable, Hashable {
    /// The method; `*` for any.
    var method: String
    var path: PathPattern

    init(method: String, path: PathPattern) {
        self.method = method
        self.path = path
    }

    /// Reads `METHOD PATH`; nil where it is not that.
    init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: false)
        guard words.count == 2, let method = words.first, let path = words.last,
            !method.isEmpty, path.hasPrefix("/") || path == "*"
        else { return nil }
        self.init(method: String(method), path: PathPattern(String(path)))
    }

    var text: String { "\(method) \(path.text)" }

    func matches(method: String, path: ArraySlice<UInt8>) -> Bool {
        (self.method == "*" || self.method == method) && self.path.match(path) != nil
    }
}

/// One rule: a cookie that is kept, or a value that is taken from an answer and sent later.
struct CorrelationRule: Sendable, Equatable {
    /// What the rule is about.
    enum Subject: Sendable, Equatable, Hashable {
        /// The cookie of this name: what the target sets is sent instead of what was captured.
        case cookie(String)
        /// A value of an answer to a request of one kind, put into later requests of another.
        case value(
            from: RequestKind,
            at: AnswerLocator,
            into: RequestKind,
            place: RequestPlace
        )
    }

    /// Where the rule was seen to hold.
    struct Evidence: Sendable, Equatable {
        /// The exchange whose answer held the value.
        var answer: Int64
        /// The exchange whose request sent it.
        var request: Int64
    }

    var subject: Subject
    /// How often the session shows it.
    var seen = 0
    /// Some of the places where it does.
    var evidence: [Evidence] = []
    /// The beginning of a value, and how long it is: never so much that it could be used.
    var excerpt = ""

    /// How many places are given as evidence.
    static let mostEvidence = 5

    /// A value's beginning and length; the rest is a secret, perhaps.
    static func excerpt(of value: [UInt8]) -> String {
        let shown = value.prefix(value.count >= 16 ? 4 : value.count >= 8 ? 2 : 0)
            .map { (0x21..<0x7F).contains($0) ? $0 : UInt8(ascii: ".") }
        return "\(String(decoding: shown, as: UTF8.self))… (\(value.count) bytes)"
    }
}
