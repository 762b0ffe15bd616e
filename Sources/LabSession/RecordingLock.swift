// One recorder at a time in a session: two would give out the same numbers.

import Glibc

/// Held while a recording writes into a session; let go of by the kernel however the process ends.
///
/// It is a name and no file: an abstract socket address made of the session's device and inode. A lock
/// on the file itself would go with the first descriptor of it that this process closes
/// (sqlite.org/howtocorrupt.html 2.2).
final class RecordingLock {
    private let descriptor: Int32

    /// Takes the lock.
    ///
    /// - Throws: ``SessionError/busy(path:)`` where another recorder holds it.
    init(_ path: String) throws(SessionError) {
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw .missing(path: path) }
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        // The first byte stays 0: abstract (unix(7)).
        let name = Array("lab-recording-\(facts.st_dev)-\(facts.st_ino)".utf8)
        withUnsafeMutableBytes(of: &address.sun_path) { room in
            room.baseAddress.map {
                UnsafeMutableRawBufferPointer(start: $0 + 1, count: name.count)
            }?
            .copyBytes(from: name)
        }
        let length = socklen_t(MemoryLayout<sa_family_t>.size + 1 + name.count)
        let taken = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
        }
        if taken != 0, errno == EADDRINUSE {
            close(descriptor)
            throw .busy(path: path)
        }
    }

    deinit { close(descriptor) }

    /// Whether a recorder holds the lock of this session now.
    static func isHeld(_ path: String) -> Bool {
        do throws(SessionError) {
            _ = try RecordingLock(path)
            return false
        } catch {
            if case .busy = error { return true }
            return false
        }
    }
}
