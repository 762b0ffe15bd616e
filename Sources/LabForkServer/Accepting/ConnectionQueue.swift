// The listening socket and its queue: who waits in it, when it is looked at, what befalls it.

import CLabLinux
import Glibc

/// The listening socket, and the queue that the kernel keeps before it.
///
/// While `accept` or `fork` fails the queue is left alone for a time: a connection that can't be taken
/// stays queued, and a poll for it would return at once, for ever.
struct ConnectionQueue {
    /// What came of looking into the queue.
    enum Arrival {
        case connection(Int32, sockaddr_storage)
        /// Nobody waits.
        case nobody
        /// `accept` failed; the number is `errno`'s.
        case failed(Int32)
    }

    /// Connections that the kernel dropped.
    struct Overflow {
        /// Since it was last asked.
        let dropped: Int
        /// How many the queue holds.
        let room: Int
    }

    private static let shortestHoldNs: Int64 = 10_000_000
    private static let longestHoldNs: Int64 = 1_000_000_000
    /// How often the queue is asked what was dropped, while the server is awake.
    static let lookEveryNs: Int64 = 200_000_000

    /// The listening socket; nil once nobody is accepted any more.
    private(set) var listener: Int32?
    private var faults: FaultPlan
    private var holdNs = Self.shortestHoldNs
    private var heldUntilNs: Int64 = 0
    private var lastLookNs: Int64 = 0
    private var droppedBefore: UInt32 = 0

    init(listener: Int32, faults: FaultPlan) {
        self.listener = listener
        self.faults = faults
    }

    /// Until when it is left alone, where that is after `now`.
    func heldUntil(now: Int64) -> Int64? { heldUntilNs > now ? heldUntilNs : nil }

    /// Takes the first connection of the queue, without waiting.
    mutating func accept(_ peer: inout sockaddr_storage) -> Arrival {
        guard let listener else { return .nobody }
        if faults.accept.strikes() { return failed(EMFILE) }
        let client = clab_accept(listener, &peer)
        guard client >= 0 else { return failed(errno) }
        if faults.abort.strikes() {
            Glibc.close(client)
            return failed(ECONNABORTED)
        }
        return .connection(client, peer)
    }

    private mutating func failed(_ error: Int32) -> Arrival {
        switch error {
        case EAGAIN, EINTR: return .nobody
        // The client left before it was accepted, or the network told of an older fault (accept(2)).
        case ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH,
            EOPNOTSUPP, ENETUNREACH:
            break
        // EMFILE, ENFILE, ENOMEM: whoever holds the descriptors will take a while.
        default: heldUntilNs = clab_monotonic_ns() + 100_000_000
        }
        return .failed(error)
    }

    /// A child could not be forked: the queue is left alone, each time for longer.
    mutating func hold() {
        heldUntilNs = clab_monotonic_ns() + holdNs
        holdNs = min(holdNs * 2, Self.longestHoldNs)
    }

    /// A child was forked.
    mutating func forked() { holdNs = Self.shortestHoldNs }

    /// Asks the kernel what it dropped, where it is time to, or where `now` is nil.
    mutating func overflow(now: Int64?) -> Overflow? {
        guard let listener, (now ?? .max) - lastLookNs >= Self.lookEveryNs else { return nil }
        lastLookNs = now ?? lastLookNs
        var queue = clab_listen_queue()
        guard clab_listen_queue(listener, &queue) == 0, queue.dropped != droppedBefore else {
            return nil
        }
        defer { droppedBefore = queue.dropped }
        return Overflow(dropped: Int(queue.dropped &- droppedBefore), room: Int(queue.room))
    }

    /// Accepts nobody any more.
    mutating func close() {
        if let listener { Glibc.close(listener) }
        listener = nil
    }
}
