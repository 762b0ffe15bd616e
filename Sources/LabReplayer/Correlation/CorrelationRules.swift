// The rules file: what was found in a session, to be read, edited and given back.

internal import FoundationEssentials

/// The rules by which a replay sends what the target gave it instead of what was captured.
public struct CorrelationRules: Sendable, Equatable {
    /// The rules, in the order in which they were found.
    var rules: [CorrelationRule] = []

    /// The format that is written, and the only one that is read.
    static let version = 1

    /// Makes no rules.
    public init() {}

    init(_ rules: [CorrelationRule]) { self.rules = rules }

    /// How many rules there are.
    public var count: Int { rules.count }

    /// The rules file: JSON, with a line end.
    public var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        // Strings and numbers always encode.
        guard let data = try? encoder.encode(RulesFile(rules: rules)) else { return "{}\n" }
        return String(decoding: data, as: UTF8.self) + "\n"
    }

    /// Reads a rules file.
    ///
    /// - Parameters:
    ///   - json: Its bytes.
    ///   - path: Its name, for the sentence.
    /// - Throws: ``CorrelationRulesError``, with the place of what is wrong.
    public init(json: [UInt8], path: String) throws(CorrelationRulesError) {
        do {
            rules = try JSONDecoder().decode(RulesFile.self, from: Data(json)).rules
        } catch let error as DecodingError {
            throw CorrelationRulesError(error, path: path)
        } catch {
            throw CorrelationRulesError(path: path, place: "", reason: "\(error)")
        }
    }
}

/// Why a rules file could not be read.
public struct CorrelationRulesError: Error, Equatable, CustomStringConvertible {
    /// The file.
    public var path: String
    /// Where in it, such as `rules[2].take`; empty for the whole.
    public var place: String
    /// What is wrong there.
    public var reason: String

    init(path: String, place: String, reason: String) {
        self.path = path
        self.place = place
        self.reason = reason
    }

    init(_ error: DecodingError, path: String) {
        func place(_ keys: [any CodingKey]) -> String {
            keys.reduce("") { text, key in
                if let index = key.intValue { return "\(text)[\(index)]" }
                return text.isEmpty ? key.stringValue : "\(text).\(key.stringValue)"
            }
        }
        switch error {
        case .keyNotFound(let key, let context):
            self.init(
                path: path,
                place: place(context.codingPath),
                reason: "'\(key.stringValue)' is missing"
            )
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            self.init(
                path: path,
                place: place(context.codingPath),
                reason: "it has not the type that belongs there"
            )
        case .dataCorrupted(let context):
            // Each fault of ours has a place; without one it is the decoder's own.
            let isSyntax = context.codingPath.isEmpty
            self.init(
                path: path,
                place: place(context.codingPath),
                reason: isSyntax ? "it is no JSON" : context.debugDescription
            )
        @unknown default:
            self.init(path: path, place: "", reason: "\(error)")
        }
    }

    /// A sentence.
    public var description: String {
        let at = place.isEmpty ? "" : " at \(place)"
        return "Cannot use the rules in '\(path)'\(at): \(reason). "
            + "'lab correlate SESSION' prints a file to start from."
    }
}
