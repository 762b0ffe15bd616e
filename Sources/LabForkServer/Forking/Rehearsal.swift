// A connection that nobody made, with a child that waits for its cue before it leaves.

import CLabLinux
import Glibc
import LabExchange

/// One connection of the rehearsal: a client's request that has arrived, and the child's cue.
///
/// The fork server plays it before the first real connection; see ``ForkServer/run()``.
struct Rehearsal {
    /// What the client of a rehearsal asks for; the last request on its connection.
    private static func request(for target: String) -> [UInt8] {
        Array(
            """
            GET \(target) HTTP/1.1\r\nHost: localhost\r\nUser-Agent: lab\r\nAccept: */*\r\n\
            Connection: close\r\n\r\n
            """.utf8
        )
    }

    /// What is asked for where nothing else was said.
    static let usualTarget = "/environ?warm=up"

    /// The server's end of the connection; whoever serves it closes it.
    let server: Int32
    /// The client's end.
    private let client: Int32
    /// What the child waits on before it leaves.
    let cue: Int32
    private let prompter: Int32

    /// Sends the request; nil where the system has no descriptors for it.
    init?(_ target: String) {
        var pair: (Int32, Int32) = (-1, -1)
        var pipe: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &pair) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) {
                socketpair(
                    AF_UNIX,
                    Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue),
                    0,
                    $0
                )
            }
        }
        guard made == 0 else { return nil }
        let hasCue = withUnsafeMutablePointer(to: &pipe) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { clab_pipe($0) }
        }
        guard hasCue == 0 else {
            Glibc.close(pair.0)
            Glibc.close(pair.1)
            return nil
        }
        (server, client) = pair
        (cue, prompter) = pipe
        let request = Self.request(for: target)
        _ = send(client, request, request.count, 0)
    }

    /// Waits until the server has closed the connection.
    func awaitEnd() {
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
            while true {
                let got = recv(client, room.baseAddress, room.count, 0)
                if got == 0 || got < 0 && errno != EINTR { return }
            }
        }
    }

    /// Lets the child leave.
    func giveCue() {
        var byte: UInt8 = 0
        _ = write(prompter, &byte, 1)
    }

    /// In the child: waits for the cue.
    static func await(cue: Int32) {
        var byte: UInt8 = 0
        while read(cue, &byte, 1) < 0, errno == EINTR {}
    }

    /// Closes what is left.
    func close() {
        Glibc.close(client)
        Glibc.close(cue)
        Glibc.close(prompter)
    }
}

/// A place that frames go to and nobody reads; it holds more than a rehearsal tells.
struct FrameSink {
    /// Where to send.
    let entry: Int32
    private let drain: Int32

    /// Makes one; nil where the system has no descriptors for it.
    init?() {
        var pair: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &pair) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { clab_packet_pair($0) }
        }
        guard made == 0 else { return nil }
        (entry, drain) = pair
    }

    func close() {
        Glibc.close(entry)
        Glibc.close(drain)
    }
}

extension ForkServer {
    /// Makes this process ready to be copied: warm, and with the pages known that a child will write to.
    mutating func rehearse() {
        var upstream: RehearsalUpstream?
        if case .upstream(let authority, _) = settings.mode {
            upstream = RehearsalUpstream()
            if let upstream {
                workshop.rehearsedMode = .upstream(authority, addresses: [upstream.address])
            }
        }
        workshop.warmUp()
        if !settings.isSerial { playTwoConnections() }
        upstream?.end()
        // The signals of this play are no part of the recording.
        _ = clab_ppoll(nil, 0, 0)
        (acceptedCount, forkFailureCount, interruptions) = (0, 0, 0)
        nextConnectionID = firstConnectionID
        faults = settings.faults
        signalsHandled = clab_signals_seen().children
        ledger.startCounting()
    }

    /// Plays two connections through this process and its children, telling nobody, to see which pages
    /// both will write to: these are copied at each fork from then on, not by two faults later.
    ///
    /// Two, so that one child is reaped while the other lives.
    private mutating func playTwoConnections() {
        guard let sink = FrameSink() else { return }
        let recorder = channel.descriptor
        channel.descriptor = sink.entry
        faults = FaultPlan()
        // The second is made only now: the first one's child would hold its connection open.
        let first = playConnection()
        let second = playConnection()
        first?.giveCue()
        while ledger.living.count > 1 {
            _ = wait()
            reap(collectsAll: true)
            channel.flush()
        }
        _ = clab_copy_at_fork()
        second?.giveCue()
        while !ledger.living.isEmpty {
            _ = wait()
            reap(collectsAll: true)
        }
        channel.frames.removeAll()
        channel.descriptor = recorder
        first?.close()
        second?.close()
        sink.close()
    }

    private mutating func playConnection() -> Rehearsal? {
        guard let rehearsal = Rehearsal(host?.rehearsedTarget ?? Rehearsal.usualTarget) else {
            return nil
        }
        serve(
            rehearsal.server,
            sockaddr_storage(),
            acceptedNs: clab_monotonic_ns(),
            cue: rehearsal.cue
        )
        rehearsal.awaitEnd()
        return rehearsal
    }
}
