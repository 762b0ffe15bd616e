// The recorder's end: starts the fork server, receives what it and its children tell.

import CLabLinux
import Glibc
public import LabExchange

/// Why there is no fork server.
public enum ForkServerError: Error, CustomStringConvertible {
    /// The executable could not be started.
    case cannotStart(path: String, reason: String)

    /// A sentence.
    public var description: String {
        switch self {
        case .cannotStart(let path, let reason):
            "Cannot start the fork server '\(path)': \(reason). It belongs beside 'lab'; build both "
                + "with: swift build -c release. It takes a process and a dozen descriptors (ulimit -u, -n)."
        }
    }
}

/// A running `lab-forkserver`, in a process group of its own: a Ctrl-C at the terminal reaches the
/// recorder alone, which then tells the fork server to drain.
public final class ForkServerProcess {
    /// What came of waiting.
    public enum Arrival: Equatable {
        /// Datagrams came.
        case frames
        /// The time was up.
        case nothing
        /// A signal came; see ``stopsSeen``.
        case signal
    }

    private static let datagramSize = 64 << 10
    private static let datagramsAtOnce = 64

    /// The fork server's PID.
    public let pid: Int32
    private let frames: Int32
    private let buffer: UnsafeMutablePointer<UInt8>
    private var gatherer = FrameGatherer()
    /// Whether the fork server can't begin, and why is on standard error.
    public private(set) var hasSaidWhy = false

    /// Starts a fork server on a listening socket, whose descriptor it takes over.
    ///
    /// - Parameters:
    ///   - executable: The path of `lab-forkserver`.
    ///   - listener: The listening socket.
    ///   - settings: What the fork server is told.
    /// - Throws: ``ForkServerError``.
    public init(
        executable: String,
        listener: Listener,
        settings: ForkServerSettings
    ) throws(ForkServerError) {
        var pair: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &pair) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { clab_packet_pair($0) }
        }
        guard made == 0 else {
            throw .cannotStart(path: executable, reason: String(cString: strerror(errno)))
        }
        frames = pair.0
        buffer = .allocate(capacity: Self.datagramSize * Self.datagramsAtOnce)
        let result = spawn(executable, settings.arguments, listener.descriptor, pair.1)
        close(pair.1)
        close(listener.descriptor)
        switch result {
        case .started(let pid): self.pid = pid
        case .failed(let error):
            throw .cannotStart(path: executable, reason: String(cString: strerror(error)))
        }
    }

    /// Waits until the fork server can begin: one that hosts an application loads it first.
    ///
    /// - Returns: Whether it can; false where it is gone, or a signal came meanwhile.
    public func awaitApplication() -> Bool {
        while stopsSeen == 0 {
            guard wait(timeoutNs: -1) == .frames else { continue }
            let size = recv(frames, buffer, Self.datagramSize, 0)
            hasSaidWhy = size == StartOrder.refusalSize
            return size > StartOrder.refusalSize
        }
        return false
    }

    /// Tells the fork server to begin.
    ///
    /// - Parameters:
    ///   - firstConnectionID: The number of the first connection.
    ///   - queueBytes: How much the queue of frames may hold; the system may allow less.
    public func begin(firstConnectionID: Int64, queueBytes: Int) {
        var order = StartOrder(
            firstConnectionID: firstConnectionID,
            queueBytes: Int32(queueBytes)
        )
        _ = send(frames, &order, MemoryLayout<StartOrder>.size, Int32(MSG_NOSIGNAL))
    }

    deinit {
        buffer.deallocate()
        close(frames)
    }

    /// How many SIGINT and SIGTERM this process has got.
    public var stopsSeen: Int { Int(clab_signals_seen().stops) }

    /// Waits for something to arrive, for a time at most; for ever where it is negative.
    public func wait(timeoutNs: Int64) -> Arrival {
        var poll = clab_poll(fd: frames, events: Int16(CLAB_IN), revents: 0)
        let ready = clab_ppoll(&poll, 1, timeoutNs)
        if ready < 0 { return .signal }
        return ready == 0 ? .nothing : .frames
    }

    /// Receives what has arrived, without waiting.
    ///
    /// - Returns: How many datagrams; nil when the fork server and its children are all gone.
    /// - Throws: ``FrameError``, and what `body` throws.
    public func receive(_ body: (Frame) throws -> Void) throws -> Int? {
        var lengths = [UInt32](repeating: 0, count: Self.datagramsAtOnce)
        let count = clab_receive_many(
            frames,
            buffer,
            Self.datagramSize,
            &lengths,
            Int32(Self.datagramsAtOnce),
            0
        )
        if count == 0 { return nil }
        guard count > 0 else {
            if errno == EMSGSIZE { throw FrameError() }
            return errno == EAGAIN || errno == EINTR ? 0 : nil
        }
        for index in 0..<Int(count) {
            let start = buffer + index * Self.datagramSize
            try gatherer.take(
                UnsafeRawBufferPointer(start: start, count: Int(lengths[index])),
                body
            )
        }
        return Int(count)
    }

    /// Tells the fork server to drain; a second time, to end at once.
    public func stop() { _ = clab_signal_child(pid, SIGTERM) }

    /// Ends the fork server by SIGKILL; its children die with it.
    public func killNow() { _ = clab_signal_child(pid, SIGKILL) }

    /// Waits for the fork server's end and gives its wait status.
    public func waitStatus() -> Int32 {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0, errno == EINTR {}
        return status
    }
}

private enum SpawnResult {
    case started(Int32), failed(Int32)
}

/// Starts the executable with the listening socket as descriptor 3 and the frames' as 4, in a new
/// process group, with nothing blocked.
private func spawn(
    _ path: String,
    _ arguments: [String],
    _ listener: Int32,
    _ frames: Int32
) -> SpawnResult {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    // By way of copies above both places, for either may be the other's; dup2 clears close-on-exec.
    let copies = [listener, frames].map {
        fcntl($0, F_DUPFD_CLOEXEC, ForkServerSettings.frames + 1)
    }
    defer { for copy in copies where copy >= 0 { close(copy) } }
    guard copies.allSatisfy({ $0 >= 0 }) else { return .failed(errno) }
    posix_spawn_file_actions_adddup2(&actions, copies[0], ForkServerSettings.listener)
    posix_spawn_file_actions_adddup2(&actions, copies[1], ForkServerSettings.frames)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setpgroup(&attributes, 0)
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var ignored = sigset_t()
    sigemptyset(&ignored)
    sigaddset(&ignored, SIGPIPE)
    posix_spawnattr_setsigdefault(&attributes, &ignored)
    posix_spawnattr_setflags(
        &attributes,
        Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
    )
    var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    words.append(nil)
    defer { for word in words { free(word) } }
    var pid: pid_t = 0
    let error = posix_spawn(&pid, path, &actions, &attributes, words, environ)
    return error == 0 ? .started(pid) : .failed(error)
}
