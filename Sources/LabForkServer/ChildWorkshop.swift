// All that a child needs, made once in the parent: a child inherits it warm and allocates little.

import CLabLinux
import Glibc
import LabExchange
import LabWire

/// Makes the parent ready to be copied, and turns a copy into a child.
final class ChildWorkshop {
    private let settings: ForkServerSettings
    private let channel: FrameChannel
    private let drain: DrainSignal
    private let client: ClientConnection
    private let environs: EnvironBuilder

    init(settings: ForkServerSettings, channel: FrameChannel, drain: DrainSignal) {
        self.settings = settings
        self.channel = channel
        self.drain = drain
        environs = EnvironBuilder(serverName: settings.serverName)
        client = Self.client(settings, channel, drain)
    }

    private static func client(
        _ settings: ForkServerSettings,
        _ channel: FrameChannel,
        _ drain: DrainSignal
    ) -> ClientConnection {
        ClientConnection(
            limits: HeadLimits(
                headBytes: settings.maxHeaderBytes,
                targetBytes: min(16 << 10, settings.maxHeaderBytes)
            ),
            room: .allocate(byteCount: 64 << 10, alignment: 64),
            drain: drain,
            beforeWaiting: { channel.flush() }
        )
    }

    /// Runs the whole path of a request once, over a socket pair, telling nobody: lazy binding, type
    /// metadata and the allocator's arenas are then paid for here and not in every child.
    func warmUp() {
        var pair: (Int32, Int32) = (-1, -1)
        var sink: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &pair) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, $0)
            }
        }
        let hasSink = withUnsafeMutablePointer(to: &sink) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { clab_packet_pair($0) }
        }
        guard made == 0, hasSink == 0 else { return }
        var request: [UInt8] = []
        request.append(
            """
            GET /environ?warm=up HTTP/1.1\r\nHost: localhost\r\nUser-Agent: lab\r\nAccept: */*\r\n\
            Connection: close\r\n\r\n
            """
        )
        _ = request.withUnsafeBytes { send(pair.1, $0.baseAddress, $0.count, 0) }
        let quiet = FrameChannel(descriptor: sink.0)
        let connection = Self.client(settings, quiet, drain)
        connection.open(pair.0)
        var child = Child(
            settings: settings,
            channel: quiet,
            client: connection,
            environs: environs,
            origin: ConnectionOrigin(
                connectionID: 0,
                peerAddress: Array("127.0.0.1".utf8),
                peerPort: 1,
                acceptedNs: 0,
                forkStartedNs: 0
            ),
            mode: .builtIn
        )
        child.serve()
        quiet.flush()
        close(pair.1)
        close(sink.0)
        close(sink.1)
    }

    /// In the child, right after `fork`: serves the connection and leaves.
    func serve(
        _ descriptor: Int32,
        _ origin: ConnectionOrigin,
        parentPID: Int32,
        listener: Int32?,
        slot: UnsafeMutablePointer<RequestSlot>?
    ) -> Never {
        clab_signals_reset()
        let startedNs = clab_monotonic_ns()
        // Without its parent nobody would wait for this child or tell of its end.
        _ = clab_die_with_parent()
        // A group of its own, by which the parent knows what this child leaves behind.
        setpgid(0, 0)
        if let listener { close(listener) }
        drain.raise()
        // What the parent has gathered is the parent's to send.
        channel.frames.removeAll()
        channel.connectionID = origin.connectionID
        channel.frames.childStarted(
            origin,
            pid: getpid(),
            parentPID: parentPID,
            startedNs: startedNs,
            baselineRSSKiB: ResourceUsage.ofThisProcess().maxRSSKiB
        )
        client.open(descriptor)
        client.slot = slot
        var child = Child(
            settings: settings,
            channel: channel,
            client: client,
            environs: environs,
            origin: origin,
            mode: settings.mode
        )
        child.serve()
        channel.frames.childEnding(
            origin.connectionID,
            closedNs: child.closedNs,
            exitingNs: clab_monotonic_ns()
        )
        channel.flush()
        _exit(0)
    }
}
