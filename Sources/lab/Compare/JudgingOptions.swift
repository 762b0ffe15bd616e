// What counts as a regression.

import ArgumentParser
import Glibc
import LabComparer

/// A share: `5%` or `0.05`.
struct Share: ExpressibleByArgument {
    let share: Double

    init(_ share: Double) { self.share = share }

    init?(argument: String) {
        let isPercent = argument.hasSuffix("%")
        guard let number = Double(isPercent ? String(argument.dropLast()) : argument),
            number >= 0, number.isFinite
        else { return nil }
        share = isPercent ? number / 100 : number
    }

    var defaultValueDescription: String { "\(Words.decimal(share * 100, digits: 2))%" }
}

/// What becomes of an inconclusive answer.
enum InconclusiveChoice: String, ExpressibleByArgument, CaseIterable {
    case fail, pass
}

/// The options of judging.
struct JudgingOptions: ParsableArguments {
    @Option(help: "How many rounds before the first look.")
    var rounds = 10

    @Option(help: "How many rounds at most, while the answer is inconclusive.")
    var maxRounds = 40

    @Option(
        help:
            "The change of latency, CPU and memory that counts; of page faults, 20% where that is more."
    )
    var threshold = Share(0.05)

    @Option(help: ArgumentHelp("The least change of a latency that counts.", valueName: "t"))
    var minAbs = Duration(nanoseconds: 500_000)

    @Option(help: "How often identical builds may be called a regression, at most.")
    var alpha = 0.05

    @Option(help: "The least share of requests that both builds must be sent.")
    var minCoverage = Share(0.95)

    @Option(help: "How often what differs is sent again, alone; 0 for never.")
    var confirm = 3

    @Option(
        help: ArgumentHelp(
            "A file of rules: what is known to be no fault (see lab accept).",
            valueName: "file"
        )
    )
    var rules: String?

    @Option(
        help: ArgumentHelp(
            "What can be a regression: content, errors, latency, cpu, memory (page faults, too), process.",
            valueName: "kinds"
        )
    )
    var failOn = "content,errors,latency,cpu,memory,process"

    @Option(help: "What becomes of an inconclusive answer: exit code 3, or 0.")
    var inconclusive = InconclusiveChoice.fail

    @Flag(help: "Count members and fields that are new as a regression, too.")
    var strict = false

    func validate() throws {
        guard (1...200).contains(rounds), (1...200).contains(maxRounds) else {
            throw ValidationError("--rounds and --max-rounds take a number from 1 to 200.")
        }
        guard alpha > 0, alpha < 0.5 else {
            throw ValidationError("--alpha takes a number above 0 and below 0.5.")
        }
        guard threshold.share > 0 else {
            throw ValidationError("--threshold takes a share above 0, such as 5%.")
        }
        guard minCoverage.share <= 1 else {
            throw ValidationError("--min-coverage takes a share up to 100%.")
        }
        guard (0...20).contains(confirm) else {
            throw ValidationError("--confirm takes a number from 0 to 20.")
        }
        for word in failOn.split(separator: ",") where ReasonKind(rawValue: String(word)) == nil {
            throw ValidationError(
                "--fail-on does not know '\(word)'; it takes "
                    + ReasonKind.allCases.map(\.rawValue).joined(separator: ", ") + "."
            )
        }
    }

    func settings(seed: UInt64) -> ComparisonSettings {
        var settings = ComparisonSettings()
        settings.threshold = threshold.share
        settings.leastNs = Double(minAbs.nanoseconds)
        settings.alpha = alpha
        settings.leastCoverage = minCoverage.share
        settings.looks = Looks(first: rounds, most: max(rounds, maxRounds))
        settings.failsOn = Set(
            failOn.split(separator: ",").compactMap { ReasonKind(rawValue: String($0)) }
        )
        settings.isStrict = strict
        settings.seed = seed
        return settings
    }

    /// The rules that were given.
    ///
    /// - Throws: ``Failure`` where the file can't be read, or is not understood.
    func ruleBook(today: String) throws -> RuleBook {
        guard let rules else { return RuleBook() }
        let bytes = try RuleFile.read(rules)
        do {
            let book = try RuleBook(reading: bytes, today: today)
            for rule in book.rules where !book.holds(rule) {
                complain(
                    "the rule for '\(rule.path)' expired on \(rule.expires ?? "") and does not hold."
                )
            }
            return book
        } catch {
            throw Failure("Cannot use the rules in '\(rules)': \(error)")
        }
    }
}
