// The child's end of the client's connection: bytes in, with deadlines; bytes out, to the last one.

import CLabLinux
import Glibc
import LabWire

/// One client's connection, as its child sees it.
///
/// All reading and writing of the socket is here: where TLS comes, it comes here.
final class ClientConnection {
    /// What came of waiting for the client.
    enum Arrival {
        case bytes, ended, reset, timedOut, draining
    }

    private(set) var descriptor: Int32
    /// Whether a send was given up because the client took nothing.
    private(set) var hasStalled = false
    /// Where the parent looks how long this request takes; nil where nothing is watched.
    var slot: UnsafeMutablePointer<RequestSlot>?
    var reader: RequestReader
    private let limits: HeadLimits
    private let room: UnsafeMutableRawBufferPointer
    let drain: DrainSignal
    /// Called before the child may sleep, so that what it knows is told first.
    private let beforeWaiting: () -> Void
    /// Called when it goes on.
    private let afterWaiting: () -> Void

    init(
        limits: HeadLimits,
        room: UnsafeMutableRawBufferPointer,
        drain: DrainSignal,
        beforeWaiting: @escaping () -> Void,
        afterWaiting: @escaping () -> Void
    ) {
        descriptor = -1
        self.limits = limits
        reader = RequestReader(limits: limits)
        self.room = room
        self.drain = drain
        self.beforeWaiting = beforeWaiting
        self.afterWaiting = afterWaiting
    }

    /// Takes up a connection that was just accepted.
    func open(_ descriptor: Int32) { self.descriptor = descriptor }

    /// Makes it ready for another connection, where one process serves all.
    func reopen() {
        reader = RequestReader(limits: limits)
        hasStalled = false
    }

    /// Waits until bytes came, the client ended its side, or the deadline passed.
    ///
    /// - Parameters:
    ///   - deadline: CLOCK_MONOTONIC, ns.
    ///   - endsAtDrain: Give up when the server drains: there is nothing under way.
    /// - Returns: What came first.
    func receive(deadline: Int64, endsAtDrain: Bool) -> Arrival {
        while true {
            let got = recv(descriptor, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
            if got > 0 {
                reader.receive(UnsafeRawBufferPointer(rebasing: room[..<got]))
                return .bytes
            }
            if got == 0 {
                reader.receiveEnd()
                return .ended
            }
            switch errno {
            case EINTR: continue
            case EAGAIN: break
            default:
                reader.receiveEnd()
                return .reset
            }
            let left = deadline - clab_monotonic_ns()
            guard left > 0 else { return .timedOut }
            beforeWaiting()
            var polls = (
                clab_poll(fd: descriptor, events: Int16(CLAB_IN), revents: 0),
                clab_poll(fd: endsAtDrain ? drain.watched : -1, events: 0, revents: 0)
            )
            // One may have come while an application had the thread.
            let hasStop = endsAtDrain && clab_signals_seen().stops > 0
            withUnsafeMutablePointer(to: &polls) { pair in
                pair.withMemoryRebound(to: clab_poll.self, capacity: 2) {
                    // Where the server itself serves, its signals come here.
                    _ = clab_ppoll($0, 2, hasStop ? 0 : left)
                }
            }
            afterWaiting()
            // A request that has arrived is served; the drain comes after it.
            let drains = polls.1.revents != 0 || endsAtDrain && clab_signals_seen().stops > 0
            if polls.0.revents == 0, drains { return .draining }
        }
    }

    /// Sends all of `bytes`, waiting for the client as long as it takes some within the deadline.
    ///
    /// - Returns: Whether all were taken by the kernel.
    func send(_ bytes: some Collection<UInt8>, stallNs: Int64) -> Bool {
        let done = bytes.withContiguousStorageIfAvailable { sendAll($0, stallNs) }
        return done ?? Array(bytes).withUnsafeBufferPointer { sendAll($0, stallNs) }
    }

    /// Sends `100 Continue`: an interim response, so that nothing was answered yet.
    func sendContinue(stallNs: Int64) {
        let hadAnswer = slot?.pointee.hasAnswer ?? 0
        _ = send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), stallNs: stallNs)
        slot?.pointee.hasAnswer = hadAnswer
    }

    private func sendAll(_ bytes: UnsafeBufferPointer<UInt8>, _ stallNs: Int64) -> Bool {
        slot?.pointee.hasAnswer = 1
        var sent = 0
        while sent < bytes.count {
            let count = Glibc.send(
                descriptor,
                bytes.baseAddress.map { $0 + sent },
                bytes.count - sent,
                Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
            )
            if count >= 0 {
                sent += count
                continue
            }
            if errno == EINTR { continue }
            guard errno == EAGAIN else { return false }
            beforeWaiting()
            var poll = clab_poll(fd: descriptor, events: Int16(CLAB_OUT), revents: 0)
            let ready = clab_poll(&poll, 1, stallNs)
            afterWaiting()
            if ready == 0 {
                hasStalled = true
                return false
            }
        }
        return true
    }

    /// Ends the connection.
    ///
    /// With unread bytes in the kernel a close would send RST and might take the answer with it
    /// (RFC 9112 9.6): then it lingers, sending nothing and reading to the end.
    func close(lingering: Bool) {
        guard descriptor >= 0 else { return }
        if lingering {
            shutdown(descriptor, Int32(SHUT_WR))
            let deadline = clab_monotonic_ns() + 1_000_000_000
            var budget = 1 << 20
            while budget > 0, case .some(let got) = drainSome(until: deadline), got > 0 {
                budget -= got
            }
        }
        Glibc.close(descriptor)
        descriptor = -1
    }

    private func drainSome(until deadline: Int64) -> Int? {
        var poll = clab_poll(fd: descriptor, events: Int16(CLAB_IN), revents: 0)
        let left = deadline - clab_monotonic_ns()
        guard left > 0, clab_poll(&poll, 1, left) > 0 else { return nil }
        return recv(descriptor, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
    }
}
