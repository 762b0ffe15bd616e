// Values as JSON: snake_case names, sorted, so that two reports can be compared line by line.
// A value that is not known is left out. The schema is in the documentation of `lab`.

import FoundationEssentials
public import LabSession

/// Reports as JSON.
public enum JSONReport {
    /// The version of what is written here; a name is never given another meaning within one.
    public static let schemaVersion = 1

    /// A session's report as one object, with its findings, ending in a line end.
    ///
    /// - Throws: What the encoder throws: never for a value that was read from a session.
    public static func text(_ report: SessionReport) throws -> String {
        try encoded(
            Whole(
                schemaVersion: schemaVersion,
                isTrustworthy: report.isTrustworthy,
                findings: Finding.all(report),
                report: report
            ),
            isPretty: true
        )
    }

    /// A check as one object, ending in a line end.
    ///
    /// - Throws: What the encoder throws: never for a value that was read from a session.
    public static func text(_ check: SessionCheck) throws -> String {
        try encoded(Judged(schemaVersion: schemaVersion, check: check), isPretty: true)
    }

    /// One replay in detail as one object, ending in a line end.
    ///
    /// - Throws: What the encoder throws: never for a value that was read from a session.
    public static func text(_ detail: ReplayRunDetail) throws -> String {
        try encoded(Versioned(schemaVersion: schemaVersion, value: detail), isPretty: true)
    }

    /// An exchange of a list as one object on one line, ending in a line end.
    ///
    /// - Throws: What the encoder throws: never for a value that was read from a session.
    public static func line(_ summary: ExchangeSummary) throws -> String {
        try encoded(summary, isPretty: false)
    }

    /// One exchange with all that belongs to it, and what became of it in a replay, as one object,
    /// ending in a line end.
    ///
    /// - Throws: What the encoder throws: never for a value that was read from a session.
    public static func text(
        _ detail: ExchangeDetail,
        _ replayed: ReplayedExchange? = nil
    ) throws -> String {
        try encoded(
            Versioned(schemaVersion: schemaVersion, value: ExchangeObject(detail, replayed)),
            isPretty: true
        )
    }

    static func encoded(_ value: some Encodable, isPretty: Bool) throws -> String {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting =
            isPretty
            ? [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
            : [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }
}

/// A report with its version and findings, all on one level.
private struct Whole: Encodable {
    let schemaVersion: Int
    let isTrustworthy: Bool
    let findings: [Finding]
    let report: SessionReport

    private enum CodingKeys: String, CodingKey {
        case schemaVersion, isTrustworthy, findings
    }

    func encode(to encoder: any Encoder) throws {
        try report.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(schemaVersion, forKey: .schemaVersion)
        try container.encode(isTrustworthy, forKey: .isTrustworthy)
        try container.encode(findings, forKey: .findings)
    }
}

/// A check with its version and verdict, all on one level.
private struct Judged: Encodable {
    let schemaVersion: Int
    let check: SessionCheck

    private enum CodingKeys: String, CodingKey {
        case schemaVersion, isGood
    }

    func encode(to encoder: any Encoder) throws {
        try check.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(schemaVersion, forKey: .schemaVersion)
        try container.encode(check.isGood, forKey: .isGood)
    }
}

/// A value with the version of its schema beside its own names.
private struct Versioned<Value: Encodable>: Encodable {
    let schemaVersion: Int
    let value: Value

    private enum CodingKeys: String, CodingKey {
        case schemaVersion
    }

    func encode(to encoder: any Encoder) throws {
        try value.encode(to: encoder)
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(schemaVersion, forKey: .schemaVersion)
    }
}
