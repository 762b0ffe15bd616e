// A large session, chapter by chapter: requests are sent while what comes after them is still read
// and rendered, and what was sent is forgotten where it is sent once.
//
//     captured ──▶ ReplayPlan ──▶ SessionTable ──▶ workers
//        ▲                                            │ enter, leave
//        └── waits while enough lies ahead ◀──────────┘

import Glibc
import LabExchange
import Synchronization

/// Makes a plan and its sessions of what was captured, as it is read.
///
/// Chapters are runs of whole captured connections. Where sessions are made of anything but one
/// connection each, what comes late in a session file may have to go first: the plan is then one chapter.
final class PlanLoader: @unchecked Sendable {
    // Unchecked: one thread at a time loads, and the workers' words come under the lock.
    let plan: ReplayPlan
    let sessions: SessionTable

    private let settings: ReplaySettings
    private let captured: () throws -> [CapturedExchange]?
    private let chapters = Mutex(Chapters())
    private let changed = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let isStopped = Atomic<Bool>(false)
    /// What reading failed with.
    private(set) var failure: (any Error)?

    /// How much lies ready before loading waits, bytes.
    private static let mostAhead = 16 << 20

    private struct Chapters {
        var all: [Chapter] = []
        /// How many were begun to be sent.
        var begun = 0
        /// What the others take, bytes.
        var bytesAhead = 0
    }

    /// What a chapter takes.
    private struct Chapter {
        var arena: Range<Int>
        var requests: Range<Int>
        var steps: Range<Int>
        /// How many of its sessions are not over.
        var left: Int

        var bytes: Int {
            arena.count + requests.count * MemoryLayout<PlannedRequest>.stride
                + steps.count * MemoryLayout<Step>.stride
        }
    }

    /// Loads nothing yet; `captured` is called until it gives nil, on one thread at a time.
    init(_ settings: ReplaySettings, _ captured: @escaping () throws -> [CapturedExchange]?) {
        self.settings = settings
        self.captured = captured
        plan = ReplayPlan(settings)
        sessions = SessionTable(settings)
        sem_init(changed, 0, 0)
    }

    /// Makes the whole plan of exchanges.
    convenience init(_ settings: ReplaySettings, _ exchanges: [CapturedExchange]) {
        self.init(settings) { nil }
        plan.add(exchanges)
        addChapter(from: (0, 0, 0))
        sessions.end()
    }

    deinit {
        sem_destroy(changed)
        changed.deallocate()
    }

    /// Loads until there is a session to send, or all where one chapter is to be made of it.
    func begin() throws {
        guard settings.allowsChapters else { return try loadAll() }
        while !sessions.isWhole, sessions.published == 0 { try loadNext() }
    }

    /// Loads all that is left.
    func loadAll() throws {
        guard !sessions.isWhole else { return }
        guard settings.allowsChapters else {
            while let some = try captured() { plan.add(some) }
            addChapter(from: (0, 0, 0))
            return sessions.end()
        }
        while !sessions.isWhole { try loadNext() }
    }

    /// Loads all that is left while it is sent, never far ahead of it.
    ///
    /// To be called on a thread of its own. What it fails with is ``failure``.
    func loadWhileSending() {
        do {
            while !sessions.isWhole, !isStopped.load(ordering: .acquiring) {
                if hasEnoughAhead {
                    sem_wait(changed)
                } else {
                    try loadNext()
                }
            }
        } catch {
            failure = error
        }
        // What was read is sent to its end; nobody waits for more.
        sessions.end()
    }

    /// Whether much lies ready that can be begun: only then somebody will say that it was.
    private var hasEnoughAhead: Bool {
        let published = Int(sessions.publishedChapter)
        return chapters.withLock { $0.bytesAhead > Self.mostAhead && $0.begun <= published }
    }

    /// Ends ``loadWhileSending()`` soon.
    func stop() {
        isStopped.store(true, ordering: .releasing)
        sem_post(changed)
    }

    private func loadNext() throws {
        let start = (plan.arena.count, plan.requests.count, sessions.steps.count)
        guard let some = try captured() else { return sessions.end() }
        plan.add(some)
        addChapter(from: start)
        // What comes next is not to point into what may be forgotten before it.
        if settings.sendsOnce { plan.forgetContents() }
    }

    private func addChapter(from start: (arena: Int, requests: Int, steps: Int)) {
        let number = chapters.withLock { $0.all.count }
        let count = sessions.add(plan.draft, chapter: Int32(clamping: number))
        plan.forgetDraft()
        let chapter = Chapter(
            arena: start.arena..<plan.arena.count,
            requests: start.requests..<plan.requests.count,
            steps: start.steps..<sessions.steps.count,
            left: count
        )
        chapters.withLock { chapters in
            chapters.all.append(chapter)
            chapters.bytesAhead += chapter.bytes
        }
        sessions.publish()
    }

    /// Takes note that a session of a chapter is begun: what comes after is to be ready soon.
    func enter(_ chapter: Int32) {
        chapters.withLock { chapters in
            while chapters.begun <= Int(chapter) {
                chapters.bytesAhead -= chapters.all[chapters.begun].bytes
                chapters.begun += 1
            }
        }
        sem_post(changed)
    }

    /// Takes note that a session of a chapter is over; where nothing is sent again, forgets the chapter
    /// after its last one.
    func leave(_ chapter: Int32) {
        guard settings.sendsOnce else { return }
        let over = chapters.withLock { chapters -> Chapter? in
            chapters.all[Int(chapter)].left -= 1
            return chapters.all[Int(chapter)].left == 0 ? chapters.all[Int(chapter)] : nil
        }
        guard let over else { return }
        plan.arena.release(over.arena)
        plan.requests.release(over.requests)
        sessions.steps.release(over.steps)
    }
}

extension ReplaySettings {
    /// Whether each request is sent once at most.
    var sendsOnce: Bool { mostRounds == 1 }

    /// Whether sessions can be made of some connections without knowing the others.
    fileprivate var allowsChapters: Bool {
        sessions == .connection && correlation == .off
    }
}
