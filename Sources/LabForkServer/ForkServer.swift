// The fork server: accept → fork → reap, one thread for ever.
//
//     ┌─▶ wait (ppoll, the only place where signals arrive)
//     │     ├── SIGCHLD  → reap: wait4 until nobody is left
//     │     ├── SIGTERM  → drain: no more accepting; idle children close
//     │     ├── listener → accept → fork ──▶ the child: serve, tell, _exit
//     │     └── frames hung up (the recorder is gone) → end the children, leave
//     └── tell the recorder what happened, in one datagram

import CLabLinux
import Glibc
import LabExchange

/// Accepts connections, forks a child for each, and reaps every one of them.
public struct ForkServer {
    let settings: ForkServerSettings
    private(set) var firstConnectionID: Int64 = 1
    /// The application, where it lives in this process.
    let host: (any HostedApplication)?
    let channel = FrameChannel(descriptor: ForkServerSettings.frames)
    let workshop: ChildWorkshop
    private let drain: DrainSignal
    var ledger = ChildLedger()
    var queue: ConnectionQueue
    var nextConnectionID: Int64
    var acceptedCount = 0
    var forkFailureCount = 0
    private let ownPID = getpid()
    var signalsHandled: UInt64 = 0
    var interruptions = 0
    var faults: FaultPlan
    private var hasKilled = false
    var census = ZombieCensus()
    var deadlines: DeadlineWatch?

    /// Makes a fork server on the inherited descriptors; all but its own are closed.
    ///
    /// - Returns: nil where the system refuses what it needs; a sentence is on standard error.
    public init?(settings: ForkServerSettings) {
        self.init(settings: settings, application: CGIApplication(settings))
    }

