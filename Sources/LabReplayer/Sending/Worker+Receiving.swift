// From bytes that came to a result.

import CLabLinux
import Glibc
import LabExchange

extension Worker {
    /// How many results are handed over at once.
    static let mostResults = 8192
    /// How many bytes of differing content are gathered before they are handed over.
    private static let mostChunkCost = 4 << 20

    /// Reads once what has come for the slot's request.
    mutating func receiveAnswer(_ slot: Int) {
        let count = recv(slots[slot].fd, buffer, Self.bufferSize, 0)
        let now = clab_monotonic_ns()
        guard count > 0 else { return receiveEnd(slot, count == 0 ? 0 : errno, now) }
        if slots[slot].firstByteNs == 0 { slots[slot].firstByteNs = now }
        if slots[slot].isPartial {
            return receivePart(slot, UnsafeRawBufferPointer(start: buffer, count: count), now)
        }
        let request = requests + slots[slot].request
        guard request.pointee.isPlain, let head = ResponseScanner.scan(buffer, count) else {
            return beginPart(slot, nil, count, now)
        }
        let content = request.pointee.content
        guard !looksAtHeads, !slots[slot].isWatched, head.status == request.pointee.status,
            head.length + head.contentLength == count, head.contentLength == content.size,
            content.isWhole,
            memcmp(buffer + head.length, arena + content.place, content.size) == 0
        else { return beginPart(slot, head, count, now) }
        // The whole answer in one read, as it was captured: nothing is copied.
        end(slot, Answer(outcome: .ok, status: head.status, persists: !head.closes), now)
    }

    /// Begins an answer that needs more than one look.
    private mutating func beginPart(
        _ slot: Int,
        _ head: ScannedHead?,
        _ count: Int,
        _ now: Int64
    ) {
        let request = requests[slots[slot].request]
        let method = UnsafeBufferPointer(
            start: arena + request.place,
            count: Int(request.methodLength)
        )
        let kept = task.settings.mostBodyBytes
        let most = slots[slot].isWatched ? max(kept, Self.mostWatched) : kept
        let check = ContentCheck(request.content, arena, most: most)
        if let partial = partials[slot] {
            partial.begin(method: method, check: check)
        } else {
            partials[slot] = PartialAnswer(method: method, check: check)
        }
        slots[slot].isPartial = true
        var start = 0
        if let head {
            partials[slot]?.skipHead(head, buffer)
            start = head.length
        }
        receivePart(
            slot,
            UnsafeRawBufferPointer(start: buffer + start, count: count - start),
            now
        )
    }

    private mutating func receivePart(_ slot: Int, _ bytes: UnsafeRawBufferPointer, _ now: Int64) {
        if let answer = partials[slot]?.receive(bytes) { end(slot, answer, now) }
    }

    /// The server closed (`code` 0), or the connection broke.
    private mutating func receiveEnd(_ slot: Int, _ code: Int32, _ now: Int64) {
        if code == EAGAIN || code == EINTR { return }
        if slots[slot].firstByteNs == 0, slots[slot].isReused {
            // A server may close a kept connection at any time, and did so before it can have
            // answered this request: sent again, on a new one (RFC 9112 9.3.1). That it was acted on
            // all the same is possible, and no client can know. It happens once per request: a new
            // connection is not a reused one until it has carried an answer.
            disconnect(slot)
            return startRequest(slot)
        }
        if code == 0, slots[slot].isPartial, let partial = partials[slot] {
            return end(slot, partial.receiveEnd(), now)
        }
        fail(slot, code == ETIMEDOUT ? .timeout : .reset, now)
    }

    /// Ends the slot's request without a whole answer.
    mutating func fail(_ slot: Int, _ outcome: ReplayOutcome, _ now: Int64) {
        if slots[slot].isPartial, let partial = partials[slot] {
            end(slot, partial.cut(outcome), now)
        } else {
            end(slot, Answer(outcome: outcome, status: 0), now)
        }
    }

    /// Keeps the result of the slot's request, and goes on with the next one.
    private mutating func end(_ slot: Int, _ whole: Answer, _ now: Int64) {
        var answer = whole
        let request = requests + slots[slot].request
        if slots[slot].isWatched { takeValues(slot, request, &answer) }
        let step = steps[slots[slot].step]
        let mismatch = judge.mismatch(request, answer, wasSent: slots[slot].written > 0)
        keep(
            ReplayResult(
                exchangeID: request.pointee.exchangeID,
                round: slots[slot].round,
                connection: slots[slot].connection,
                intendedNs: slots[slot].intendedNs,
                sentNs: slots[slot].sentNs,
                firstByteNs: slots[slot].firstByteNs,
                doneNs: now,
                status: answer.status,
                outcome: answer.outcome,
                matches: mismatch == nil,
                differingBody: answer.differingBody,
                head: keeping == .all || mismatch != nil ? answer.head : nil,
                mismatch: mismatch,
                isWarmup: isWarmup(slot)
            ),
            slot,
            Int(step.route)
        )
        // An answer that came before the whole request was sent leaves the rest unsent.
        let isSent = slots[slot].written == slots[slot].length
        if answer.persists, isSent, !request.pointee.closes, step.keepsConnection {
            slots[slot].isReused = true
        } else {
            disconnect(slot)
        }
        slots[slot].step += 1
        if answer.outcome == .ok {
            startNext(slot, now)
        } else {
            slots[slot].phase = .idle
            slots[slot].intendedNs = now
            guard answer.outcome == .refused else { return pending.append(slot) }
            resting.append(slot)
            restUntilNs = min(restUntilNs, now + Self.restNs)
        }
    }

    /// Whether the slot's request stays out of the statistics.
    @inline(__always)
    private func isWarmup(_ slot: Int) -> Bool {
        slots[slot].intendedNs < task.measuredNs
            || slots[slot].base + slots[slot].step < task.settings.warmupRequests
    }

    @inline(__always)
    private mutating func keep(_ result: ReplayResult, _ slot: Int, _ route: Int) {
        totals.add(result, route: route, waitedForAnswer: slots[slot].waitedForAnswer)
        guard keeping != .nothing else { return }
        chunkCost += MemoryLayout<ReplayResult>.stride + (result.differingBody?.bytes.count ?? 0)
        chunkCost += result.head?.count ?? 0
        chunk.append(result)
        if chunk.count == Self.mostResults || chunkCost >= Self.mostChunkCost { handOver() }
    }

    /// Gives what was gathered to the calling thread.
    mutating func handOver() {
        guard !chunk.isEmpty else { return }
        let full = chunk
        let cost = chunkCost
        chunk = []
        chunk.reserveCapacity(Self.mostResults)
        chunkCost = 0
        task.queue.give(full, cost: cost)
    }
}
