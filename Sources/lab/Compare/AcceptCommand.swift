// lab accept: a finding that is no fault becomes a rule, with its reason.

import ArgumentParser
import Glibc
import LabComparer

struct AcceptCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept",
        abstract: "Write a rule that forgives a finding of lab compare.",
        discussion: """
            FINDING is what lab compare names it by: 'GET /items/{id} :: body.price :: value'. The rule \
            is added to the rules file, which lab compare --rules FILE reads; delete it there to have \
            the finding back.
            """
    )

    @Argument(help: "The finding, as lab compare names it.")
    var finding: String

    @Option(help: "Why it is no fault.")
    var reason: String

    @Option(
        help: ArgumentHelp("The rules file; it is made where there is none.", valueName: "file")
    )
    var rules = "lab-rules.json"

    @Option(
        help: ArgumentHelp(
            "What is forgiven: ignore (all), shape (as long as the form is the same), set, multiset.",
            valueName: "action"
        )
    )
    var action = "ignore"

    @Option(
        help: ArgumentHelp("The last day on which it holds, such as 2026-12-31.", valueName: "day")
    )
    var expires: String?

    func run() throws {
        let parts = finding.split(separator: " :: ", omittingEmptySubsequences: false).map {
            String($0)
        }
        guard parts.count == 3, let kind = DifferenceKind(rawValue: parts[2]) else {
            throw Failure(
                "'\(finding)' is no finding. It is named by a route, a place and a kind, such as "
                    + "'GET /items/{id} :: body.price :: value'; lab compare prints it.",
                code: 64
            )
        }
        let actions: [String: RuleAction] = [
            "ignore": .ignore, "shape": .shape, "set": .set, "multiset": .multiset,
        ]
        guard let action = actions[action] else {
            throw Failure(
                "--action does not know '\(action)'; it takes ignore, shape, set and multiset.",
                code: 64
            )
        }
        guard !reason.isEmpty else { throw Failure("--reason may not be empty.", code: 64) }
        var all: [Rule] = []
        if access(rules, F_OK) == 0 {
            do {
                all = try RuleBook(reading: try RuleFile.read(rules), today: "").rules
            } catch let error as RuleError {
                throw Failure("Cannot add to the rules in '\(rules)': \(error)")
            }
        }
        let rule = Rule(
            endpoint: parts[0],
            path: parts[1],
            kind: kind,
            action: action,
            reason: reason,
            expires: expires
        )
        all.append(rule)
        try RuleFile.write(all, to: rules)
        // A day that is none is found by reading what was written, as lab compare will.
        do {
            _ = try RuleBook(reading: try RuleFile.read(rules), today: "")
        } catch let error as RuleError {
            try RuleFile.write(Array(all.dropLast()), to: rules)
            throw Failure("The rule was not added: \(error)", code: 64)
        }
        var results = Results()
        try results.write("\(rules) has \(all.count) rules now: lab compare --rules \(rules)\n")
        try results.finish()
    }
}
