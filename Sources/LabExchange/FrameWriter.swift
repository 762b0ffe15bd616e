// frames -> the bytes of a datagram.

public import LabWire

/// Appends frames to the bytes of a datagram.
///
/// Each method writes one case of ``Frame``; the values are written straight from where they lie,
/// because the writer is a freshly forked child to which every touched page costs a fault.
public struct FrameWriter: Sendable {
    /// The most bytes that one datagram may hold; a larger run of content is sent in pieces.
    public static let mostBytes = 60 << 10

    /// The datagram so far.
    public private(set) var bytes: [UInt8] = []

    /// Makes a writer with room for one whole datagram.
    public init() { bytes.reserveCapacity(Self.mostBytes) }

    /// Forgets what was written, keeping the room.
    public mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    /// The bytes so far, in datagrams that a recorder can receive: one, or fragments of it.
    ///
    /// A head may be larger than a datagram, and its frame holds it and its environ.
    ///
    /// - Parameters:
    ///   - connectionID: Whose they are; fragments of several senders mix in the queue.
    ///   - body: Is given the bytes of each datagram, in order.
    public func forEachDatagram(
        of connectionID: Int64,
        _ body: (UnsafeRawBufferPointer) -> Void
    ) {
        bytes.withUnsafeBytes { all in
            guard all.count > Self.mostBytes else { return body(all) }
            var rest = all[...]
            while !rest.isEmpty {
                let piece = rest.prefix(Self.mostBytes - 64)
                rest = rest.dropFirst(piece.count)
                var fragment = ByteWriter(bytes: [])
                fragment.put(FrameKind.fragment.rawValue)
                fragment.put(connectionID)
                fragment.put(UInt8(rest.isEmpty ? 1 : 0))
                fragment.put(run: UnsafeRawBufferPointer(rebasing: piece))
                fragment.bytes.withUnsafeBytes(body)
            }
        }
    }

    private mutating func write(_ kind: FrameKind, _ body: (inout ByteWriter) -> Void) {
        var writer = ByteWriter(bytes: [])
        swap(&writer.bytes, &bytes)
        writer.put(kind.rawValue)
        body(&writer)
        swap(&writer.bytes, &bytes)
    }

    /// Writes ``Frame/childForked(origin:pid:parentPID:forkedNs:)``.
    public mutating func childForked(
        _ origin: ConnectionOrigin,
        pid: Int32,
        parentPID: Int32,
        forkedNs: Int64
    ) {
        write(.childForked) { out in
            out.put(origin)
            out.put(pid)
            out.put(parentPID)
            out.put(forkedNs)
        }
    }

    /// Writes ``Frame/connectionOpened(origin:pid:)``.
    public mutating func connectionOpened(_ origin: ConnectionOrigin, pid: Int32) {
        write(.connectionOpened) { out in
            out.put(origin)
            out.put(pid)
        }
    }

    /// Writes ``Frame/connectionClosed(connectionID:closedNs:)``.
    public mutating func connectionClosed(_ connectionID: Int64, closedNs: Int64) {
        write(.connectionClosed) { out in
            out.put(connectionID)
            out.put(closedNs)
        }
    }

    /// Writes ``Frame/childStarted(origin:pid:parentPID:startedNs:baselineRSSKiB:)``.
    public mutating func childStarted(
        _ origin: ConnectionOrigin,
        pid: Int32,
        parentPID: Int32,
        startedNs: Int64,
        baselineRSSKiB: Int64
    ) {
        write(.childStarted) { out in
            out.put(origin)
            out.put(pid)
            out.put(parentPID)
            out.put(startedNs)
            out.put(baselineRSSKiB)
        }
    }

    /// Writes ``Frame/requestHead(connectionID:sequence:startedNs:headNs:method:target:minorVersion:head:environ:deviations:)``.
    public mutating func requestHead(
        _ connectionID: Int64,
        _ sequence: Int32,
        startedNs: Int64,
        headNs: Int64,
        method: some Collection<UInt8>,
        target: some Collection<UInt8>,
        minorVersion: Int8,
        head: some Collection<UInt8>,
        environ: Environ,
        deviations: [Deviation]
    ) {
        write(.requestHead) { out in
            out.put(connectionID)
            out.put(sequence)
            out.put(startedNs)
            out.put(headNs)
            out.put(run: method)
            out.put(run: target)
            out.put(minorVersion)
            out.put(run: head)
            out.put(environ)
            out.put(deviations)
        }
    }

    /// Writes ``Frame/requestContent(connectionID:sequence:bytes:)``.
    public mutating func requestContent(
        _ connectionID: Int64,
        _ sequence: Int32,
        _ content: some Collection<UInt8>
    ) {
        write(.requestContent) { out in
            out.put(connectionID)
            out.put(sequence)
            out.put(run: content)
        }
    }

    /// Writes ``Frame/requestEnd(connectionID:sequence:endedNs:)``.
    public mutating func requestEnd(_ connectionID: Int64, _ sequence: Int32, endedNs: Int64) {
        write(.requestEnd) { out in
            out.put(connectionID)
            out.put(sequence)
            out.put(endedNs)
        }
    }

    /// Writes ``Frame/environ(connectionID:sequence:environ:)``.
    public mutating func environ(_ connectionID: Int64, _ sequence: Int32, _ environ: Environ) {
        write(.environ) { out in
            out.put(connectionID)
            out.put(sequence)
            out.put(environ)
        }
    }

