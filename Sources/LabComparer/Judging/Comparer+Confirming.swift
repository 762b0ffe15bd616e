// What the old build never does is sent again, alone: a difference that can be had each time is no
// accident.

/// Answers to requests that were sent again, each alone, once at both builds.
public struct SentAgain: Sendable {
    /// The old build's answers, by request.
    public var baseline: [Int64: ObservedAnswer]
    /// The new build's.
    public var candidate: [Int64: ObservedAnswer]

    /// Makes answers.
    public init(baseline: [Int64: ObservedAnswer], candidate: [Int64: ObservedAnswer]) {
        self.baseline = baseline
        self.candidate = candidate
    }
}

extension Comparer {
    /// Takes note of what the examples of ``unconfirmed`` were answered when they were sent again.
    ///
    /// - Parameter again: As often as they were sent.
    public mutating func confirm(_ again: [SentAgain]) {
        for (route, key, examples) in unconfirmed {
            func differs(_ before: ObservedAnswer?, _ after: ObservedAnswer?) -> Bool {
                guard let before, let after else { return false }
                return differences(route: route, before, after).contains { $0.key == key }
            }
            let isReproducible = examples.contains { id in
                again.allSatisfy { differs($0.baseline[id], $0.candidate[id]) }
                    && zip(again, again.dropFirst()).allSatisfy {
                        !differs($0.baseline[id], $1.baseline[id])
                    }
            }
            confirm(route: route, key: key, isReproducible ? .reproducible : .notReproduced)
        }
    }
}
