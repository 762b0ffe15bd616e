// Who sends what next. One cursor for all threads, so that connections start in captured order.

import Synchronization

/// A captured connection to send, or its beginning.
struct Ticket {
    /// How often the session had been handed out before.
    var round: Int32
    /// The first request, as a place in the plan.
    var start: Int
    /// The place after the last one.
    var end: Int
}

/// Hands out the session's connections, in order, again from the start where that is asked for.
final class Schedule: Sendable {
    private let cursor = Atomic<Int>(0)
    private let plan: ReplayPlan
    private let requests: Int?
    private let repeats: Bool

    init(_ plan: ReplayPlan, _ settings: ReplaySettings) {
        self.plan = plan
        requests = settings.requests
        repeats = settings.repeats
    }

    /// How many requests there will be; nil where the time decides.
    var planned: Int? { requests ?? (repeats ? nil : plan.count) }

    /// The next connection; nil where all were handed out.
    ///
    /// A ticket's number says how many requests all tickets before it hold, so a bound on requests
    /// is kept exactly without counting them: the last ticket is cut short.
    func next() -> Ticket? {
        guard plan.connectionCount > 0 else { return nil }
        let number = cursor.wrappingAdd(1, ordering: .relaxed).oldValue
        let (round, place) = number.quotientAndRemainder(dividingBy: plan.connectionCount)
        guard repeats || round == 0 else { return nil }
        let start = plan.starts[place]
        var end = plan.starts[place + 1]
        if let requests {
            let left = requests - round * plan.count - start
            guard left > 0 else { return nil }
            end = min(end, start + left)
        }
        return Ticket(round: Int32(truncatingIfNeeded: round), start: start, end: end)
    }
}
