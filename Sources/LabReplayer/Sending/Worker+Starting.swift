// From the schedule to a request that is due: sessions enter slots, and slots wait for their time.

import CLabLinux

extension Worker {
    /// How many sessions start before answers are read again: behind its schedule, a worker must
    /// not stop reading.
    private static let mostStarts = 64

    /// Starts the first sessions: the schedule's time has come.
    mutating func begin(_ now: Int64) {
        hasBegun = true
        guard !isOpen else { return takeUpcoming() }
        for slot in slots.indices { startNext(slot, max(task.startNs, now)) }
    }

    /// What is due when nothing may start any more does not come at all.
    mutating func takeUpcoming() {
        upcoming = schedule.nextTicket().flatMap { ($0.dueNs ?? 0) < task.deadlineNs ? $0 : nil }
        isAwaiting = schedule.isEarly
        if isAwaiting { feedNs = min(feedNs, clab_monotonic_ns() + Self.feedingNs) }
    }

    /// Starts the sessions that are due.
    ///
    /// One that finds no free slot is dropped and counted: to start it later would be another load,
    /// and its wait would show in nobody's figures.
    mutating func startSessions(_ now: Int64) {
        var left = Self.mostStarts
        while let ticket = upcoming, let dueNs = ticket.dueNs, dueNs <= now, left > 0 {
            takeUpcoming()
            left -= 1
            guard let slot = free.popLast() else {
                totals.sessionsDropped += 1
                totals.dropped += ticket.end - ticket.start
                totals.counts.dropped += ticket.end - ticket.start
                reach(ticket.chapter)
                loader?.leave(ticket.chapter)
                continue
            }
            active += 1
            used = max(used, slot + 1)
            enter(slot, ticket)
            startNext(slot, dueNs)
        }
    }

    /// Puts a session into a slot.
    private mutating func enter(_ slot: Int, _ ticket: Ticket) {
        slots[slot].round = ticket.round
        slots[slot].step = ticket.start
        slots[slot].end = ticket.end
        slots[slot].base = ticket.number - ticket.start
        slots[slot].sessionNs = ticket.dueNs ?? 0
        totals.sessionsStarted += 1
        if correlates { correlator.begin(slot: slot) }
        slots[slot].chapter = ticket.chapter
        reach(ticket.chapter)
    }

    /// Says that a chapter of the plan is in use.
    private mutating func reach(_ chapter: Int32) {
        guard let loader, chapter > self.chapter else { return }
        self.chapter = chapter
        loader.enter(chapter)
    }

    /// Begins the slot's next request, or lets it wait until that is due, or retires the slot where
    /// there is none.
    ///
    /// It became free at `freeNs`: when the answer before it was over, or the session started.
    mutating func startNext(_ slot: Int, _ freeNs: Int64) {
        guard freeNs < task.deadlineNs, task.control.wish == .go else { return retire(slot) }
        if slots[slot].step == slots[slot].end {
            leaveSession(slot)
            guard !isOpen, let ticket = schedule.nextTicket() else {
                return schedule.isEarly ? waitForSession(slot, freeNs) : retire(slot)
            }
            enter(slot, ticket)
            slots[slot].sessionNs = freeNs
        }
        guard isTimed else { return startStep(slot, freeNs, freeNs) }
        let offsetNs = SessionTable.offset(of: steps + slots[slot].step)
        guard offsetNs != Step.untimed else { return waitForTime(slot, freeNs) }
        let dueNs = isThinking ? freeNs + offsetNs : slots[slot].sessionNs + offsetNs
        guard dueNs < task.deadlineNs else { return retire(slot) }
        if dueNs > freeNs {
            slots[slot].phase = .paused
            slots[slot].intendedNs = dueNs
            due.add(slot, dueNs: dueNs)
        } else {
            startStep(slot, dueNs, freeNs)
        }
    }

    /// Lets a slot wait until the plan has a session for it.
    private mutating func waitForSession(_ slot: Int, _ now: Int64) {
        slots[slot].phase = .idle
        unfed.append(slot)
        feedNs = min(feedNs, now + Self.feedingNs)
    }

    /// Lets a slot wait until it is known when its request is due: that is not before the next one
    /// whose time becomes known.
    private mutating func waitForTime(_ slot: Int, _ freeNs: Int64) {
        let soonestNs = task.startNs + task.loader.sessions.nothingBeforeNs
        // It may have become known meanwhile.
        if SessionTable.offset(of: steps + slots[slot].step) != Step.untimed {
            return startNext(slot, freeNs)
        }
        let askNs = max(soonestNs, freeNs + Self.feedingNs)
        guard askNs < task.deadlineNs else { return retire(slot) }
        slots[slot].phase = .paused
        slots[slot].isUntimed = true
        slots[slot].intendedNs = askNs
        due.add(slot, dueNs: askNs)
    }

    /// Sends what is due.
    mutating func startDue(_ now: Int64) {
        while let slot = due.take(now) {
            guard task.control.wish == .go else {
                retire(slot)
                continue
            }
            guard !slots[slot].isUntimed else {
                slots[slot].isUntimed = false
                startNext(slot, slots[slot].intendedNs)
                continue
            }
            startStep(slot, slots[slot].intendedNs, slots[slot].intendedNs)
        }
    }

    private mutating func startStep(_ slot: Int, _ dueNs: Int64, _ freeNs: Int64) {
        let step = steps[slots[slot].step]
        slots[slot].request = Int(step.request)
        let request = requests + Int(step.request)
        slots[slot].bytes = arena + request.pointee.place
        slots[slot].length = Int(request.pointee.length)
        if correlates { correlate(slot, request) }
        slots[slot].intendedNs = dueNs
        slots[slot].waitedForAnswer = dueNs < freeNs
        if isCaptured, slots[slot].captured != step.connection {
            changeConnection(slot, to: step.connection)
        }
        totals.counts.sent += 1
        startRequest(slot)
    }

    /// Ends the session of a slot, all of whose requests are over.
    private mutating func leaveSession(_ slot: Int) {
        guard slots[slot].end > 0 else { return }
        totals.sessionsCompleted += 1
        loader?.leave(slots[slot].chapter)
        slots[slot].end = 0
        slots[slot].step = 0
        if task.settings.connections != .shared { disconnectAll(slot) }
    }

    /// Ends a slot: for good in a closed loop, until the next session in an open one.
    mutating func retire(_ slot: Int) {
        // What is left of its session will not be sent; a connection that outlives it is kept only
        // where the session was sent to its end.
        if !isOpen || slots[slot].end > 0 || task.settings.connections != .shared {
            disconnectAll(slot)
        }
        slots[slot].phase = .idle
        slots[slot].isUntimed = false
        slots[slot].step = 0
        slots[slot].end = 0
        active -= 1
        if isOpen { free.append(slot) }
    }

    /// Retires all slots that wait for their time.
    mutating func retirePaused() {
        due.removeAll()
        for slot in 0..<used where slots[slot].phase == .paused { retire(slot) }
    }
}
