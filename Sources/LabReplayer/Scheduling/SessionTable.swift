// Captured connections -> sessions, each a run of steps in the order in which they are sent. Like
// the requests it is made once and pointed to: nothing is looked up while requests are sent.

import LabExchange

/// A request in its place in a session.
///
/// Plain data: it is copied in the loop.
struct Step {
    /// The request, as a place in the plan.
    var request: Int32
    /// The captured connection that it came on, counted from 0.
    var connection: Int32
    /// The route that it is counted under, as a place in the plan's routes.
    var route: Int32
    /// Whether its connection is kept for a request after it.
    var keepsConnection: Bool
    /// When it is due, nanoseconds: after the start of its session (paces that follow a clock), or
    /// after the answer before it (think).
    var offsetNs: Int64 = 0
}

/// A session: a run of steps.
struct PlannedSession: Equatable {
    /// The first step.
    var first: Int
    /// The step after the last one.
    var end: Int
    /// When it starts in a pass, nanoseconds from the start of the pass; 0 where that is not known
    /// beforehand.
    var startNs: Int64 = 0
}

/// All sessions of a plan, in the order in which their first requests were captured.
final class SessionTable: @unchecked Sendable {
    // Unchecked: all is made by init and only read after.
    private let table: UnsafeMutablePointer<Step>
    /// How many steps there are: as many as requests.
    private(set) var count: Int
    let sessions: [PlannedSession]
    /// How long a pass takes from its start to the start of the next one, nanoseconds; 0 where that
    /// is not known beforehand.
    let passNs: Int64

    var steps: UnsafePointer<Step> { UnsafePointer(table) }

    init(_ draft: SessionDraft, _ settings: ReplaySettings) {
        let moments = draft.moments
        let sessionOf = draft.chains.sessions()
        var startNs = [Int64](repeating: .max, count: sessionOf.count)
        for moment in moments {
            let session = sessionOf[Int(moment.connection)]
            startNs[session] = min(startNs[session], moment.startedNs)
        }
        // The sessions in the order of their first requests, and each one's in captured order.
        var order = moments.enumerated().map { place, moment in
            let session = sessionOf[Int(moment.connection)]
            return Place(
                sessionNs: startNs[session],
                session: session,
                startedNs: moment.startedNs,
                request: place
            )
        }
        // A session that is in order already, as most are, is not sorted: a million take a second.
        if !zip(order, order.dropFirst()).allSatisfy({ $0 < $1 }) { order.sort() }
        table = .allocate(capacity: order.count)
        count = order.count
        var sessions: [PlannedSession] = []
        var last: Int?
        for (step, place) in order.enumerated() {
            if place.session != last { sessions.append(PlannedSession(first: step, end: step)) }
            last = place.session
            sessions[sessions.count - 1].end = step + 1
            (table + step).initialize(
                to: Step(
                    request: Int32(place.request),
                    connection: moments[place.request].connection,
                    route: moments[place.request].route,
                    keepsConnection: settings.connections != .perRequest
                )
            )
        }
        let timetable = Timetable(settings.shape)
        passNs = timetable.fill(UnsafeMutableBufferPointer(start: table, count: count), &sessions) {
            moments[Int($0.request)]
        }
        if let shard = settings.shard { count = Self.keep(shard, of: &sessions, table, moments) }
        self.sessions = sessions
        markLastUses(settings.connections)
    }

    /// Leaves the sessions of a shard, at the times that they have among all; gives how many steps
    /// these are.
    private static func keep(
        _ shard: Shard,
        of sessions: inout [PlannedSession],
        _ table: UnsafeMutablePointer<Step>,
        _ moments: [SessionDraft.Moment]
    ) -> Int {
        var kept: [PlannedSession] = []
        var end = 0
        for var session in sessions {
            let steps = session.first..<session.end
            // The exchange of the lowest number, for times of capture may be equal.
            let name = steps.map { moments[Int(table[$0].request)].exchangeID }.min()
            guard let name, shard.contains(session: name) else { continue }
            for step in steps { table[end + step - steps.lowerBound] = table[step] }
            session.first = end
            end += steps.count
            session.end = end
            kept.append(session)
        }
        sessions = kept
        return end
    }

    /// Says after which steps a connection is closed.
    private func markLastUses(_ use: ConnectionUse) {
        switch use {
        case .captured:
            var seen: Set<Int32> = []
            for step in (0..<count).reversed() {
                table[step].keepsConnection = !seen.insert(table[step].connection).inserted
            }
        case .session:
            for session in sessions { table[session.end - 1].keepsConnection = false }
        case .shared, .perRequest: break
        }
    }

    deinit { table.deallocate() }

    private struct Place: Comparable {
        var sessionNs: Int64
        var session: Int
        var startedNs: Int64
        var request: Int

        static func < (one: Place, two: Place) -> Bool {
            if one.sessionNs != two.sessionNs { return one.sessionNs < two.sessionNs }
            if one.session != two.session { return one.session < two.session }
            if one.startedNs != two.startedNs { return one.startedNs < two.startedNs }
            return one.request < two.request
        }
    }
}

/// What a session table is made of, gathered request by request.
struct SessionDraft {
    /// When a request was captured, and where.
    struct Moment {
        var exchangeID: Int64
        var connection: Int32
        var route: Int32
        var startedNs: Int64
        var endedNs: Int64
    }

    var chains: SessionChains
    /// By the request's place in the plan.
    var moments: [Moment] = []
    var routes = RouteList()

    init(_ rule: SessionRule) { chains = SessionChains(rule) }

    /// Takes in the exchange of the next request of the plan.
    mutating func add(_ exchange: CapturedExchange) {
        let connection = Int32(chains.add(exchange))
        var startedNs = exchange.startedNs
        // Requests that were pipelined came at one instant: never before the one ahead of them.
        if let before = moments.last, before.connection == connection {
            startedNs = max(startedNs, before.startedNs)
        }
        moments.append(
            Moment(
                exchangeID: exchange.id,
                connection: connection,
                route: routes.place(of: exchange.requestHead),
                startedNs: startedNs,
                endedNs: max(startedNs, exchange.endedNs)
            )
        )
    }
}
