// What two answers to the same request can differ in.

/// In what way something differs.
public enum DifferenceKind: String, Sendable, CaseIterable, Hashable {
    /// One has a whole response, the other none, or they failed in different ways.
    case outcome
    /// The status.
    case status
    /// The media type.
    case contentType = "content_type"
    /// The candidate lacks it.
    case missing
    /// The candidate has it in addition.
    case extra
    /// It is of another kind: a string that was a number.
    case type
    /// It is null on one side only.
    case nullFlip = "null_flip"
    /// Its value.
    case value
    /// How many elements or lines it has.
    case length
    /// The order of the same elements.
    case order
    /// Its value has another form: a UUID that was a number, a time a thousand times as long.
    case shape
    /// The same content, compressed otherwise.
    case coding
    /// The same content, written otherwise.
    case reserialized

    /// Whether it concerns what there is and not what it says: never taken for noise in silence.
    public var isStructural: Bool {
        switch self {
        case .outcome, .status, .contentType, .missing, .extra, .type, .length: true
        case .nullFlip, .value, .order, .shape, .coding, .reserialized: false
        }
    }
}

/// How much a difference matters.
public enum Severity: String, Sendable, CaseIterable, Hashable, Comparable {
    /// A client that relied on what was there cannot go on.
    case breaking
    /// It says something else.
    case value
    /// The same elements in another order.
    case order
    /// There is more than there was; a client that ignores what it does not know goes on.
    case additive
    /// Worth knowing: the same, written otherwise, or an uncertainty.
    case info

    /// Whether it turns a comparison into a regression.
    public var gates: Bool { self == .breaking || self == .value || self == .order }

    private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }

    /// The graver first.
    public static func < (left: Severity, right: Severity) -> Bool { left.rank < right.rank }
}

/// Where and in what way answers differ, with what varies from answer to answer folded.
public struct DifferenceKey: Sendable, Hashable {
    /// Where: `status`, `header content-type`, `cookie id; path`, `body.items[].price`.
    public var place: String
    /// In what way.
    public var kind: DifferenceKind

    /// Makes a key.
    public init(place: String, kind: DifferenceKind) {
        self.place = place
        self.kind = kind
    }
}

/// One difference between two answers, with what stands on both sides.
public struct Difference: Sendable, Equatable {
    /// Where and in what way.
    public var key: DifferenceKey
    /// How much it matters.
    public var severity: Severity
    /// What the first answer has there, cut to a length that can be read.
    public var before: String
    /// What the second one has.
    public var after: String

    /// Makes a difference.
    public init(
        _ place: String,
        _ kind: DifferenceKind,
        before: String,
        after: String,
        severity: Severity? = nil
    ) {
        key = DifferenceKey(place: place, kind: kind)
        self.before = before
        self.after = after
        self.severity =
            severity
            ?? {
                switch kind {
                case .outcome, .status, .contentType, .missing, .type, .nullFlip: .breaking
                case .value, .length, .shape: .value
                case .order: .order
                case .extra: .additive
                case .coding, .reserialized: .info
                }
            }()
    }
}
