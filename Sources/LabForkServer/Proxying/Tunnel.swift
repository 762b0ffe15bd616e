// Bytes both ways until both sides have ended: what follows a 2xx to CONNECT, or a 101.
//
//     client ──▶ flow ──▶ upstream      a side that has ended, and whose bytes are all sent on,
//     client ◀── flow ◀── upstream      has its end passed on; both ends passed on is the end
//
// What goes through is recorded as the content of the request and of the response.

import CLabLinux
import Glibc
import LabExchange
import LabWire

/// One direction of a tunnel: what came and was not sent on, and which of its ends are over.
struct TunnelFlow {
    private static let mostPending = 128 << 10

    private var pending: Pending
    /// Whether the side that sends has said that nothing more will come.
    private(set) var hasEnded = false
    /// Whether nothing goes this way any more: the end was passed on, or the other side takes nothing.
    private(set) var isOver = false

    init(_ pending: Pending = Pending()) { self.pending = pending }

    /// Whether more may come: only while little waits to be sent on.
    var takes: Bool { !hasEnded && !isOver && pending.count < Self.mostPending }
    /// Whether it waits for the other side to take what came.
    var waits: Bool { !isOver && !pending.isEmpty }

    /// Bytes came.
    mutating func came(_ bytes: ArraySlice<UInt8>) { pending.bytes.append(contentsOf: bytes) }

    /// The side that sends has ended.
    mutating func end() { hasEnded = true }

    /// The other side takes nothing any more; what waits for it is lost.
    mutating func cut() {
        pending = Pending()
        isOver = true
    }

    /// Sends on what waits, and after it the end.
    mutating func flush(_ descriptor: Int32) {
        guard !isOver else { return }
        guard pending.flush(descriptor) else { return cut() }
        guard hasEnded, pending.isEmpty else { return }
        shutdown(descriptor, Int32(SHUT_WR))
        isOver = true
    }
}

/// The two directions of a tunnel between a client and an upstream.
struct Tunnel {
    /// How long it may be silent once the recording ends.
    private static let drainNs: Int64 = 500_000_000

    private let client: ClientConnection
    private let timeoutNs: Int64
    private var toUpstream: TunnelFlow
    private var toClient: TunnelFlow
    private var drains = false
    private var error = ""

    /// Makes a tunnel.
    ///
    /// - Parameters:
    ///   - client: Who asked for it, and was told that it stands, or will be by `toClient`.
    ///   - toUpstream: What is still to be sent to the upstream.
    ///   - toClient: What is still to be sent to the client.
    ///   - timeoutNs: How long both sides may be silent; ns.
    init(
        client: ClientConnection,
        toUpstream: Pending = Pending(),
        toClient: Pending = Pending(),
        timeoutNs: Int64
    ) {
        self.client = client
        self.toUpstream = TunnelFlow(toUpstream)
        self.toClient = TunnelFlow(toClient)
        self.timeoutNs = timeoutNs
    }

    /// Carries bytes until the tunnel ends.
    mutating func run(
        _ upstream: inout UpstreamConnection,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding {
        // Like a connection between requests, a tunnel may stand for as long as both sides want.
        client.slot?.pointee.startedNs = 0
        record.requestGoesOn()
        // What each side sent before it can have known that the tunnel stands.
        fromClient(client.reader.takeUnread(), &record)
        fromUpstream(upstream.reader.takeUnread(), &record)
        while true {
            if toUpstream.hasEnded { record.requestEnd() }
            toUpstream.flush(upstream.descriptor)
            toClient.flush(client.descriptor)
            if toUpstream.isOver, toClient.isOver { break }
            record.flush()
            guard wait(&upstream, &record) else { break }
        }
        return ExchangeEnding(.tunnel, error: error, goesOn: false)
    }

    private mutating func fromClient(_ bytes: ArraySlice<UInt8>, _ record: inout ExchangeRecord) {
        record.requestContent(bytes)
        toUpstream.came(bytes)
    }

    private mutating func fromUpstream(_ bytes: ArraySlice<UInt8>, _ record: inout ExchangeRecord) {
        record.responseContent(bytes)
        toClient.came(bytes)
    }

    /// Waits for either side, and takes what came; false where both were silent for too long.
    private mutating func wait(
        _ upstream: inout UpstreamConnection,
        _ record: inout ExchangeRecord
    ) -> Bool {
        var polls = (
            poll(client.descriptor, reads: toUpstream.takes, writes: toClient.waits),
            poll(upstream.descriptor, reads: toClient.takes, writes: toUpstream.waits),
            clab_poll(fd: drains ? -1 : client.drain.watched, events: 0, revents: 0)
        )
        let limitNs = drains ? min(timeoutNs, Self.drainNs) : timeoutNs
        let ready = withUnsafeMutablePointer(to: &polls) { all in
            all.withMemoryRebound(to: clab_poll.self, capacity: 3) { clab_poll($0, 3, limitNs) }
        }
        if ready == 0 {
            error =
                drains
                ? "the recording ended while the tunnel was silent"
                : "the tunnel was silent for \(durationText(timeoutNs))"
            return false
        }
        if polls.2.revents != 0 { drains = true }
        let mayRead = Int16(CLAB_IN | CLAB_HUP | CLAB_ERR)
        if polls.0.revents & mayRead != 0, toUpstream.takes {
            switch client.receive(deadline: 0, endsAtDrain: false) {
            case .bytes: fromClient(client.reader.takeUnread(), &record)
            case .ended: toUpstream.end()
            case .reset:
                toUpstream.end()
                toClient.cut()
                error = "the client reset the tunnel"
            case .timedOut, .draining: break
            }
        }
        if polls.1.revents & mayRead != 0, toClient.takes {
            switch upstream.receive() {
            case .bytes: fromUpstream(upstream.reader.takeUnread(), &record)
            case .ended: toClient.end()
            case .reset:
                toClient.end()
                toUpstream.cut()
                error = "the upstream reset the tunnel"
            case .nothing: break
            }
        }
        return true
    }

    /// A side that is neither read nor written is not looked at: its hang-up would wake without end.
    private func poll(_ descriptor: Int32, reads: Bool, writes: Bool) -> clab_poll {
        let events = (reads ? Int32(CLAB_IN) : 0) | (writes ? Int32(CLAB_OUT) : 0)
        return clab_poll(fd: events == 0 ? -1 : descriptor, events: Int16(events), revents: 0)
    }
}
