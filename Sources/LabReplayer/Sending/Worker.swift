// One thread's loop: wait, read what came, send what is next. Level-triggered epoll; a descriptor
// is registered once, and the next request is written where the last answer was read. So a request
// costs one recv, one send and its share of an epoll_wait.

import CLabLinux
import Glibc
import LabExchange

/// Drives its share of the slots.
///
/// A value that is never copied: its fields are plain memory to the compiler, with no reference
/// counts and no exclusivity checks in the loop.
struct Worker: ~Copyable {
    let task: WorkerTask
    let index: Int
    let epoll: Int32
    let requests: UnsafePointer<PlannedRequest>
    let steps: UnsafePointer<Step>
    let arena: UnsafePointer<UInt8>
    /// Who is told which part of the plan is in use; nil where all of it stays.
    let loader: PlanLoader?
    /// The last chapter of the plan that this worker has met.
    var chapter: Int32 = -1
    let addresses: UnsafeMutablePointer<sockaddr_storage>
    let slots: UnsafeMutableBufferPointer<Slot>
    let events: UnsafeMutablePointer<clab_event>
    let buffer: UnsafeMutablePointer<UInt8>
    let keeping: Keeping
    let judge: AnswerJudge
    /// Whether each answer's head is looked at, and not only what the scanner makes of it.
    let looksAtHeads: Bool

    /// Whether any request gets what the target gave its session; without it nobody asks the next.
    let correlates: Bool
    var correlator: Correlator
    var ownBytes: OwnBytes

    /// Answers that did not come in one read, by slot; made when first needed, then kept.
    var partials: [PartialAnswer?]
    /// Slots whose last request failed: they go on from the loop, so that a target that fails at
    /// once neither recurses nor starves the other slots.
    var pending: [Int] = []
    /// Slots that were refused: they rest for a moment, or a target that is gone would be a flood of
    /// results that say the same.
    var resting: [Int] = []
    var restUntilNs = Int64.max
    /// Slots for which the plan had no session yet, though it will have.
    var unfed: [Int] = []
    var feedNs = Int64.max
    /// How many slots are still in use.
    var active = 0
    /// Connections that wait while another one of their session carries a request.
    var parked: ParkedConnections

    /// This worker's part of the schedule.
    var schedule: Schedule
    /// Whether sessions start by the clock.
    let isOpen: Bool
    /// Whether requests wait for their time, and whether that is counted from the answer before.
    let isTimed: Bool
    let isThinking: Bool
    /// Whether each captured connection has one of its own.
    let isCaptured: Bool
    /// A wait that is shorter is no sleep: the loop goes round until it is over.
    let pollNs: Int64
    /// Whether the first sessions have started.
    var hasBegun = false
    /// The next session of an open loop.
    var upcoming: Ticket?
    /// Whether the plan has no next session yet, though it will have one.
    var isAwaiting = false
    /// The slots of an open loop that have no session; the one that was freed last is used first.
    var free: [Int] = []
    /// All slots that ever had a session are below this one.
    var used: Int
    /// Slots whose next request waits for its time.
    var due: DueQueue
    /// The address that answered last.
    var preferredAddress = 0
    var totals: WorkerTotals
    var chunk: [ReplayResult] = []
    var chunkCost = 0

    private var nextTick: Int64 = 0
    private var giveUpNs = Int64.max

    static let bufferSize = 64 << 10
    private static let mostEvents: Int32 = 256
    private static let tickNs: Int64 = 100_000_000
    static let restNs: Int64 = 10_000_000
    /// What it takes to sleep and to be woken, which costs more processor time than to stay awake.
    private static let wakingNs: Int64 = 25_000
    static let feedingNs: Int64 = 1_000_000

    /// Takes over `epoll`.
    init(_ task: WorkerTask, index: Int, epoll: Int32) {
        self.task = task
        self.index = index
        self.epoll = epoll
        keeping = task.settings.keeping
        let matching = task.settings.matching
        looksAtHeads = keeping == .all || matching.parts.contains(.headers)
        let plan = task.loader.plan
        requests = UnsafePointer(plan.requests.base)
        steps = UnsafePointer(task.loader.sessions.steps.base)
        arena = UnsafePointer(plan.arena.base)
        loader = task.loader.sessions.isWhole ? nil : task.loader
        judge = AnswerJudge(matching, arena)
        addresses = .allocate(capacity: task.settings.addresses.count)
        for (place, address) in task.settings.addresses.enumerated() {
            (addresses + place).initialize(to: sockaddr_storage())
            address.copy(to: addresses + place)
        }
        let threads = task.settings.usedThreads
        let all = task.settings.mostAtOnce
        let share = all / threads + (index < all % threads ? 1 : 0)
        slots = .allocate(capacity: share)
        slots.initialize(repeating: Slot())
        events = .allocate(capacity: Int(Self.mostEvents))
        buffer = .allocate(capacity: Self.bufferSize)
        partials = Array(repeating: nil, count: share)
        correlates = !task.correlation.isEmpty
        correlator = Correlator(task.correlation, slots: correlates ? share : 0)
        ownBytes = OwnBytes(slots: correlates ? share : 0)
        chunk.reserveCapacity(Self.mostResults)
        parked = ParkedConnections(slots: share)
        due = DueQueue(slots: share)
        schedule = task.schedule.part(index, of: threads)
        let shape = task.settings.shape
        isOpen = shape.isOpen
        isTimed = isOpen && shape.rate?.unit == .requests || shape.pace != .asap
        isThinking = shape.pace == .think
        isCaptured = task.settings.connections == .captured
        // Where all processors would be kept awake, the target would have none.
        let leavesProcessors = threads < Int(clab_processors())
        pollNs = (isOpen || isTimed) && leavesProcessors ? Self.wakingNs : 0
        used = isOpen ? 0 : share
        if isOpen { free = Array((0..<share).reversed()) }
        totals = WorkerTotals(isOpen: isOpen)
    }

