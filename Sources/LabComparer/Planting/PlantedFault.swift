// A fault that a comparison is to find: what is done to the candidate's arm, between what was seen of
// it and the judge, and by which reason it is named.

import LabExchange

/// A fault that was planted.
struct PlantedFault: Sendable {
    /// What it is, in a few words.
    var name: String
    /// What the reason is about that names it.
    var kind: ReasonKind
    /// The route that it was planted on; nil where it is on all, or on the server as a whole.
    var route: String?
    /// What the reason says that names it.
    var sign: String
    /// Whether the rules forgive it wherever it could be planted.
    var isForgiven = false
    let change: Change

    /// What is done.
    enum Change: Sendable {
        /// These requests are answered otherwise, each time.
        case answers(AnswerChange, of: Set<Int64>)
        /// A share of all answers is otherwise, each time others: sent again alone, none is.
        case atRandom(AnswerChange, share: Double, seed: UInt64)
        /// Answers to these requests take longer.
        case slower(ns: Double, of: Set<Int64>)
        /// The server costs a share more, and an amount besides.
        case cost(Measure, share: Double, amount: Double)
        /// A zombie stands when all was answered.
        case zombie
        /// A process outlives its parent.
        case orphan
        /// The server ends by itself.
        case death
    }

    /// An answer of the candidate with the fault in it; nil where this one has none.
    ///
    /// - Parameters:
    ///   - answer: The answer as it was seen.
    ///   - id: The request.
    ///   - round: The round; nil where it was sent again, alone.
    /// - Returns: The answer with the fault.
    func planted(in answer: TimedAnswer, to id: Int64, round: Int?) -> TimedAnswer? {
        var changed = answer
        switch change {
        case .answers(let change, let ids):
            guard ids.contains(id) else { return nil }
            changed.answer = change.applied(to: answer.answer)
        case .atRandom(let change, let share, let seed):
            guard let round else { return nil }
            var random = SeededGenerator(
                seed: seed &+ UInt64(bitPattern: id) &* 1_000_003 &+ UInt64(round)
            )
            guard Double.random(in: 0..<1, using: &random) < share else { return nil }
            changed.answer = change.applied(to: answer.answer)
        case .slower(let ns, let ids):
            guard ids.contains(id) else { return nil }
            changed.serviceNs += ns
        case .cost, .zombie, .orphan, .death: return nil
        }
        return changed == answer ? nil : changed
    }

    /// What the candidate's server cost, with the fault in it.
    func planted(in cost: ServerCost) -> ServerCost {
        var changed = cost
        switch change {
        case .answers, .atRandom, .slower: break
        case .cost(let measure, let share, let amount):
            let value = measure.value(of: cost) * (1 + share) + amount
            switch measure {
            case .latency: break
            case .cpu: changed.cpuUs = value
            case .memory: changed.residentKib = value
            case .minorFaults: changed.minorFaults = Int(value)
            case .majorFaults: changed.majorFaults = Int(value)
            }
        case .zombie: changed.zombies += 1
        case .orphan: changed.orphans += 1
        case .death: changed.death = "signal 11"
        }
        return changed
    }

    /// Whether it is in what a server costs, and not in what it answers.
    var isOfServer: Bool {
        switch change {
        case .answers, .atRandom, .slower: false
        case .cost, .zombie, .orphan, .death: true
        }
    }

    /// The reason of a comparison that names it; nil where none does.
    func named(by comparison: Comparison) -> Reason? {
        guard comparison.verdict == .regression else { return nil }
        return comparison.reasons.first {
            $0.kind == kind && (route == nil || $0.route == route) && $0.what.contains(sign)
        }
    }
}
