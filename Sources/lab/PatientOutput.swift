// Lines for a reader that may pause: a recorder never waits for whoever watches it.

import CLabLinux
import Glibc

/// Standard output, written only as it takes something; what no longer fits into memory is counted.
final class PatientOutput {
    private static let mostHeld = 4 << 20
    /// What a pipe that polls as writable takes without blocking (POSIX's PIPE_BUF on Linux).
    private static let pieceBytes = 4096

    private var held: [UInt8] = []
    private var isClosed = false
    /// Lines that were given up.
    private(set) var dropped = 0

    /// Adds a line, and writes what can be written.
    func add(_ line: String) {
        guard !isClosed, held.count < Self.mostHeld else {
            dropped += 1
            return
        }
        held.append(contentsOf: line.utf8)
        held.append(UInt8(ascii: "\n"))
        flush(patienceNs: 0)
    }

    /// Writes what is held, as long as standard output takes something within the time.
    func flush(patienceNs: Int64) {
        var sent = 0
        defer { held.removeFirst(sent) }
        while sent < held.count {
            var poll = clab_poll(fd: STDOUT_FILENO, events: Int16(CLAB_OUT), revents: 0)
            guard clab_poll(&poll, 1, patienceNs) > 0 else { return }
            let count = held.withUnsafeBytes { all in
                write(
                    STDOUT_FILENO,
                    all.baseAddress.map { $0 + sent },
                    min(all.count - sent, Self.pieceBytes)
                )
            }
            if count < 0 {
                if errno == EINTR { continue }
                // EPIPE: the reader has seen enough, and that is no fault.
                isClosed = true
                sent = held.count
                return
            }
            sent += count
        }
    }
}
