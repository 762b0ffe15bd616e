// What a self-check comes to: of each fault whether it was named, and whether the peace was kept.

/// What became of one fault.
public enum PlantedState: String, Sendable, CaseIterable {
    /// The comparison named it.
    case found
    /// The comparison passed, or named something else: it is blind to it.
    case missed
    /// The comparison could not tell.
    case inconclusive
    /// The session has no place for it.
    case nowhere
    /// The comparison was told not to look for it, or can't see it.
    case notAsked = "not_asked"
}

/// One fault of a self-check.
public struct SelfCheckRow: Sendable {
    /// What it is, in a few words.
    public var fault: String
    /// What a reason is about that names it.
    public var kind: ReasonKind
    /// The route that it was planted on; nil for all, or the server as a whole.
    public var route: String?
    /// What the reason says that names it; empty where it was not planted.
    public var sign: String
    /// How many answers have it; of a server's fault, how many arms.
    public var planted: Int
    /// What became of it.
    public var state: PlantedState
    /// What was said of it, or why it was not planted.
    public var evidence: String
    /// Whether more rounds may settle it.
    var isOpen: Bool

    init(
        _ fault: PlantedFault,
        in comparison: Comparison,
        count: Int,
        passesInconclusive: Bool
    ) {
        self.fault = fault.name
        kind = fault.kind
        route = fault.route
        sign = fault.sign
        planted = count
        let doubts = comparison.verdict == .inconclusive ? comparison.reasons : []
        isOpen = comparison.verdict == .inconclusive || comparison.wantsMore
        if let reason = fault.named(by: comparison) {
            state = .found
            evidence = "\(reason.what): \(reason.evidence)"
            isOpen = false
        } else if fault.isForgiven {
            state = .missed
            evidence = "the rules forgive it wherever it can be planted"
            isOpen = false
        } else if comparison.verdict == .inconclusive {
            state = passesInconclusive ? .missed : .inconclusive
            let doubt =
                doubts.first {
                    $0.kind == fault.kind && (fault.route == nil || $0.route == fault.route)
                }
                ?? doubts.first
            evidence = doubt.map { "\($0.what): \($0.evidence)" } ?? "it can't be told"
        } else if let other = comparison.reasons.first, comparison.verdict == .regression {
            state = .missed
            evidence =
                "something else was named: \(other.route.map { "\($0) " } ?? "")\(other.what)"
        } else {
            state = .missed
            evidence = "the comparison passed" + (isOpen ? "; more rounds may tell" : "")
        }
    }

    init(_ omitted: FaultPlan.Omitted) {
        fault = omitted.name
        kind = omitted.kind
        sign = ""
        planted = 0
        state = omitted.isNotAsked ? .notAsked : .nowhere
        evidence = omitted.why
        isOpen = false
    }
}

/// The answer of a self-check.
public enum SelfCheckVerdict: String, Sendable, CaseIterable {
    /// All that was planted was named, and nothing else.
    case pass
    /// Something that was planted would have passed.
    case blind
    /// The old build, compared with itself, was called a regression.
    case alarmed
    /// It can't be told whether something is found, or whether the old build equals itself.
    case inconclusive
    /// There was nothing to compare, or nothing to plant.
    case nothing

    /// The exit code that says so.
    public var exitCode: Int32 {
        switch self {
        case .pass: 0
        case .blind, .alarmed: 1
        case .inconclusive: 3
        case .nothing: 4
        }
    }
}

/// All that a self-check comes to.
public struct SelfCheckResult: Sendable {
    /// The old build compared with itself.
    public var control: Comparison
    /// The faults, in the order in which they were planted; then those that were not.
    public var rows: [SelfCheckRow]
    /// The answer.
    public var verdict: SelfCheckVerdict
    /// Whether more rounds may settle what is open.
    public var wantsMore: Bool

    init(control: Comparison, rows: [SelfCheckRow], passesInconclusive: Bool) {
        self.control = control
        self.rows = rows
        let states = Set(rows.map(\.state))
        let isUnsure = control.verdict == .inconclusive && !passesInconclusive
        if control.verdict == .nothing
            || states.isDisjoint(with: [.found, .missed, .inconclusive])
        {
            verdict = .nothing
        } else if control.verdict == .regression {
            verdict = .alarmed
        } else if states.contains(.missed) {
            verdict = .blind
        } else if states.contains(.inconclusive) || isUnsure {
            verdict = .inconclusive
        } else {
            verdict = .pass
        }
        wantsMore =
            verdict != .nothing && verdict != .alarmed
            && (control.verdict == .inconclusive || control.wantsMore
                || rows.contains { $0.isOpen })
    }

    /// The faults that were planted.
    public var planted: [SelfCheckRow] {
        rows.filter { $0.state != .nowhere && $0.state != .notAsked }
    }
}
