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
    let arena: UnsafePointer<UInt8>
    let addresses: UnsafeMutablePointer<sockaddr_storage>
    let slots: UnsafeMutableBufferPointer<Slot>
    let events: UnsafeMutablePointer<clab_event>
    let buffer: UnsafeMutablePointer<UInt8>
    let keeping: Keeping
    let judge: AnswerJudge
    /// How much of a differing content is kept until it was looked at.
    let mostBodyBytes: Int
    /// Whether each answer's head is looked at, and not only what the scanner makes of it.
    let looksAtHeads: Bool

    /// Answers that did not come in one read, by slot; made when first needed, then kept.
    var partials: [PartialAnswer?]
    /// Slots whose last request failed: they go on from the loop, so that a target that fails at
    /// once neither recurses nor starves the other slots.
    var pending: [Int] = []
    /// Slots that were refused: they rest for a moment, or a target that is gone would be a flood of
    /// results that say the same.
    var resting: [Int] = []
    var restUntilNs = Int64.max
    /// How many slots are still in use.
    var active = 0
    /// The address that answered last.
    var preferredAddress = 0
    var totals = WorkerTotals()
    var chunk: [ReplayResult] = []
    var chunkCost = 0

    private var nextTick: Int64 = 0
    private var giveUpNs = Int64.max

    static let bufferSize = 64 << 10
    private static let mostEvents: Int32 = 256
    private static let tickNs: Int64 = 100_000_000
    private static let graceNs: Int64 = 5_000_000_000
    static let restNs: Int64 = 10_000_000

    /// Takes over `epoll`.
    init(_ task: WorkerTask, index: Int, epoll: Int32) {
        self.task = task
        self.index = index
        self.epoll = epoll
        keeping = task.settings.keeping
        let matching = task.settings.matching
        looksAtHeads = keeping == .all || matching.parts.contains(.headers)
        let needsBodies = keeping != .nothing || !matching.ignoredPointers.isEmpty
        mostBodyBytes = needsBodies ? task.settings.mostBodyBytes : 0
        let plan = task.plan
        requests = plan.requests
        arena = UnsafePointer(plan.arena.base)
        judge = AnswerJudge(matching, arena)
        addresses = .allocate(capacity: task.settings.addresses.count)
        for (place, address) in task.settings.addresses.enumerated() {
            (addresses + place).initialize(to: sockaddr_storage())
            address.copy(to: addresses + place)
        }
        let threads = task.settings.usedThreads
        let all = max(1, task.settings.concurrency)
        let share = all / threads + (index < all % threads ? 1 : 0)
        slots = .allocate(capacity: share)
        slots.initialize(repeating: Slot())
        events = .allocate(capacity: Int(Self.mostEvents))
        buffer = .allocate(capacity: Self.bufferSize)
        partials = Array(repeating: nil, count: share)
        chunk.reserveCapacity(Self.mostResults)
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
        var now = clab_monotonic_ns()
        nextTick = now + Self.tickNs
        active = slots.count
        for slot in slots.indices { startNext(slot, now) }
        while active > 0 {
            let wait = pending.isEmpty ? max(0, min(nextTick, restUntilNs) - now) : 0
            // -1 is EINTR: the loop goes round.
            let count = clab_epoll_wait(epoll, events, Self.mostEvents, wait)
            for place in 0..<max(0, Int(count)) { handle(events[place]) }
            if !pending.isEmpty { startPending() }
            now = clab_monotonic_ns()
            if now >= restUntilNs { endRest(now) }
            if now >= nextTick { tick(now) }
        }
        handOver()
        task.queue.end(totals, ofWorker: index)
    }

    /// A slot has at most one event in a batch, and no other slot's event touches it, so an event
    /// never meets a descriptor that was opened after it.
    @inline(__always)
    private mutating func handle(_ event: clab_event) {
        let slot = Int(event.data)
        switch slots[slot].phase {
        case .connecting:
            sendRequest(slot)
        case .sending, .waiting:
            if event.events & UInt32(CLAB_OUT) != 0, slots[slot].phase == .sending {
                sendRequest(slot)
            }
            if event.events & ~UInt32(CLAB_OUT) != 0 { receiveAnswer(slot) }
        case .idle, .starved: break
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

    /// Looks at deadlines and wishes, and tells counts, every 100 ms.
    ///
    /// One scan instead of a timer per request.
    private mutating func tick(_ now: Int64) {
        for slot in slots.indices {
            switch slots[slot].phase {
            case .idle: break
            case .starved, .connecting:
                if now - slots[slot].connectNs >= task.settings.connectTimeoutNs {
                    fail(slot, .timeout, now)
                } else if slots[slot].phase == .starved {
                    openConnection(slot)
                }
            case .sending, .waiting:
                if now - slots[slot].sentNs >= task.settings.timeoutNs {
                    fail(slot, .timeout, now)
                }
            }
        }
        switch task.control.wish {
        case .go: break
        case .stop: giveUpNs = min(giveUpNs, now + Self.graceNs)
        case .abort: giveUpNs = now
        }
        if now >= giveUpNs { abandonAll() }
        handOver()
        task.queue.publish(totals.counts, ofWorker: index)
        nextTick = now + Self.tickNs
    }

    private mutating func abandonAll() {
        for slot in slots.indices where slots[slot].phase != .idle {
            totals.abandoned += 1
            retire(slot)
        }
    }
}
