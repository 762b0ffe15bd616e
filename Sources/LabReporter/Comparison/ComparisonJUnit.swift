// A comparison as JUnit XML: what nearly every CI system shows. A regression is a failure, what can't
// be told is skipped with its reason, what could not be done is an error.

import LabComparer

/// A comparison as JUnit XML.
public enum ComparisonJUnit {
    private struct Case {
        enum Result {
            case passed
            case failure(String, String)
            case skipped(String)
            case error(String)
        }

        var name: String
        var result: Result
    }

    /// The document, ending in a line end.
    public static func text(_ report: ComparisonReport) -> String {
        let comparison = report.comparison
        var suites: [(name: String, cases: [Case])] = []
        for (name, kinds) in [
            ("content", [ReasonKind.content]), ("errors", [.errors]), ("latency", [.latency]),
            ("cost", [.cpu, .memory]), ("process", [.process]),
        ] {
            suites.append((name, cases(report, kinds)))
        }
        if comparison.verdict == .failed {
            let what = comparison.reasons.first?.evidence ?? "It could not be done."
            suites = [("compare", [Case(name: "compare", result: .error(what))])]
        } else if comparison.verdict == .nothing {
            let what = comparison.reasons.first?.evidence ?? "Nothing to compare."
            suites = [("compare", [Case(name: "compare", result: .error(what))])]
        }
        var lines = ["<?xml version=\"1.0\" encoding=\"UTF-8\"?>"]
        lines.append("<testsuites name=\"lab compare\">")
        for suite in suites where !suite.cases.isEmpty {
            let failures = suite.cases.filter {
                if case .failure = $0.result { true } else { false }
            }
            let errors = suite.cases.filter { if case .error = $0.result { true } else { false } }
            let skipped = suite.cases.filter {
                if case .skipped = $0.result { true } else { false }
            }
            lines.append(
                "  <testsuite name=\"\(suite.name)\" tests=\"\(suite.cases.count)\" "
                    + "failures=\"\(failures.count)\" errors=\"\(errors.count)\" "
                    + "skipped=\"\(skipped.count)\">"
            )
            for one in suite.cases { lines += xml(one, suite.name) }
            lines.append("  </testsuite>")
        }
        lines.append("</testsuites>")
        return lines.joined(separator: "\n") + "\n"
    }

    private static func cases(_ report: ComparisonReport, _ kinds: [ReasonKind]) -> [Case] {
        let comparison = report.comparison
        var found: [Case] = []
        for reason in comparison.reasons where kinds.contains(reason.kind) {
            let name = "\(reason.route ?? "server") \(reason.what)"
            found.append(
                Case(
                    name: name,
                    result: comparison.verdict == .regression
                        ? .failure(reason.what, reason.evidence)
                        : .skipped("\(reason.what): \(reason.evidence)")
                )
            )
        }
        // What was asked and is well, so that a reader sees that it was asked.
        for shift in comparison.shifts
        where kinds.contains(shift.measure.kind)
            && (shift.verdict == .equivalent || shift.verdict == .improved)
        {
            found.append(
                Case(name: "\(shift.route ?? "server") \(shift.measure.words)", result: .passed)
            )
        }
        if found.isEmpty { found.append(Case(name: kinds[0].rawValue, result: .passed)) }
        return found.sorted { $0.name < $1.name }
    }

    private static func xml(_ one: Case, _ suite: String) -> [String] {
        let open =
            "    <testcase classname=\"lab.compare.\(suite)\" name=\"\(Markup.escaped(one.name))\""
        switch one.result {
        case .passed: return [open + "/>"]
        case .failure(let what, let evidence):
            return [
                open + ">",
                "      <failure message=\"\(Markup.escaped(what))\">\(Markup.escaped(evidence))</failure>",
                "    </testcase>",
            ]
        case .skipped(let why):
            return [
                open + ">", "      <skipped message=\"\(Markup.escaped(why))\"/>",
                "    </testcase>",
            ]
        case .error(let why):
            return [
                open + ">", "      <error message=\"\(Markup.escaped(why))\"/>", "    </testcase>",
            ]
        }
    }
}

/// Text in XML and HTML: captured bytes are nobody's markup.
enum Markup {
    static func escaped(_ text: String) -> String {
        var result = ""
        // What XML does not allow is shown as SafeText shows it.
        for scalar in SafeText.line(text).unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
