// Captured connections -> sessions, each a run of steps in the order in which they are sent. Like
// the requests they are made once and pointed to: nothing is looked up while requests are sent.

import LabExchange
import Synchronization

/// A request in its place in a session.
///
/// Plain data: it is copied in the loop.
struct Step: BitwiseCopyable {
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
struct PlannedSession: Equatable, BitwiseCopyable {
    /// The first step.
    var first: Int
    /// The step after the last one.
    var end: Int
    /// When it starts in a pass, nanoseconds from the start of the pass; 0 where that is not known
    /// beforehand.
    var startNs: Int64 = 0
    /// The part of the plan that it belongs to, which is given back when all its sessions are over.
    var chapter: Int32 = 0
}

/// All sessions of a plan, in the order in which their first requests were captured.
///
/// It may grow while it is read: what is published stays as it is.
final class SessionTable: @unchecked Sendable {
    // Unchecked: one thread makes it, and what it has published is only read after.
    let steps = StableMemory<Step>()
    let sessions = StableMemory<PlannedSession>()
    private let settings: ReplaySettings
    private var timetable: Timetable
    private let readyCount = Atomic<Int>(0)
    private let isEnded = Atomic<Bool>(false)
    /// How long a pass takes from its start to the start of the next one, nanoseconds; 0 where that
    /// is not known beforehand.
    private(set) var passNs: Int64 = 0

    /// Whether nothing comes any more; only then ``count``, ``passNs`` and how many sessions there are
    /// may be asked by other threads.
    var isWhole: Bool { isEnded.load(ordering: .acquiring) }

    /// How many sessions may be sent.
    var published: Int { readyCount.load(ordering: .acquiring) }

    /// How many steps there are: as many as requests.
    var count: Int { steps.count }

    /// Makes a table without sessions.
    init(_ settings: ReplaySettings) {
        self.settings = settings
        timetable = Timetable(settings.shape)
    }

    /// Makes the whole table of a draft.
    convenience init(_ draft: SessionDraft, _ settings: ReplaySettings) {
        self.init(settings)
        _ = add(draft)
        publish()
        end()
    }

    /// Lets all that was added be sent.
    func publish() { readyCount.store(sessions.count, ordering: .releasing) }

    /// Takes note that nothing comes any more.
    func end() { isEnded.store(true, ordering: .releasing) }

    /// Adds the sessions of a draft, as a chapter.
    ///
    /// - Returns: How many they are.
    func add(_ draft: SessionDraft, chapter: Int32 = 0) -> Int {
        let firstStep = steps.count
        var made = addSteps(draft)
        passNs = timetable.fill(
            UnsafeMutableBufferPointer(start: steps.base, count: steps.count),
            &made
        ) { draft.moment(of: $0) }
        if let shard = settings.shard { keep(shard, of: &made, from: firstStep, draft) }
        markLastUses(of: made, from: firstStep, draft)
        for var session in made {
            session.chapter = chapter
            sessions.append(session)
        }
        return made.count
    }

    /// The sessions in the order of their first requests, and each one's in captured order.
    private func addSteps(_ draft: SessionDraft) -> [PlannedSession] {
        let moments = draft.moments
        let sessionOf = draft.chains.sessions()
        var startNs = [Int64](repeating: .max, count: sessionOf.count)
        for moment in moments {
            let session = sessionOf[draft.place(of: moment)]
            startNs[session] = min(startNs[session], moment.startedNs)
        }
        func rank(_ place: Int32) -> (Int64, Int, Int64, Int32) {
            let moment = moments[Int(place)]
            let session = sessionOf[draft.place(of: moment)]
            return (startNs[session], session, moment.startedNs, place)
        }
        var order = Array(0..<Int32(moments.count))
        // A session that is in order already, as most are, is not sorted: a million take a second.
        if !order.dropFirst().allSatisfy({ rank($0 - 1) < rank($0) }) {
            order.sort { rank($0) < rank($1) }
        }
        var made: [PlannedSession] = []
        var last: Int?
        for place in order {
            let moment = moments[Int(place)]
            let session = sessionOf[draft.place(of: moment)]
            if session != last {
                made.append(PlannedSession(first: steps.count, end: steps.count))
            }
            last = session
            steps.append(
                Step(
                    request: Int32(draft.requestsBefore) + place,
                    connection: moment.connection,
                    route: moment.route,
                    keepsConnection: settings.connections != .perRequest
                )
            )
            made[made.count - 1].end = steps.count
        }
        return made
    }

    /// Leaves the sessions of a shard, at the times that they have among all.
    private func keep(
        _ shard: Shard,
        of made: inout [PlannedSession],
        from firstStep: Int,
        _ draft: SessionDraft
    ) {
        var kept: [PlannedSession] = []
        var end = firstStep
        for var session in made {
            let all = session.first..<session.end
            // The exchange of the lowest number, for times of capture may be equal.
            let name = all.map { draft.moment(of: steps[$0]).exchangeID }.min()
            guard let name, shard.contains(session: name) else { continue }
            for step in all { steps[end + step - all.lowerBound] = steps[step] }
            session.first = end
            end += all.count
            session.end = end
            kept.append(session)
        }
        made = kept
        steps.removeAll(from: end)
    }

    /// Says after which steps a connection is closed.
    private func markLastUses(
        of made: [PlannedSession],
        from firstStep: Int,
        _ draft: SessionDraft
    ) {
        switch settings.connections {
        case .captured:
            var isSeen = [Bool](repeating: false, count: draft.chains.connectionCount)
            for step in (firstStep..<steps.count).reversed() {
                let place = draft.place(of: draft.moment(of: steps[step]))
                steps[step].keepsConnection = isSeen[place]
                isSeen[place] = true
            }
        case .session:
            for session in made { steps[session.end - 1].keepsConnection = false }
        case .shared, .perRequest: break
        }
    }
}
