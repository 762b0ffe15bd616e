// A comparison as JSON. The names are a contract (the JSON page of the documentation).

import FoundationEssentials
import LabComparer

/// A comparison as one JSON object.
public enum ComparisonJSON {
    /// The version of what is written here.
    public static let schemaVersion = 1

    /// The object, ending in a line end.
    ///
    /// - Throws: What the encoder throws: never for a comparison.
    public static func text(_ report: ComparisonReport) throws -> String {
        try JSONReport.encoded(Whole(report), isPretty: true)
    }

    private struct Whole: Encodable {
        var schemaVersion = ComparisonJSON.schemaVersion
        var verdict: String
        var exitCode: Int32
        var reasons: [ReasonObject]
        var rounds: [Round]
        var seed: UInt64
        var session: String
        var baseline: String
        var candidate: String
        var requests: Int
        var concurrency: Int
        var threshold: Double
        var alpha: Double
        var pairsCompared: Int
        var pairsExpected: Int
        var detectable: Double?
        var shifts: [Shift]
        var findings: [FindingObject]
        var unstableStructure: [String]
        var processes: [ProcessObject]
        var rules: [RuleObject]
        var notes: [String]

        init(_ report: ComparisonReport) {
            let comparison = report.comparison
            verdict = comparison.verdict.rawValue
            exitCode = comparison.verdict.exitCode
            reasons = comparison.reasons.map { ReasonObject($0) }
            rounds = comparison.orders.indices.map { Round(comparison, $0) }
            seed = comparison.seed
            session = report.session
            baseline = report.baseline
            candidate = report.candidate
            requests = report.requests
            concurrency = report.concurrency
            threshold = report.threshold
            alpha = report.alpha
            (pairsCompared, pairsExpected) = comparison.coverage
            detectable = finite(report.detectable?.share)
            shifts = comparison.shifts.map { Shift($0) }
            findings = comparison.findings.map { FindingObject($0, report.curls) }
            unstableStructure = report.unstableStructure.map(\.id)
            processes = comparison.processes.map { ProcessObject($0) }
            rules = report.rules.enumerated().map { index, rule in
                RuleObject(
                    endpoint: rule.endpoint,
                    path: rule.path,
                    action: rule.action.word,
                    reason: rule.reason,
                    expires: rule.expires,
                    decided: comparison.ruleUse.indices.contains(index)
                        ? comparison.ruleUse[index] : 0
                )
            }
            notes = report.leftOut + comparison.notes
        }
    }

    struct ReasonObject: Encodable {
        var kind: String
        var route: String?
        var what: String
        var severity: String
        var evidence: String

        init(_ reason: Reason) {
            kind = reason.kind.rawValue
            route = reason.route
            what = reason.what
            severity = reason.severity
            evidence = reason.evidence
        }

        private enum Key: String, CodingKey {
            case kind, route, what, severity, evidence
        }

        /// The route is always there: null where the server as a whole is meant.
        func encode(to encoder: any Encoder) throws {
            var members = encoder.container(keyedBy: Key.self)
            try members.encode(kind, forKey: .kind)
            try members.encode(route, forKey: .route)
            try members.encode(what, forKey: .what)
            try members.encode(severity, forKey: .severity)
            try members.encode(evidence, forKey: .evidence)
        }
    }

    /// What one round measured: logarithms of ratios, by what was measured.
    private struct Round: Encodable {
        struct Value: Encodable {
            var kind: String
            var route: String?
            var shift: Double?
            var control: Double?
        }

        var round: Int
        var order: [String]
        var values: [Value]

        init(_ comparison: Comparison, _ index: Int) {
            round = index + 1
            order = comparison.orders[index].map(\.rawValue)
            values = comparison.shifts.compactMap { shift in
                guard let estimate = shift.estimate, index < estimate.shifts.count else {
                    return nil
                }
                return Value(
                    kind: shift.measure.rawValue,
                    route: shift.route,
                    shift: finite(estimate.shifts[index]),
                    control: index < estimate.controls.count
                        ? finite(estimate.controls[index]) : nil
                )
            }
        }
    }

    private struct Shift: Encodable {
        struct Tail: Encodable {
            var name: String
            var lower: Double?
            var center: Double?
            var upper: Double?
        }

        var kind: String
        var route: String?
        var verdict: String
        var pairs: Int
        var baseline: Double
        var candidate: Double
        var shift: Double?
        var lower: Double?
        var upper: Double?
        var controlLower: Double?
        var controlUpper: Double?
        var p: Double
        var detectable: Double?
        var roundsNeeded: Int?
        var tails: [Tail]
        var cliffDelta: Double?
        var cliffWord: String?

        init(_ finding: ShiftFinding) {
            kind = finding.measure.rawValue
            route = finding.route
            verdict = finding.verdict.rawValue
            pairs = finding.pairs
            baseline = finding.levels.baseline
            candidate = finding.levels.candidate
            shift = finite(finding.estimate?.bounds.center)
            lower = finite(finding.estimate?.bounds.lower)
            upper = finite(finding.estimate?.bounds.upper)
            controlLower = finite(finding.estimate?.control?.lower)
            controlUpper = finite(finding.estimate?.control?.upper)
            p = finding.p
            detectable = finite(finding.estimate?.detectable)
            roundsNeeded = finding.estimate?.roundsNeeded
            tails = finding.tails.map {
                Tail(
                    name: $0.name,
                    lower: finite($0.bounds.lower),
                    center: finite($0.bounds.center),
                    upper: finite($0.bounds.upper)
                )
            }
            cliffDelta = finding.delta?.value
            cliffWord = finding.delta?.word
        }
    }

    private struct FindingObject: Encodable {
        struct Example: Encodable {
            var exchange: Int64
            var round: Int
            var before: String
            var after: String
            var curl: String?
        }

        var id: String
        var route: String
        var place: String
        var kind: String
        var severity: String
        var state: String
        var candidateCount: Int
        var controlCount: Int
        var pairs: Int
        var p: Double
        var confirmation: String
        var examples: [Example]

        init(_ finding: ContentFinding, _ curls: [Int64: String]) {
            id = finding.id
            route = finding.route
            place = finding.key.place
            kind = finding.key.kind.rawValue
            severity = finding.severity.rawValue
            state = finding.state.rawValue
            candidateCount = finding.candidateCount
            controlCount = finding.controlCount
            pairs = finding.pairs
            p = finding.p
            confirmation = finding.confirmation.rawValue
            examples = finding.examples.map {
                Example(
                    exchange: $0.exchangeID,
                    round: $0.round,
                    before: $0.before,
                    after: $0.after,
                    curl: curls[$0.exchangeID]
                )
            }
        }
    }

    private struct ProcessObject: Encodable {
        var what: String
        var baseline: Int
        var candidate: Int
        var control: Int
        var roundsMore: Int
        var details: [String]
        var isRegression: Bool

        init(_ finding: ProcessFinding) {
            what = finding.what
            baseline = finding.counts[.baseline] ?? 0
            candidate = finding.counts[.candidate] ?? 0
            control = finding.counts[.control] ?? 0
            roundsMore = finding.roundsMore
            details = finding.details
            isRegression = finding.isRegression
        }
    }

    private struct RuleObject: Encodable {
        var endpoint: String
        var path: String
        var action: String
        var reason: String
        var expires: String?
        var decided: Int
    }
}

/// JSON has no infinity: a bound that is not known is left out.
private func finite(_ value: Double?) -> Double? {
    value.flatMap { $0.isFinite ? $0 : nil }
}