    deinit {
        close(epoll)
        addresses.deallocate()
        slots.deallocate()
        events.deallocate()
        buffer.deallocate()
    }

    /// Sends until there is nothing left to send, or until told to stop.
    mutating func run() {
        if isOpen || isTimed { clab_sharpen_timers() }
        var now = clab_monotonic_ns()
        nextTick = now + Self.tickNs
        if !isOpen { active = slots.count }
        while !hasBegun || active > 0 || upcoming != nil || isAwaiting {
            let wait = pending.isEmpty ? max(0, nextInstant - now) : 0
            let polls = wait < pollNs
            // -1 is EINTR: the loop goes round.
            let count = clab_epoll_wait(epoll, events, Self.mostEvents, polls ? 0 : wait)
            // The kernel may have put the target behind this thread.
            if polls, count == 0 { sched_yield() }
            for place in 0..<max(0, Int(count)) { handle(events[place]) }
            if !pending.isEmpty { startPending() }
            now = clab_monotonic_ns()
            if !hasBegun, now >= task.startNs { begin(now) }
            if due.firstNs <= now { startDue(now) }
            if upcoming != nil { startSessions(now) }
            if now >= restUntilNs { endRest(now) }
            if now >= feedNs { feed(now) }
            if now >= nextTick { tick(now) }
            // Where the clock decides, what was just done must not be added to the wait.
            if isOpen || isTimed { now = clab_monotonic_ns() }
        }
        for slot in 0..<used { disconnectAll(slot) }
        handOver()
        totals.correlationMisses = correlator.misses
        task.queue.end(totals, ofWorker: index)
    }

    /// The instant at which something is to be done if nothing comes.
    private var nextInstant: Int64 {
        guard hasBegun else { return min(nextTick, task.startNs) }
        // By twos: the `min` that takes any number makes an array of them, in the loop.
        return min(
            min(nextTick, min(restUntilNs, feedNs)),
            min(due.firstNs, upcoming?.dueNs ?? .max)
        )
    }

    /// A stale event, of a descriptor that was closed and opened again within a batch, does no harm:
    /// reading and writing where nothing can be done are `EAGAIN`.
    @inline(__always)
    private mutating func handle(_ event: clab_event) {
        let slot = Int(event.data & 0xFFFF_FFFF)
        let fd = Int32(truncatingIfNeeded: event.data >> 32)
        guard fd == slots[slot].fd else { return dropUnused(slot, fd) }
        switch slots[slot].phase {
        case .connecting:
            sendRequest(slot)
        case .sending, .waiting:
            if event.events & UInt32(CLAB_OUT) != 0, slots[slot].phase == .sending {
                sendRequest(slot)
            }
            if event.events & ~UInt32(CLAB_OUT) != 0 { receiveAnswer(slot) }
        case .idle, .paused, .starved: dropUnused(slot, fd)
        }
    }

    private mutating func startPending() {
        let waiting = pending
        pending.removeAll(keepingCapacity: true)
        for slot in waiting { startNext(slot, slots[slot].intendedNs) }
    }

    private mutating func endRest(_ now: Int64) {
        let rested = resting
        resting.removeAll(keepingCapacity: true)
        restUntilNs = .max
        for slot in rested { startNext(slot, now) }
    }

    /// Asks again for sessions that the plan did not have yet.
    private mutating func feed(_ now: Int64) {
        let waiting = unfed
        unfed.removeAll(keepingCapacity: true)
        feedNs = .max
        for slot in waiting { startNext(slot, now) }
        if isAwaiting { takeUpcoming() }
    }

    /// Looks at deadlines and wishes, and tells counts, every 100 ms.
    ///
    /// One scan instead of a timer per request.
    private mutating func tick(_ now: Int64) {
        for slot in 0..<used {
            switch slots[slot].phase {
            case .idle, .paused: break
            case .starved, .connecting:
                let endNs = slots[slot].connectNs + task.settings.connectTimeoutNs
                if now >= endNs {
                    fail(slot, .timeout, endNs)
                } else if slots[slot].phase == .starved {
                    openConnection(slot)
                }
            case .sending, .waiting:
                // It was over when its time was, and not when that was noticed.
                let endNs = slots[slot].sentNs + task.settings.timeoutNs
                if now >= endNs { fail(slot, .timeout, endNs) }
            }
        }
        let wish = task.control.wish
        if wish != .go { stopStarting() }
        switch wish {
        case .go where now < task.deadlineNs: break
        case .go, .stop: giveUpNs = min(giveUpNs, now + task.settings.graceNs)
        case .abort: giveUpNs = now
        }
        if now >= giveUpNs { abandonAll() }
        handOver()
        task.queue.publish(totals.counts, ofWorker: index)
        nextTick = now + Self.tickNs
    }

    /// Nothing that waits for its time is sent any more.
    private mutating func stopStarting() {
        if !hasBegun {
            hasBegun = true
            active = 0
        }
        upcoming = nil
        isAwaiting = false
        retirePaused()
        unfed.forEach { retire($0) }
        unfed = []
        feedNs = .max
    }

    private mutating func abandonAll() {
        for slot in 0..<used {
            switch slots[slot].phase {
            case .idle, .paused: break
            case .starved, .connecting, .sending, .waiting:
                totals.abandoned += 1
                retire(slot)
            }
        }
    }
}
