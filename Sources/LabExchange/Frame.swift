// What the fork server and its children tell the recorder. One datagram holds one or more frames.
//
//     child   childStarted · requestHead requestContent* requestEnd · responseHead …
//             … responseContent* exchangePart* exchangeEnd · childEnding
//             of an application: environ, applicationErrors*, wherever they come
//     parent  childForked · childReaped · serverEvent
//     --serial, where there are no children
//             connectionOpened requestHead … exchangeEnd · connectionClosed
//
// A child's frames are in the queue before it is a zombie, and the parent sends childReaped after
// wait4 returned: who reads a reap has read all that the child ever said.

public import LabWire

/// Where a connection came from and how its child began; known to the parent and inherited by the child.
public struct ConnectionOrigin: Sendable, Equatable {
    /// The connection's number in the session, from 1.
    public var connectionID: Int64
    /// The client's address as text, IPv6 without brackets.
    public var peerAddress: [UInt8]
    /// The client's port.
    public var peerPort: UInt16
    /// When the connection had last been heard of before `accept` took it from the kernel's queue, to the
    /// kernel's tick (1 to 10 ms); 0 where the kernel does not say.
    public var arrivedNs: Int64
    /// When `accept` returned; nanoseconds of CLOCK_MONOTONIC, as are all `_ns` values.
    public var acceptedNs: Int64
    /// When `fork` was called.
    public var forkStartedNs: Int64

    /// Makes an origin.
    public init(
        connectionID: Int64,
        peerAddress: [UInt8],
        peerPort: UInt16,
        arrivedNs: Int64,
        acceptedNs: Int64,
        forkStartedNs: Int64
    ) {
        self.connectionID = connectionID
        self.peerAddress = peerAddress
        self.peerPort = peerPort
        self.arrivedNs = arrivedNs
        self.acceptedNs = acceptedNs
        self.forkStartedNs = forkStartedNs
    }
}

/// What `wait4` gave for one child.
public struct ResourceUsage: Sendable, Equatable {
    /// CPU time in user mode, microseconds.
    public var userCPUUs: Int64 = 0
    /// CPU time in the kernel, microseconds.
    public var systemCPUUs: Int64 = 0
    /// The largest resident size, KiB; inherited from the parent at fork.
    public var maxRSSKiB: Int64 = 0
    /// Page faults without I/O.
    public var minorFaults: Int64 = 0
    /// Page faults with I/O.
    public var majorFaults: Int64 = 0
    /// Context switches because it waited.
    public var voluntarySwitches: Int64 = 0
    /// Context switches because its time was up.
    public var involuntarySwitches: Int64 = 0

    /// Makes a usage of nothing.
    public init() {}
}

/// A part of an exchange that few have, and that is told once, whole.
public enum ExchangePart: Sendable, CaseIterable {
    /// The trailer section of the request, as it came.
    case requestTrailers
    /// The trailer section of the answer, as it came.
    case responseTrailers
    /// What an upstream sent as the head of its answer, and that is none.
    case refusedAnswer
}

/// One thing that happened in the fork server or a child.
public enum Frame: Sendable, Equatable {
    /// The parent: `fork` returned.
    case childForked(origin: ConnectionOrigin, pid: Int32, parentPID: Int32, forkedNs: Int64)
    /// The child: its first instruction.
    case childStarted(
        origin: ConnectionOrigin,
        pid: Int32,
        parentPID: Int32,
        startedNs: Int64,
        baselineRSSKiB: Int64
    )
    /// The child: a request was read and its environ built; the application has not run yet.
    case requestHead(
        connectionID: Int64,
        sequence: Int32,
        startedNs: Int64,
        headNs: Int64,
        method: [UInt8],
        target: [UInt8],
        minorVersion: Int8,
        head: [UInt8],
        environ: Environ,
        deviations: [Deviation]
    )
    /// The child: a run of the request's content.
    case requestContent(connectionID: Int64, sequence: Int32, bytes: [UInt8])
    /// The child: the request was read to its end.
    case requestEnd(connectionID: Int64, sequence: Int32, endedNs: Int64)
    /// The child: the environ as the application saw it, where it is not the one of the head.
    case environ(connectionID: Int64, sequence: Int32, environ: Environ)
    /// The child: a run of what the application wrote to its error stream.
    case applicationErrors(connectionID: Int64, sequence: Int32, bytes: [UInt8])
    /// The child: a connection to the upstream stands.
    case upstreamConnected(connectionID: Int64, sequence: Int32, atNs: Int64)
    /// The child: a response begins.
    case responseHead(
        connectionID: Int64,
        sequence: Int32,
        startedNs: Int64,
        status: Int16,
        reason: [UInt8],
        head: [UInt8]
    )
    /// The child: a run of the response's content.
    case responseContent(connectionID: Int64, sequence: Int32, bytes: [UInt8])
    /// The child: a part of the exchange that few have.
    case exchangePart(connectionID: Int64, sequence: Int32, part: ExchangePart, bytes: [UInt8])
    /// The child: the exchange is over. The CPU times are the child's own, for this exchange.
    case exchangeEnd(
        connectionID: Int64,
        sequence: Int32,
        endedNs: Int64,
        outcome: ExchangeOutcome,
        error: String,
        userCPUUs: Int64,
        systemCPUUs: Int64,
        deviations: [Deviation],
        responseDeviations: [Deviation]
    )
    /// The child: its last word before `_exit`.
    case childEnding(connectionID: Int64, closedNs: Int64, exitingNs: Int64)
    /// The parent: `wait4` returned. `sigchldNs` is the first SIGCHLD after the child's death.
    case childReaped(
        connectionID: Int64,
        pid: Int32,
        waitStatus: Int32,
        sigchldNs: Int64,
        reapedNs: Int64,
        usage: ResourceUsage,
        fate: ChildFate
    )
    /// The server itself: it serves this connection, for there are no children (`--serial`).
    case connectionOpened(origin: ConnectionOrigin, pid: Int32)
    /// The server itself: the connection is over.
    case connectionClosed(connectionID: Int64, closedNs: Int64)
    /// The parent: something that concerns the server. The detail is a JSON object.
    case serverEvent(kind: ServerEventKind, atNs: Int64, pid: Int32, detail: [UInt8])
}
