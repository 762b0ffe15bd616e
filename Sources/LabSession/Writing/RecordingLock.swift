// One recorder at a time in a session: two would give out the same numbers.

import Glibc

/// Held while a recording writes into a session; let go of by the kernel however the process ends.
///
/// It is a name and no file: an abstract socket address made of the session's device and inode. A lock
/// on the file itself would go with the first descriptor of it that this process closes
/// (sqlite.org/howtocorrupt.html 2.2).
final class RecordingLock {
    private let descriptor: Int32

    /// A process that this one forks holds the name too until it executes another program, so a name
    /// that was just let go of may be taken for a moment.
    private static let patienceNs = 10_000_000
    private static let tries = 50

    /// Takes the lock.
    ///
    /// - Throws: ``SessionError/busy(path:)`` where another recorder holds it.
    init(_ path: String) throws(SessionError) {
        let name = try Self.name(of: path)
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var isTaken = Self.with(name) { bind(descriptor, $0, $1) } == 0
        for _ in 0..<Self.tries where !isTaken && errno == EADDRINUSE {
            var time = timespec(tv_sec: 0, tv_nsec: Self.patienceNs)
            nanosleep(&time, nil)
            isTaken = Self.with(name) { bind(descriptor, $0, $1) } == 0
        }
        guard isTaken || errno != EADDRINUSE else {
            close(descriptor)
            throw .busy(path: path)
        }
        // So that one can ask whether it is held without taking it.
        listen(descriptor, 1)
    }

    deinit { close(descriptor) }

    /// Whether a recorder holds the lock of this session now.
    static func isHeld(_ path: String) -> Bool {
        // A session that is not there is not recorded.
        guard let name = try? name(of: path) else { return false }
        let asking = socket(
            AF_UNIX,
            Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue),
            0
        )
        defer { close(asking) }
        // EAGAIN: it listens, and others are asking.
        return with(name) { connect(asking, $0, $1) } == 0 || errno == EAGAIN
    }

    private static func name(of path: String) throws(SessionError) -> [UInt8] {
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw .missing(path: path) }
        return Array("lab-recording-\(facts.st_dev)-\(facts.st_ino)".utf8)
    }

    private static func with(
        _ name: [UInt8],
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The first byte stays 0: abstract (unix(7)).
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            for (index, byte) in name.enumerated() { room[index + 1] = byte }
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}
