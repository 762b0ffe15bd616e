// Bytes that a socket has not taken yet.

import CLabLinux
import Glibc

/// Bytes on their way out.
struct Pending {
    var bytes: [UInt8]
    private var sent = 0

    init(_ bytes: [UInt8] = []) { self.bytes = bytes }

    var count: Int { bytes.count - sent }
    var isEmpty: Bool { count == 0 }

    /// Sends what the socket takes now; false where it takes no more for ever.
    mutating func flush(_ descriptor: Int32) -> Bool {
        while sent < bytes.count {
            let result = bytes.withUnsafeBytes { all in
                send(
                    descriptor,
                    all.baseAddress.map { $0 + sent },
                    all.count - sent,
                    Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
                )
            }
            if result >= 0 {
                sent += result
                // A socket that never takes all must not make it keep all.
                if sent > 256 << 10 {
                    bytes.removeFirst(sent)
                    sent = 0
                }
                continue
            }
            if errno == EINTR { continue }
            return errno == EAGAIN
        }
        bytes.removeAll(keepingCapacity: true)
        sent = 0
        return true
    }
}
