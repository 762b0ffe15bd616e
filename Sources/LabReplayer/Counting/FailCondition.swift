// A condition on a replay's totals, such as `p99>200ms`: text -> what is measured, and a bound.

import Histogram

/// A condition under which a replay's answer is bad, such as `p99>200ms`.
public struct FailCondition: Sendable, Equatable {
    /// What became of a condition.
    public enum Verdict: Sendable, Equatable {
        /// It does not hold.
        case passes
        /// It holds: the sentence says which value was found.
        case fails(String)
        /// It cannot be judged: the sentence says why.
        case cannotTell(String)
    }

    /// What a condition compares.
    enum Measure: Equatable {
        case percentile(Double)
        case mean, max, rate
        case errors, errorShare, mismatches, mismatchShare
    }

    /// The condition, as the user gave it.
    public let text: String
    let measure: Measure
    let comparison: String
    /// Nanoseconds, requests per second, a count, or percent.
    let bound: Double

    /// Reads a condition; nil where it is none.
    public init?(_ text: String) {
        let plain = text.filter { $0 != " " }
        guard let sign = plain.firstIndex(where: { $0 == "<" || $0 == ">" }) else { return nil }
        let name = plain[..<sign]
        var value = plain[plain.index(after: sign)...]
        var comparison = String(plain[sign])
        if value.first == "=" {
            comparison += "="
            value.removeFirst()
        }
        let isShare = value.last == "%"
        var factor = 1.0
        switch name {
        case "mean": measure = .mean
        case "max": measure = .max
        case "rate": measure = .rate
        case "errors": measure = isShare ? .errorShare : .errors
        case "mismatches": measure = isShare ? .mismatchShare : .mismatches
        case "p50": measure = .percentile(50)
        case "p90": measure = .percentile(90)
        case "p95": measure = .percentile(95)
        case "p99": measure = .percentile(99)
        case "p99.9", "p999": measure = .percentile(99.9)
        default: return nil
        }
        switch measure {
        case .mean, .max, .percentile:
            let units = [("ns", 1.0), ("us", 1e3), ("ms", 1e6), ("s", 1e9)]
            guard let unit = units.first(where: { value.hasSuffix($0.0) }) else { return nil }
            value.removeLast(unit.0.count)
            factor = unit.1
        case .errorShare, .mismatchShare: value.removeLast()
        case .rate, .errors, .mismatches: break
        }
        guard let number = Double(value), number >= 0, number.isFinite else { return nil }
        self.text = text
        self.comparison = comparison
        bound = number * factor
    }

    /// Judges a replay that is over.
    public func verdict(on summary: ReplaySummary) -> Verdict {
        let times = summary.histogram
        let count = Double(summary.requests)
        let span = Double(summary.endedNs - summary.startedNs) / 1e9
        let found: Double
        let words: String
        switch measure {
        case .percentile, .mean, .max:
            var needed = 1
            var percentile: Double?
            if case .percentile(let p) = measure {
                // Ten samples beyond it, or it is one sample's accident.
                needed = Int((1000 / (100 - p)).rounded())
                percentile = p
            }
            guard times.totalCount >= UInt64(needed) else {
                return .cannotTell(
                    "Cannot judge '\(text)': \(times.totalCount) whole answers are too few, "
                        + "it needs \(needed). Send more with --requests."
                )
            }
            found =
                percentile.map { Double(times.valueAtPercentile($0)) }
                ?? (measure == .mean ? times.mean : Double(times.max))
            words = "\((found / 1e3).rounded() / 1e3) ms"
        case .rate:
            guard span > 0 else {
                return .cannotTell("Cannot judge '\(text)': no time passed. Send more requests.")
            }
            found = count / span
            words = "\(found.rounded()) requests/s"
        case .errors, .mismatches:
            found = Double(measure == .errors ? summary.errors : summary.mismatches)
            words = "\(Int(found))"
        case .errorShare, .mismatchShare:
            guard count > 0 else {
                return .cannotTell("Cannot judge '\(text)': no request was sent.")
            }
            let part = measure == .errorShare ? summary.errors : summary.mismatches
            found = Double(part) / count * 100
            words = "\((found * 1000).rounded() / 1000) % (\(part) of \(summary.requests))"
        }
        let holds =
            switch comparison {
            case ">": found > bound
            case ">=": found >= bound
            case "<": found < bound
            default: found <= bound
            }
        return holds ? .fails("The condition '\(text)' holds: it is \(words).") : .passes
    }
}
