// A session is sent again. The plan of a large one is made while its beginning is sent (PlanLoader).
//
//     CapturedExchange ──▶ ReplayPlan ──▶ Schedule ──▶ Worker ═══ sockets ═══▶ the target
//                          bytes, and     tickets:     Slot, Slot, …              │
//                          what is        which        ResponseScanner ◀──────────┘
//                          expected       connection   PartialAnswer, ContentCheck
//                                         is next        │
//     the caller ◀── onResults, onProgress ◀── ResultQueue ◀──┘ ReplayResult, in chunks
//
// The unit is the captured connection: what came on one connection is sent on one connection, in
// its order, each request only after the whole answer to the one before. A slot sends one captured
// connection at a time; `concurrency` slots are shared among `threads` workers. It is a closed
// loop: a slot that is done with a connection takes the next one. Where a session has rules, a
// Correlator puts what its answers gave into its next requests.

import CLabLinux
import Glibc
public import LabExchange
import LabWire

/// Sends captured exchanges to a target and checks every answer against the captured one.
///
/// A replayer runs once.
public final class Replayer: Sendable {
    private let settings: ReplaySettings
    private let loader: PlanLoader
    private let correlation: CorrelationPlan
    private let control = ReplayControl()

    private var plan: ReplayPlan { loader.plan }
    private var sessions: SessionTable { loader.sessions }

    /// How often progress is told, nanoseconds.
    private static let progressNs: Int64 = 250_000_000

    private static let runUpNs: Int64 = 10_000_000

    /// Renders what is to be sent first; nothing is sent yet.
    ///
    /// Where sessions are captured connections and get nothing of the target's, the rest is asked for
    /// while requests are sent, and what is sent once is forgotten then: the session may be larger than
    /// memory. Else all is read here.
    ///
    /// - Parameters:
    ///   - settings: Where to send, how much at once, for how long.
    ///   - captured: Gives exchanges, run by run, and nil after the last one. A run is one of whole
    ///     connections, each one's exchanges in the order of their sequence. It is called on one thread
    ///     at a time.
    /// - Throws: What `captured` throws.
    public convenience init(
        _ settings: ReplaySettings,
        captured: @escaping () throws -> [CapturedExchange]?
    ) throws {
        guard settings.correlation == .off else {
            // Rules are found in whole sessions, requests and answers.
            var exchanges: [CapturedExchange] = []
            while let some = try captured() { exchanges += some }
            self.init(exchanges: exchanges, settings: settings)
            return
        }
        let loader = PlanLoader(settings, captured)
        try loader.begin()
        self.init(settings, loader, CorrelationPlan(CorrelationRules()))
    }

    /// Renders all that can be sent; nothing is sent yet.
    ///
    /// - Parameters:
    ///   - exchanges: Grouped by connection, each connection's in the order of their sequence.
    ///   - settings: Where to send, how much at once, for how long.
    public convenience init(exchanges: [CapturedExchange], settings: ReplaySettings) {
        let loader = PlanLoader(settings, exchanges)
        let correlation = CorrelationPlan(
            settings.correlation,
            exchanges,
            loader.plan,
            loader.sessions
        )
        self.init(settings, loader, correlation)
    }

    private init(
        _ settings: ReplaySettings,
        _ loader: PlanLoader,
        _ correlation: CorrelationPlan
    ) {
        self.settings = settings
        self.loader = loader
        self.correlation = correlation
    }

    /// Whether all that is to be sent is known.
    public var isWhole: Bool { sessions.isWhole }

    /// Reads and renders all that is left, for who wants to look at all before any of it is sent.
    ///
    /// - Throws: What reading throws.
    public func loadAll() throws { try loader.loadAll() }

    /// How many requests one pass over the session sends; as far as they are known.
    public var requestsPerRound: Int { sessions.count }

    /// How many of them are sent with cookies or tokens of the target's.
    public var correlatedRequests: Int { correlation.requests.count }

    /// The rules, counted from 1, that concern no request.
    public var idleRules: [Int] {
        correlation.uses.indices.filter { correlation.uses[$0] == 0 }.map { $0 + 1 }
    }

    /// How many sessions they make; as far as they are known.
    public var sessionsPerRound: Int { sessions.sessions.count }

    /// Exchanges of the session that cannot be sent; as far as they are known.
    public var skipped: [SkippedExchanges] { plan.skipped }

    /// What one pass over the session would send.
    ///
    /// - Parameter heads: How many of the first requests' heads it holds.
    /// - Returns: The outline.
    public func outline(heads: Int) -> ReplayOutline {
        let places = (0..<sessions.count).map { Int(sessions.steps[$0].request) }
        var outline = plan.outline(heads: heads, of: places.sorted())
        outline.sessions = sessionsPerRound
        return outline
    }

