// `RE=>S`: a regular expression over targets, and what stands in place of what it finds.

/// A rule that changes request targets, such as `^/v1/=>/v2/`.
public struct TargetRewrite: Sendable, Equatable, CustomStringConvertible {
    /// Why a text is no rule.
    public enum Trouble: Error, Equatable, CustomStringConvertible {
        /// It has no `=>`.
        case noArrow
        /// What stands before it is no regular expression.
        case badExpression(reason: String)
        /// What stands after it names a group that the expression has not.
        case noSuchGroup(Int)

        /// What is wrong, to stand after "it".
        public var description: String {
            switch self {
            case .noArrow: "has no '=>'"
            case .badExpression(let reason): "is no regular expression: \(reason)"
            case .noSuchGroup(let number): "has no group $\(number)"
            }
        }
    }

    /// A part of what is put in.
    private enum Part: Equatable {
        case text(String)
        case group(Int)
    }

    /// The rule as it was written.
    public let description: String
    private let expression: String
    private let replacement: [Part]

    /// Reads a rule.
    ///
    /// The last `=>` divides it, so that an expression may hold one. In what is put in `$1` is the
    /// first group, `$0` all that was found, `$$` a dollar sign.
    ///
    /// - Throws: ``Trouble``.
    public init(_ text: String) throws(Trouble) {
        description = text
        let bytes = Array(text.utf8)
        guard
            let arrow = bytes.indices.dropLast().last(where: {
                bytes[$0...($0 + 1)] == [0x3D, 0x3E]
            })
        else { throw .noArrow }
        expression = String(decoding: bytes[..<arrow], as: UTF8.self)
        replacement = Self.parts(String(decoding: bytes[(arrow + 2)...], as: UTF8.self))
        do {
            _ = try Regex<AnyRegexOutput>(expression)
        } catch {
            throw .badExpression(reason: "\(error)")
        }
        // Beside an alternative that is found in any text, the groups can be counted. An expression
        // that swallows the alternative, by a comment, is not counted: its groups are empty then.
        guard let counting = try? Regex<AnyRegexOutput>("(?:\(expression))|"),
            let groups = try? counting.firstMatch(in: "")?.output.count
        else { return }
        for case .group(let number) in replacement where number >= groups {
            throw .noSuchGroup(number)
        }
    }

    private static func parts(_ text: String) -> [Part] {
        var parts: [Part] = []
        var plain = ""
        var rest = Substring(text)
        while let character = rest.popFirst() {
            guard character == "$" else {
                plain.append(character)
                continue
            }
            let digits = rest.prefix { ("0"..."9").contains($0) }.prefix(2)
            if let number = Int(digits) {
                parts += [.text(plain), .group(number)]
                plain = ""
                rest = rest.dropFirst(digits.count)
            } else {
                if rest.first == "$" { rest.removeFirst() }
                plain.append("$")
            }
        }
        return parts + [.text(plain)]
    }

    /// Changes a target wherever the expression is found in it; nil where it is not.
    func applied(to target: String) -> String? {
        // It was read before.
        guard
            let regex = try? Regex<AnyRegexOutput>(expression)
                .matchingSemantics(.unicodeScalar)
        else { return nil }
        var count = 0
        let changed = target.replacing(regex) { match in
            count += 1
            return replacement.reduce(into: "") { text, part in
                switch part {
                case .text(let plain): text += plain
                case .group(let number):
                    if number < match.output.count { text += match.output[number].substring ?? "" }
                }
            }
        }
        return count > 0 ? changed : nil
    }
}