    /// Writes ``Frame/applicationErrors(connectionID:sequence:bytes:)``.
    public mutating func applicationErrors(
        _ connectionID: Int64,
        _ sequence: Int32,
        _ bytes: some Collection<UInt8>
    ) {
        write(.applicationErrors) { out in
            out.put(connectionID)
            out.put(sequence)
            out.put(run: bytes)
        }
    }

    /// Writes ``Frame/upstreamConnected(connectionID:sequence:atNs:)``.
    public mutating func upstreamConnected(_ connectionID: Int64, _ sequence: Int32, atNs: Int64) {
        write(.upstreamConnected) { out in
            out.put(connectionID)
            out.put(sequence)
            out.put(atNs)
        }
    }

    /// Writes ``Frame/responseHead(connectionID:sequence:startedNs:status:reason:head:)``.
    public mutating func responseHead(
        _ connectionID: Int64,
        _ sequence: Int32,
        startedNs: Int64,
        status: Int,
        reason: some Collection<UInt8>,
        head: some Collection<UInt8>
    ) {
        write(.responseHead) { out in
            out.put(connectionID)
            out.put(sequence)
            out.put(startedNs)
            out.put(Int16(status))
            out.put(run: reason)
            out.put(run: head)
        }
    }

    /// Writes ``Frame/responseContent(connectionID:sequence:bytes:)``.
    public mutating func responseContent(
        _ connectionID: Int64,
        _ sequence: Int32,
        _ content: some Collection<UInt8>
    ) {
        write(.responseContent) { out in
            out.put(connectionID)
            out.put(sequence)
            out.put(run: content)
        }
    }

    /// Writes ``Frame/exchangePart(connectionID:sequence:part:bytes:)``.
    public mutating func exchangePart(
        _ connectionID: Int64,
        _ sequence: Int32,
        _ part: ExchangePart,
        _ content: some Collection<UInt8>
    ) {
        write(.exchangePart) { out in
            out.put(connectionID)
            out.put(sequence)
            out.put(part.code)
            out.put(run: content)
        }
    }

    /// Writes ``Frame/exchangeEnd(connectionID:sequence:endedNs:outcome:error:userCPUUs:systemCPUUs:deviations:responseDeviations:)``.
    public mutating func exchangeEnd(
        _ connectionID: Int64,
        _ sequence: Int32,
        endedNs: Int64,
        outcome: ExchangeOutcome,
        error: String,
        userCPUUs: Int64,
        systemCPUUs: Int64,
        deviations: [Deviation],
        responseDeviations: [Deviation] = []
    ) {
        write(.exchangeEnd) { out in
            out.put(connectionID)
            out.put(sequence)
            out.put(endedNs)
            out.put(outcome.code)
            out.put(text: error)
            out.put(userCPUUs)
            out.put(systemCPUUs)
            out.put(deviations)
            out.put(responseDeviations)
        }
    }

    /// Writes ``Frame/childEnding(connectionID:closedNs:exitingNs:)``.
    public mutating func childEnding(_ connectionID: Int64, closedNs: Int64, exitingNs: Int64) {
        write(.childEnding) { out in
            out.put(connectionID)
            out.put(closedNs)
            out.put(exitingNs)
        }
    }

    /// Writes ``Frame/childReaped(connectionID:pid:waitStatus:sigchldNs:reapedNs:usage:fate:)``.
    public mutating func childReaped(
        _ connectionID: Int64,
        pid: Int32,
        waitStatus: Int32,
        sigchldNs: Int64,
        reapedNs: Int64,
        usage: ResourceUsage,
        fate: ChildFate
    ) {
        write(.childReaped) { out in
            out.put(connectionID)
            out.put(pid)
            out.put(waitStatus)
            out.put(sigchldNs)
            out.put(reapedNs)
            out.put(usage.userCPUUs)
            out.put(usage.systemCPUUs)
            out.put(usage.maxRSSKiB)
            out.put(usage.minorFaults)
            out.put(usage.majorFaults)
            out.put(usage.voluntarySwitches)
            out.put(usage.involuntarySwitches)
            out.put(fate.code)
        }
    }

    /// Writes ``Frame/serverEvent(kind:atNs:pid:detail:)``.
    public mutating func serverEvent(
        _ kind: ServerEventKind,
        atNs: Int64,
        pid: Int32,
        detail: [UInt8]
    ) {
        write(.serverEvent) { out in
            out.put(kind.code)
            out.put(atNs)
            out.put(pid)
            out.put(run: detail)
        }
    }
}

extension ByteWriter {
    fileprivate mutating func put(_ origin: ConnectionOrigin) {
        put(origin.connectionID)
        put(run: origin.peerAddress)
        put(origin.peerPort)
        put(origin.arrivedNs)
        put(origin.acceptedNs)
        put(origin.forkStartedNs)
    }

    fileprivate mutating func put(_ deviations: [Deviation]) {
        let told = deviations.prefix(Int(UInt16.max))
        put(UInt16(told.count))
        for deviation in told {
            put(deviation.rule.code)
            put(UInt64(deviation.offset))
        }
    }

    fileprivate mutating func put(_ environ: Environ) {
        put(UInt32(environ.count))
        environ.forEach { name, value, type in
            put(type.rawValue)
            put(run: name)
            put(run: value)
        }
    }
}
