// What a child tells of the exchange that it serves, in the order in which it happens.

import CLabLinux
import Glibc
import LabExchange
import LabWire

/// Tells the recorder of one exchange, piece by piece.
struct ExchangeRecord {
    private let channel: FrameChannel
    private let connectionID: Int64
    private let sequence: Int32
    /// Rules that were bent or broken after the head.
    private var deviations: [Deviation] = []
    private var responseDeviations: [Deviation] = []
    /// Whether a response, of this server's or of an upstream's, has begun.
    private(set) var hasResponse = false
    private var hasRequestEnd = false

    init(channel: FrameChannel, connectionID: Int64, sequence: Int32) {
        self.channel = channel
        self.connectionID = connectionID
        self.sequence = sequence
    }

    func requestHead(
        _ head: RequestHead,
        _ environ: Environ,
        _ deviations: [Deviation],
        startedNs: Int64
    ) {
        channel.frames.requestHead(
            connectionID,
            sequence,
            startedNs: startedNs,
            headNs: clab_monotonic_ns(),
            method: head.method,
            target: head.target,
            minorVersion: Int8(head.minorVersion),
            head: head.bytes,
            environ: environ,
            deviations: head.deviations + deviations
        )
        channel.flushIfLarge()
    }

    /// A head that was refused: its bytes, and what looks like a method and a target in them.
    func refusedHead(_ bytes: ArraySlice<UInt8>, _ deviation: Deviation, startedNs: Int64) {
        let kept = bytes.prefix(64 << 10)
        let line = kept.drop { $0 == 0x0D || $0 == 0x0A }.prefix { $0 != 0x0D && $0 != 0x0A }
        let words = line.split(separator: 0x20, maxSplits: 2)
        channel.flushIfLarge()
        channel.frames.requestHead(
            connectionID,
            sequence,
            startedNs: startedNs,
            headNs: clab_monotonic_ns(),
            method: words.first.map { $0.prefix(32) } ?? [],
            target: words.count > 1 ? words[1].prefix(8192) : [],
            minorVersion: -1,
            head: kept,
            environ: Environ(),
            deviations: [deviation]
        )
    }

    func requestContent(_ content: ArraySlice<UInt8>) {
        channel.inPieces(content) { $0.requestContent(connectionID, sequence, $1) }
    }

    mutating func requestEnd() {
        guard !hasRequestEnd else { return }
        hasRequestEnd = true
        channel.frames.requestEnd(connectionID, sequence, endedNs: clab_monotonic_ns())
    }

    /// The request became a tunnel: what the client sends from here on is content too.
    mutating func requestGoesOn() { hasRequestEnd = false }

    /// The environ as the application saw it, where it is not the one that was told with the head.
    func environ(_ environ: Environ) {
        channel.flushIfLarge()
        channel.frames.environ(connectionID, sequence, environ)
        channel.flushIfLarge()
    }

    /// What an application wrote to its error stream.
    func applicationErrors(_ bytes: ArraySlice<UInt8>) {
        channel.inPieces(bytes) { $0.applicationErrors(connectionID, sequence, $1) }
    }

    func upstreamConnected() {
        channel.frames.upstreamConnected(connectionID, sequence, atNs: clab_monotonic_ns())
    }

    mutating func responseHead(
        status: Int,
        reason: some Collection<UInt8>,
        head: some Collection<UInt8>,
        startedNs: Int64
    ) {
        hasResponse = true
        channel.flushIfLarge()
        channel.frames.responseHead(
            connectionID,
            sequence,
            startedNs: startedNs,
            status: status,
            reason: reason,
            head: head
        )
        channel.flushIfLarge()
    }

    func responseContent(_ content: ArraySlice<UInt8>) {
        channel.inPieces(content) { $0.responseContent(connectionID, sequence, $1) }
    }

    /// Tells of a part that few exchanges have; of one that is empty there is nothing to tell.
    func part(_ part: ExchangePart, _ bytes: some Collection<UInt8>) {
        guard !bytes.isEmpty else { return }
        channel.flushIfLarge()
        channel.frames.exchangePart(connectionID, sequence, part, bytes)
        channel.flushIfLarge()
    }

    /// The request's trailer section: kept as it came, and what may not be a trailer noted.
    ///
    /// - Returns: The lines that may be sent on.
    @discardableResult
    mutating func requestTrailers(_ section: TrailerSection, of head: RequestHead) -> [UInt8] {
        part(.requestTrailers, section.bytes)
        let (lines, dropped) = section.forwarded(of: head)
        deviations += dropped
        return lines
    }

    mutating func note(_ deviation: Deviation) { deviations.append(deviation) }

    /// Rules that an upstream bent or broke.
    mutating func noteOfResponse(_ found: [Deviation]) { responseDeviations += found }

    func end(_ outcome: ExchangeOutcome, error: String, usage: (user: Int64, system: Int64)) {
        channel.frames.exchangeEnd(
            connectionID,
            sequence,
            endedNs: clab_monotonic_ns(),
            outcome: outcome,
            error: error,
            userCPUUs: usage.user,
            systemCPUUs: usage.system,
            deviations: deviations,
            responseDeviations: responseDeviations
        )
    }

    /// In a process that an application forked: the frames are its parent's to send.
    func letGo() { channel.descriptor = -1 }

    /// Sends what was told so far: before anything that may end this process or make it wait.
    func flush() { channel.flush() }
}