    /// Makes a fork server whose children have an application answer.
    package init?(settings: ForkServerSettings, application: (any Application)?) {
        // Before the first is made. Where it can't be had, children inherit what this process did.
        _ = clab_close_from(ForkServerSettings.frames + 1)
        // What an application runs gets neither.
        for descriptor in [ForkServerSettings.listener, ForkServerSettings.frames] {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        host = application as? any HostedApplication
        // Before signals are blocked and handled, so that it sees their defaults.
        if let host, !host.load(again: settings.succession != nil) {
            if settings.succession == nil { Self.refuse() }
            return nil
        }
        guard let drain = DrainSignal(), clab_signals_install() == 0,
            clab_set_blocking(ForkServerSettings.listener, 0) == 0
        else {
            complainAsForkServer("Cannot start: \(String(cString: strerror(errno))).")
            if settings.succession == nil { Self.refuse() }
            return nil
        }
        self.settings = settings
        self.drain = drain
        faults = settings.faults
        queue = ConnectionQueue(listener: ForkServerSettings.listener, faults: settings.faults)
        nextConnectionID = firstConnectionID
        deadlines = DeadlineWatch(timeoutNs: settings.childTimeoutNs)
        workshop = ChildWorkshop(
            settings: settings,
            application: application,
            channel: channel,
            drain: drain
        )
        // Without it orphans go to init, and nobody records them; all else works.
        _ = clab_become_subreaper()
    }

    /// Serves until it is told to drain and every child is reaped.
    ///
    /// - Returns: The exit status: 0, or 2 where the recorder was lost.
    public mutating func run() -> Int32 {
        // Only speed is lost where it can't be had.
        _ = clab_text_on_huge_pages(clab_own_text())
        if host != nil, !settings.isSerial { clab_on_huge_pages() }
        if let before = settings.succession {
            workshop.warmUp()
            succeed(before)
        } else {
            guard awaitStart() else { return 2 }
            rehearse()
        }
        while queue.listener != nil || !ledger.living.isEmpty {
            let listenerIsReady = wait()
            reap()
            countZombies()
            endTheLate()
            if clab_signals_seen().stops > 0 { beginDrain() }
            if clab_signals_seen().stops > 1 { killAll("told to end at once") }
            if listenerIsReady { succeedIfChanged() }
            if listenerIsReady { acceptAll(atMost: settings.isSerial ? 1 : 4) }
            // Where this process served, one may have come then, and no wait ends for it any more.
            if settings.isSerial, clab_signals_seen().stops > 0 { beginDrain() }
            lookForOverflow(now: clab_monotonic_ns())
            channel.flush()
            if channel.isBroken {
                killAll("the recorder is gone")
                return 2
            }
        }
        tellTotals()
        channel.flush()
        return 0
    }

    /// Waits for a connection, a signal, or the recorder's end; says whether the listener is ready.
    mutating func wait() -> Bool {
        let now = clab_monotonic_ns()
        let heldUntil = queue.heldUntil(now: now)
        let isFull = settings.mostChildren > 0 && ledger.living.count >= settings.mostChildren
        var until: Int64 = heldUntil ?? .max
        // While nobody is accepted the queue may overflow.
        if isFull || heldUntil != nil { until = min(until, now + ConnectionQueue.lookEveryNs) }
        if settings.reaping != .drain, !ledger.living.isEmpty {
            until = min(until, now + ZombieCensus.everyNs)
        }
        if let deadlines, !ledger.living.isEmpty { until = min(until, now + deadlines.everyNs) }
        var polls = (
            clab_poll(fd: ForkServerSettings.frames, events: 0, revents: 0),
            clab_poll(
                fd: heldUntil != nil || isFull ? -1 : queue.listener ?? -1,
                events: Int16(CLAB_IN),
                revents: 0
            )
        )
        let ready = withUnsafeMutablePointer(to: &polls) { pair in
            pair.withMemoryRebound(to: clab_poll.self, capacity: 2) {
                clab_ppoll($0, 2, until == .max ? -1 : until - now)
            }
        }
        if ready < 0 {
            if errno == EINTR { interruptions += 1 }
            return false
        }
        // ppoll delivers no signal where a descriptor is ready at once: under load, none for seconds.
        if ready > 0, clab_child_signal_pending() != 0, clab_ppoll(nil, 0, 0) < 0 {
            interruptions += 1
        }
        if polls.0.revents != 0 {
            killAll("the recorder is gone")
            exit(2)
        }
        return polls.1.revents != 0
    }

    // MARK: Accepting and forking

    /// A few connections at a time, so that under load the dead do not wait long for their reaping.
    private mutating func acceptAll(atMost most: Int) {
        for _ in 0..<most {
            if settings.mostChildren > 0, ledger.living.count >= settings.mostChildren { return }
            // Between two connections, for while one is served here no signal is looked at.
            if settings.isSerial, clab_ppoll(nil, 0, 0) < 0 { interruptions += 1 }
            if clab_signals_seen().stops > 1 { return }
            var peer = sockaddr_storage()
            switch queue.accept(&peer) {
            case .nobody: return
            case .connection(let client, let peer):
                serve(client, peer, acceptedNs: clab_monotonic_ns())
            case .failed(let error):
                tell(
                    .acceptFailed,
                    "{\"errno\":\(error),\"error\":\"\(String(cString: strerror(error)))\"}"
                )
                return
            }
        }
    }

    private mutating func lookForOverflow(now: Int64?) {
        guard let overflow = queue.overflow(now: now) else { return }
        tell(.listenOverflow, "{\"dropped\":\(overflow.dropped),\"backlog\":\(overflow.room)}")
    }

    mutating func serve(
        _ client: Int32,
        _ peer: sockaddr_storage,
        acceptedNs: Int64,
        cue: Int32? = nil
    ) {
        acceptedCount += 1
        let (address, port) = peerText(peer)
        let quietNs = clab_quiet_ns(client)
        var origin = ConnectionOrigin(
            connectionID: nextConnectionID,
            peerAddress: address,
            peerPort: port,
            arrivedNs: quietNs < 0 ? 0 : acceptedNs - quietNs,
            acceptedNs: acceptedNs,
            forkStartedNs: 0
        )
        nextConnectionID += 1
        guard !settings.isSerial else { return workshop.serveHere(client, origin) }
        let slot = deadlines?.takeSlot()
        origin.forkStartedNs = clab_monotonic_ns()
        let pid = fork()
        if pid == 0 {
            // Nothing here may use a type for the first time: a child would pay for its metadata.
            deadlines?.closeHeldClients()
            workshop.serve(
                client,
                origin,
                parentPID: ownPID,
                listener: queue.listener,
                slot: slot.flatMap { deadlines?.place($0) },
                cue: cue
            )
        }
        let forkedNs = clab_monotonic_ns()
        if pid > 0 {
            queue.forked()
            ledger.forked(pid: pid, connectionID: origin.connectionID)
            if let slot {
                deadlines?.forked(
                    pid: pid,
                    connectionID: origin.connectionID,
                    slot: slot,
                    clientNumber: client
                )
            }
            channel.frames.childForked(origin, pid: pid, parentPID: ownPID, forkedNs: forkedNs)
            channel.flushIfLarge()
            close(client)
        } else {
            forkFailed(client, errno, origin)
            if let slot { deadlines?.giveBack(slot) }
        }
    }

    /// As fork(2); fails where a test asks for it.
    private mutating func fork() -> Int32 {
        guard clab_has_one_thread() != 0 else {
            complainAsForkServer(
                "Will not fork: this process has more than one thread."
                    + (host == nil ? "" : " Import the application after the fork: --lazy.")
            )
            killAll("the fork server has more than one thread")
            exit(2)
        }
        guard !faults.fork.strikes() else {
            errno = EAGAIN
            return -1
        }
        // The signals that are handled are blocked here, as everywhere but in clab_ppoll: no handler of
        // this process can run in the child before it has put them back (PHP's bug 76601).
        host?.willFork()
        let pid = Glibc.fork()
        if pid != 0 {
            let error = errno
            host?.didForkInParent()
            errno = error
        }
        return pid
    }

    /// Has the recorder know that there will be no server, and that why was said.
    private static func refuse() {
        var nothing: UInt8 = 0
        _ = send(ForkServerSettings.frames, &nothing, StartOrder.refusalSize, Int32(MSG_NOSIGNAL))
    }

    /// Says that all is there, and waits to be told to begin.
    private mutating func awaitStart() -> Bool {
        var start = StartOrder(firstConnectionID: 0, queueBytes: 0)
        let size = MemoryLayout<StartOrder>.size
        guard send(ForkServerSettings.frames, &start, size, Int32(MSG_NOSIGNAL)) == size else {
            return false
        }
        while recv(ForkServerSettings.frames, &start, size, 0) != size {
            guard errno == EINTR else { return false }
        }
        // The queue is in the senders' buffer; a full one makes them wait, and their clients.
        clab_widen(ForkServerSettings.frames, start.queueBytes)
        firstConnectionID = start.firstConnectionID
        return true
    }

    /// No child can be had: the parent says so itself, in one send that never waits.
    private mutating func forkFailed(_ client: Int32, _ error: Int32, _ origin: ConnectionOrigin) {
        forkFailureCount += 1
        let answer: StaticString = """
            HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n\
            Connection: close\r\n\r\n
            """
        _ = send(
            client,
            answer.utf8Start,
            answer.utf8CodeUnitCount,
            Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        )
        // A close with the request unread would reset the connection, and might take the answer with it.
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room in
            _ = recv(client, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
        }
        close(client)
        tell(
            .forkFailed,
            "{\"errno\":\(error),\"error\":\"\(String(cString: strerror(error)))\",\"connection_id\":\(origin.connectionID)}"
        )
        queue.hold()
    }

    // MARK: Ending

    private mutating func beginDrain() {
        guard queue.listener != nil else { return }
        // Who is in the queue has a connection and awaits an answer: closing would reset it.
        acceptAll(atMost: 4096)
        lookForOverflow(now: nil)
        queue.close()
        drain.raise()
    }

    private mutating func killAll(_ why: String) {
        guard !hasKilled else { return }
        hasKilled = true
        for (pid, connectionID) in ledger.living {
            _ = clab_signal_child_group(pid, SIGKILL)
            tell(.killed, "{\"why\":\"\(why)\",\"connection_id\":\(connectionID)}", pid: pid)
        }
        queue.close()
    }

    private mutating func tellTotals() {
        if interruptions > 0 { tell(.eintr, "{\"call\":\"ppoll\",\"count\":\(interruptions)}") }
        tell(
            .drain,
            """
            {"accepted":\(acceptedCount),"forks":\(ledger.forkCount),\
            "fork_failed":\(forkFailureCount),"reaped":\(ledger.reapCount)}
            """
        )
    }

    mutating func tell(
        _ kind: ServerEventKind,
        _ detail: String,
        pid: Int32 = 0,
        at: Int64? = nil
    ) {
        channel.frames.serverEvent(
            kind,
            atNs: at ?? clab_monotonic_ns(),
            pid: pid,
            detail: Array(detail.utf8)
        )
        channel.flushIfLarge()
    }
}