    /// How many requests there will be, those of the warm-up counted; nil where the time decides.
    public var plannedRequests: Int? { Schedule(sessions, settings, startNs: 0).planned }

    /// When the last request is due, or the last session where it waits for answers, nanoseconds from
    /// the start; nil where that depends on the answers, or the time decides.
    public var lastDueNs: Int64? {
        var schedule = Schedule(sessions, settings, startNs: 0)
        guard settings.shape.isOpen, schedule.planned != nil else { return nil }
        var last: Int64 = 0
        while let ticket = schedule.nextTicket() {
            guard let due = ticket.dueNs else { return nil }
            let offset =
                settings.shape.pace == .think || ticket.end == ticket.start
                ? 0 : sessions.steps[ticket.end - 1].offsetNs
            last = max(last, due.addingReportingOverflow(offset).partialValue)
        }
        return last
    }

    /// How many requests there are of each method that may change something at the target, the most
    /// frequent first.
    public var unsafeMethods: [(method: String, count: Int)] { plan.unsafeMethods }

    /// Sends the session and waits for the end.
    ///
    /// - Parameters:
    ///   - onResults: Is given each result exactly once, in chunks, on the calling thread. What it
    ///     throws ends the replay at once, and is thrown on. What a result carries of its answer is for
    ///     ``ReplaySettings/keeping`` to say; without results to keep it is never called.
    ///   - onProgress: Is told every 250 ms and at the end, on the calling thread.
    /// - Returns: What it all came to.
    /// - Throws: ``ReplayError`` where it could not start, what `onResults` threw, or what reading the
    ///   rest of the session threw; all that was read until then was sent.
    public func run(
        onResults: ([ReplayResult]) throws -> Void,
        onProgress: (ReplayProgress) -> Void
    ) throws -> ReplaySummary {
        guard !settings.addresses.isEmpty else {
            throw ReplayError.noAddress(target: settings.target.text)
        }
        try OpenFileLimit.raise(
            connections: settings.mostAtOnce,
            threads: settings.usedThreads
        )

        // The threads of an open loop run before its clock does.
        let earliestNs = clab_monotonic_ns() + (settings.shape.isOpen ? Self.runUpNs : 0)
        let startNs = max(earliestNs, settings.startAtNs ?? 0)
        let schedule = Schedule(sessions, settings, startNs: startNs)
        let queue = ResultQueue(workers: settings.usedThreads)
        let task = WorkerTask(
            loader: loader,
            correlation: correlation,
            settings: settings,
            schedule: schedule,
            control: control,
            queue: queue,
            startNs: startNs,
            deadlineNs: settings.deadline(from: startNs)
        )

        // Before those that wait for what it loads, who would wait for ever if it could not be started.
        var loading =
            try sessions.isWhole ? nil : PosixThread { [loader] in loader.loadWhileSending() }
        defer {
            loader.stop()
            loading?.join()
        }
        let threads = try task.start()
        defer { threads.forEach { $0.join() } }

        var summary = ReplaySummary()
        var nextProgress = clab_monotonic_ns() + Self.progressNs
        func tellProgress() {
            var progress = queue.progress
            let now = clab_monotonic_ns()
            progress.elapsedNs = now - startNs
            progress.planned = schedule.planned
            let endNs = min(task.deadlineNs, schedule.lastStartNs ?? .max)
            progress.leftNs = endNs == .max ? nil : max(0, endNs - now)
            onProgress(progress)
        }
        while true {
            switch queue.take(until: nextProgress) {
            case .results(let results):
                do {
                    try onResults(results)
                } catch {
                    abort()
                    queue.close()
                    throw error
                }
            case .time: break
            case .ended(let totals):
                loader.stop()
                loading?.join()
                loading = nil
                if let failure = loader.failure { throw failure }
                summary = ReplaySummary(totals, routes: plan.draft.routes.names)
                totals.forEach { $0.latencies.free() }
                summary.wasInterrupted = control.wish != .go
                summary.skipped = plan.skipped
                tellProgress()
                return summary
            }
            if clab_monotonic_ns() >= nextProgress {
                tellProgress()
                nextProgress = clab_monotonic_ns() + Self.progressNs
            }
        }
    }

    /// Starts nothing new; what is in flight has 5 s, or its timeout, to end.
    ///
    /// To be called from any thread.
    public func stop() { control.ask(.stop) }

    /// Gives up on all that is in flight, within 100 ms.
    ///
    /// To be called from any thread.
    public func abort() { control.ask(.abort) }
}
