// Captured connections -> sessions, each a run of steps in the order in which they are sent. Like
// the requests they are made once and pointed to: nothing is looked up while requests are sent.

import CLabLinux
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

    /// The offset of a step whose time is not known yet.
    static let untimed = Int64.max
}

/// A session: a run of steps.
struct PlannedSession: Equatable, BitwiseCopyable {
    /// The first step.
    var first: Int
    /// The step after the last one.
    var end: Int
    /// When it starts in a pass, nanoseconds from the start of the pass; 0 where that is not known
    /// beforehand, and below 0 where it is not known yet.
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
    let settings: ReplaySettings
    private var timetable: Timetable
    /// What times requests at a rate; nil for all else.
    private var order: CapturedOrder?
    /// How many sessions, from the first one on, are known to start when.
    private var timed = 0
    private let readyCount = Atomic<Int>(0)
    private let untimedNs = Atomic<Int64>(0)
    private let isEnded = Atomic<Bool>(false)
    /// How long a pass takes from its start to the start of the next one, nanoseconds; 0 where that
    /// is not known beforehand.
    private(set) var passNs: Int64 = 0

    /// Whether nothing comes any more; only then ``count``, ``passNs`` and how many sessions there are
    /// may be asked by other threads.
    var isWhole: Bool { isEnded.load(ordering: .acquiring) }

    /// How many sessions may be sent.
    var published: Int { readyCount.load(ordering: .acquiring) }

    /// No step that is not timed yet is due before this, nanoseconds from the start of the first pass.
    var nothingBeforeNs: Int64 { untimedNs.load(ordering: .acquiring) }

    /// The chapter of the last session that may be sent; -1 where there is none.
    ///
    /// For the thread that adds sessions.
    var publishedChapter: Int32 { published == 0 ? -1 : sessions[published - 1].chapter }

    /// How many steps there are: as many as requests.
    var count: Int { steps.count }

    /// Makes a table without sessions.
    init(_ settings: ReplaySettings) {
        self.settings = settings
        timetable = Timetable(settings.shape)
        if let rate = settings.shape.rate, rate.unit == .requests { order = CapturedOrder(rate) }
    }

    /// Makes the whole table of a draft.
    convenience init(_ draft: SessionDraft, _ settings: ReplaySettings) {
        self.init(settings)
        _ = add(draft)
        publish()
        end()
    }

    /// Lets all that was added be sent, as far as it is known when.
    func publish() {
        let ready = order == nil ? sessions.count : timed
        untimedNs.store(order?.nextNs ?? 0, ordering: .releasing)
        readyCount.store(ready, ordering: .releasing)
    }

    /// Takes note that nothing comes any more.
    func end() {
        if !isWhole, order != nil {
            time(before: .max)
            passNs = max(1, order?.nextNs ?? 0)
            publish()
        }
        isEnded.store(true, ordering: .releasing)
    }

    /// When a step is due after the start of its session, once that is known: by a clock, in a table
    /// that grows.
    static func offset(of step: UnsafePointer<Step>) -> Int64 {
        let place = UnsafeRawPointer(step) + offsetOfOffset
        return clab_load(place.assumingMemoryBound(to: Int64.self))
    }

    private static let offsetOfOffset = MemoryLayout<Step>.offset(of: \.offsetNs) ?? 0

    /// Times the requests that nothing can go before any more.
    private func time(before instantNs: Int64) {
        order?.number(before: instantNs) { entry, atNs in
            guard entry.step >= 0 else { return }
            let session = sessions.base + Int(entry.session)
            if session.pointee.startNs < 0 { session.pointee.startNs = atNs }
            // Whoever sends may look at it just now.
            let place = UnsafeMutableRawPointer(steps.base + Int(entry.step)) + Self.offsetOfOffset
            clab_store(place.assumingMemoryBound(to: Int64.self), atNs - session.pointee.startNs)
        }
        while timed < sessions.count, sessions[timed].startNs >= 0 { timed += 1 }
    }

    /// Adds the sessions of a draft, as a chapter.
    ///
    /// - Returns: How many they are.
    func add(_ draft: SessionDraft, chapter: Int32 = 0) -> Int {
        let firstStep = steps.count
        var made = addSteps(draft)
        let lastNs = made.last.map { draft.moment(of: steps[$0.first]).startedNs }
        passNs = timetable.fill(
            UnsafeMutableBufferPointer(start: steps.base, count: steps.count),
            &made
        ) { draft.moment(of: $0) }
        if order != nil { queue(made, from: firstStep, draft) }
        if settings.shard != nil { keepShard(of: &made, from: firstStep, draft) }
        markLastUses(of: made, from: firstStep, draft)
        for var session in made {
            session.chapter = chapter
            if order != nil { session.startNs = -1 }
            sessions.append(session)
        }
        // What is read later began later, or by a moment sooner.
        if let lastNs { time(before: lastNs) }
        return made.count
    }

    /// Has the requests of sessions timed later: those of other shards too, for they take their turns.
    private func queue(_ made: [PlannedSession], from firstStep: Int, _ draft: SessionDraft) {
        var (keptStep, keptSession) = (firstStep, sessions.count)
        for session in made {
            let isKept = isKept(session, draft)
            for step in session.first..<session.end {
                let startedNs = draft.moment(of: steps[step]).startedNs
                steps[step].offsetNs = Step.untimed
                order?.add(
                    startedNs: startedNs,
                    step: isKept ? keptStep + step - session.first : nil,
                    session: isKept ? keptSession : nil
                )
            }
            if isKept {
                keptStep += session.end - session.first
                keptSession += 1
            }
        }
    }
}
