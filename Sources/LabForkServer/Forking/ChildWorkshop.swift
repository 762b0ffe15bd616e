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
    private let application: (any Application)?
    /// The same, where it lives in this process.
    private let host: (any HostedApplication)?
    /// What the application's children tell; nil where none is hosted.
    let lessons: FirstLessons?
    /// What answers in the rehearsal.
    var rehearsedMode = ForkServerSettings.Mode.builtIn

    init(
        settings: ForkServerSettings,
        application: (any Application)?,
        channel: FrameChannel,
        drain: DrainSignal
    ) {
        self.application = application
        host = application as? any HostedApplication
        lessons = host.flatMap { FirstLessons(of: $0) }
        self.settings = settings
        self.channel = channel
        self.drain = drain
        environs = EnvironBuilder(
            serverName: settings.serverName,
            isSerial: settings.isSerial
        )
        client = Self.client(settings, channel, drain, host)
    }

    private static func client(
        _ settings: ForkServerSettings,
        _ channel: FrameChannel,
        _ drain: DrainSignal,
        _ host: (any HostedApplication)?
    ) -> ClientConnection {
        ClientConnection(
            limits: HeadLimits(
                headBytes: settings.maxHeaderBytes,
                targetBytes: min(16 << 10, settings.maxHeaderBytes)
            ),
            room: .allocate(byteCount: 64 << 10, alignment: 64),
            drain: drain,
            beforeWaiting: {
                channel.flush()
                host?.willWait()
            },
            afterWaiting: { host?.didWait() }
        )
    }

    /// Runs the whole path of a request once, telling nobody: lazy binding, type metadata and the
    /// allocator's arenas are then paid for here and not in every child.
    func warmUp() {
        let target = host?.rehearsedTarget ?? Rehearsal.usualTarget
        guard let sink = FrameSink(), let rehearsal = Rehearsal(target) else { return }
        let quiet = FrameChannel(descriptor: sink.entry)
        let connection = Self.client(settings, quiet, drain, host)
        connection.open(rehearsal.server)
        var child = Child(
            settings: settings,
            channel: quiet,
            client: connection,
            environs: environs,
            origin: ConnectionOrigin(
                connectionID: 0,
                peerAddress: Array("127.0.0.1".utf8),
                peerPort: 1,
                arrivedNs: 0,
                acceptedNs: 0,
                forkStartedNs: 0
            ),
            mode: rehearsedMode,
            application: host?.understudy
        )
        child.serve(from: .ofThisProcess())
        quiet.flush()
        rehearsal.close()
        sink.close()
    }

    /// A child, or one of the rehearsal, which never meets the application itself.
    private func child(of origin: ConnectionOrigin, rehearses: Bool) -> Child {
        Child(
            settings: settings,
            channel: channel,
            client: client,
            environs: environs,
            origin: origin,
            mode: rehearses ? rehearsedMode : settings.mode,
            application: rehearses ? host?.understudy : application
        )
    }

    /// In the fork server itself, where there are no children: serves the connection.
    func serveHere(_ descriptor: Int32, _ origin: ConnectionOrigin) {
        channel.connectionID = origin.connectionID
        channel.frames.connectionOpened(origin, pid: getpid())
        client.reopen()
        client.open(descriptor)
        var child = child(of: origin, rehearses: false)
        child.serve(from: .ofThisProcess())
        channel.frames.connectionClosed(origin.connectionID, closedNs: child.closedNs)
        channel.flush()
        channel.connectionID = 0
    }

    /// In the child, right after `fork`: serves the connection and leaves.
    func serve(
        _ descriptor: Int32,
        _ origin: ConnectionOrigin,
        parentPID: Int32,
        listener: Int32?,
        slot: UnsafeMutablePointer<RequestSlot>?,
        cue: Int32?
    ) -> Never {
        clab_signals_reset()
        let startedNs = clab_monotonic_ns()
        // Without its parent nobody would wait for this child or tell of its end.
        _ = clab_die_with_parent()
        // It may have died just before.
        if getppid() != parentPID { _exit(0) }
        // A group of its own, by which the parent knows what this child leaves behind.
        setpgid(0, 0)
        if let listener { close(listener) }
        drain.raise()
        host?.didForkInChild()
        // What the parent has gathered is the parent's to send.
        channel.frames.removeAll()
        channel.connectionID = origin.connectionID
        let usage = ResourceUsage.ofThisProcess()
        channel.frames.childStarted(
            origin,
            pid: getpid(),
            parentPID: parentPID,
            startedNs: startedNs,
            baselineRSSKiB: usage.maxRSSKiB
        )
        client.open(descriptor)
        client.slot = slot
        var child = child(of: origin, rehearses: cue != nil)
        child.serve(from: usage)
        host?.willLeave()
        channel.frames.childEnding(
            origin.connectionID,
            closedNs: child.closedNs,
            exitingNs: clab_monotonic_ns()
        )
        channel.flush()
        if let cue { Rehearsal.await(cue: cue) } else if child.hasServed { lessons?.tell() }
        _exit(child.exitStatus ?? 0)
    }
}
