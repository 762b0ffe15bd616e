// Which session starts when. A value: each worker has its own, and in an open loop they are the
// same on every run, whatever the threads do.

import Synchronization

/// A session to send, or its beginning.
struct Ticket: Equatable {
    /// How often the session file had been handed out before.
    var round: Int32
    /// The first step, as a place in the session table.
    var start: Int
    /// The step after the last one.
    var end: Int
    /// How many requests the tickets before it hold.
    var number: Int
    /// The instant at which it starts; nil for as soon as someone can send it.
    var dueNs: Int64?
    /// The chapter of the plan that it belongs to.
    var chapter: Int32 = 0
}

/// Gives sessions in order, again from the first one where that is asked for.
struct Schedule: Sendable {
    /// What all workers of a closed loop take from, so that sessions start in captured order.
    private final class Cursor: Sendable {
        private let number = Atomic<Int>(0)

        func take() -> Int { number.wrappingAdd(1, ordering: .relaxed).oldValue }

        /// The next number, where it is below `limit`.
        func take(below limit: Int) -> Int? {
            var next = number.load(ordering: .relaxed)
            while next < limit {
                let (isTaken, found) = number.weakCompareExchange(
                    expected: next,
                    desired: next + 1,
                    ordering: .relaxed
                )
                if isTaken { return next }
                next = found
            }
            return nil
        }
    }

    private enum Clock {
        /// Whoever is free takes the next session.
        case none(Cursor)
        /// Each pass starts when the one before it is over.
        case table
        /// Sessions start at a rate.
        case rate(Arrivals)
    }

    private let table: SessionTable
    private let startNs: Int64
    private let requests: Int?
    private let rounds: Int?
    private var clock: Clock
    private var share = (index: 0, count: 1)
    /// The number of the next ticket of an open loop.
    private var next = 0
    /// Whether the last call gave no ticket only because the plan is still being made.
    private(set) var isEarly = false

    /// The schedule of a replay that starts at `startNs`.
    init(_ table: SessionTable, _ settings: ReplaySettings, startNs: Int64) {
        self.table = table
        self.startNs = startNs
        requests = settings.mostRequests
        rounds = settings.mostRounds
        let shape = settings.shape
        if let rate = shape.rate, rate.unit == .sessions {
            clock = .rate(Arrivals(rate))
        } else {
            clock = shape.isOpen ? .table : .none(Cursor())
        }
    }

    /// The part of worker `index` of `count`: in an open loop every `count`th session.
    func part(_ index: Int, of count: Int) -> Schedule {
        var part = self
        part.share = (index, count)
        return part
    }

    /// How many requests there will be; nil where the time decides, and while the plan is being made
    /// and may hold fewer than are asked for.
    var planned: Int? {
        guard table.isWhole else { return rounds == nil ? requests : nil }
        let inRounds = rounds.map { $0.multipliedReportingOverflow(by: table.count) }
            .map { $1 ? Int.max : $0 }
        guard let requests else { return inRounds }
        return min(requests, inRounds ?? .max)
    }

    /// The instant at which the last session starts; nil where nobody knows.
    var lastStartNs: Int64? {
        guard table.isWhole, let planned, table.count > 0, let last = table.sessions.last else {
            return nil
        }
        let (rounds, rest) = planned.quotientAndRemainder(dividingBy: table.count)
        switch clock {
        case .none: return nil
        case .table:
            let passes = Int64(clamping: rounds).multipliedReportingOverflow(by: table.passNs)
            guard !passes.overflow else { return nil }
            return due(passes.partialValue, rest == 0 ? 0 : last.startNs)
        case .rate(let arrivals):
            let sessions = Double(planned) / Double(table.count) * Double(table.sessions.count)
            return due(Int64(min(sessions * arrivals.gapNs, 9e18)), 0)
        }
    }

    /// The next session; nil where all were handed out, and where it is too early (``isEarly``).
    mutating func nextTicket() -> Ticket? {
        // Asked first: what is published after is not missed.
        let isWhole = table.isWhole
        guard !isWhole || !table.sessions.isEmpty else { return nil }
        switch clock {
        case .none(let cursor):
            guard !isWhole else {
                isEarly = false
                return ticket(cursor.take(), dueNs: nil)
            }
            let number = cursor.take(below: table.published)
            isEarly = number == nil
            return number.flatMap { firstTicket($0, dueNs: nil) }
        case .table:
            while next % share.count != share.index { next += 1 }
            guard !isTooEarly(isWhole) else { return nil }
            defer { next += 1 }
            guard isWhole else {
                return firstTicket(next, dueNs: due(0, table.sessions[next].startNs))
            }
            let (round, place) = next.quotientAndRemainder(dividingBy: table.sessions.count)
            let passNs = Int64(round).multipliedReportingOverflow(by: table.passNs)
            guard !passNs.overflow else { return nil }
            return ticket(next, dueNs: due(passNs.partialValue, table.sessions[place].startNs))
        case .rate(var arrivals):
            var ahead = next
            while ahead % share.count != share.index { ahead += 1 }
            (next, ahead) = (ahead, ahead - next)
            for _ in 0..<ahead { _ = arrivals.next() }
            clock = .rate(arrivals)
            guard !isTooEarly(isWhole) else { return nil }
            defer { next += 1 }
            let at = arrivals.next()
            clock = .rate(arrivals)
            return isWhole
                ? ticket(next, dueNs: due(at, 0)) : firstTicket(next, dueNs: due(at, 0))
        }
    }

    /// Whether the next session of an open loop is not known yet.
    private mutating func isTooEarly(_ isWhole: Bool) -> Bool {
        isEarly = !isWhole && next >= table.published
        return isEarly
    }

    private func due(_ one: Int64, _ two: Int64) -> Int64 {
        let (sum, isOver) = one.addingReportingOverflow(two)
        let (instant, isOverToo) = startNs.addingReportingOverflow(sum)
        return isOver || isOverToo ? .max : instant
    }

    /// A ticket of the first pass, whose end nobody knows yet.
    private func firstTicket(_ number: Int, dueNs: Int64?) -> Ticket? {
        let session = table.sessions[number]
        return ticket(round: 0, session, before: session.first, dueNs: dueNs)
    }

    /// A ticket's number says how many requests all tickets before it hold, so a bound on requests
    /// is kept exactly without counting them: the last ticket is cut short.
    private func ticket(_ number: Int, dueNs: Int64?) -> Ticket? {
        let (round, place) = number.quotientAndRemainder(dividingBy: table.sessions.count)
        if let rounds, round >= rounds { return nil }
        let session = table.sessions[place]
        return ticket(
            round: round,
            session,
            before: round * table.count + session.first,
            dueNs: dueNs
        )
    }

    private func ticket(
        round: Int,
        _ session: PlannedSession,
        before: Int,
        dueNs: Int64?
    ) -> Ticket? {
        var end = session.end
        if let requests {
            guard before < requests else { return nil }
            end = min(end, session.first + requests - before)
        }
        return Ticket(
            round: Int32(truncatingIfNeeded: round),
            start: session.first,
            end: end,
            number: before,
            dueNs: dueNs,
            chapter: session.chapter
        )
    }
}
