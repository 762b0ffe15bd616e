// A comparison that goes on while it is inconclusive looks at its data several times, and each look
// is a chance for a false alarm. So alpha is spent: half at the first look, the rest in equal parts.

/// When a comparison looks at what it has, and how much of alpha each look may spend.
///
/// The sum over all looks is alpha, so the chance of any false alarm is at most alpha whatever the
/// looks have to do with each other (Bonferroni). Looks are strongly dependent, so it is less.
public struct Looks: Sendable, Equatable {
    /// After how many rounds it looks, ascending.
    public let rounds: [Int]

    /// Looks after `first` rounds, and then at every half as many more, up to `most`.
    public init(first: Int, most: Int) {
        var rounds = [max(1, first)]
        while let last = rounds.last, last < most {
            rounds.append(min(most, last + max(1, (last + 1) / 2)))
        }
        self.rounds = rounds
    }

    /// The share of alpha that the look at an index may spend.
    public func share(at index: Int) -> Double {
        guard rounds.count > 1 else { return 1 }
        return index == 0 ? 0.5 : 0.5 / Double(rounds.count - 1)
    }
}

/// How many rounds it takes.
public enum RoundsNeeded {
    /// The fewest rounds at which `questions` questions can be answered at `alpha`: the smallest
    /// one-sided p of `R` rounds is `2^−R`, and the first of Holm's bounds is `alpha / questions`.
    public static func fewest(questions: Int, alpha: Double) -> Int {
        var rounds = 0
        var smallest = 1.0
        while smallest > alpha / Double(max(1, questions)), rounds < 1000 {
            smallest /= 2
            rounds += 1
        }
        return rounds
    }

    /// About how many rounds would shrink a half-width to a goal: it shrinks by the root.
    public static func about(toShrink halfWidth: Double, to goal: Double, from rounds: Int) -> Int?
    {
        guard goal > 0, halfWidth.isFinite, halfWidth > goal else { return nil }
        let ratio = halfWidth / goal
        let needed = Double(rounds) * ratio * ratio
        return needed < 1e6 ? Int(needed.rounded(.up)) : nil
    }
}
