// Who is dead and was not waited for, while a server runs that does not reap as it should.

import CLabLinux
import Glibc

/// Looks for zombies among the children, by `/proc`, and remembers since when each was seen dead.
struct ZombieCensus {
    /// How many stood at the last count.
    private(set) var standing = 0
    /// For a child that was seen dead: the SIGCHLD that had been handled by then; ns.
    private(set) var signalAfterDeath: [Int32: Int64] = [:]
    private var lastNs: Int64 = 0

    /// Counts at most five times a second, for it opens a file per child.
    static let everyNs: Int64 = 200_000_000

    /// Counts the zombies among `pids`.
    ///
    /// - Parameters:
    ///   - pids: The children that were not waited for.
    ///   - lastSignalNs: When the last SIGCHLD was handled.
    /// - Returns: Whether the count is another than the last one; false where it is too early.
    mutating func take(of pids: some Sequence<Int32>, lastSignalNs: Int64) -> Bool {
        let now = clab_monotonic_ns()
        guard now - lastNs >= Self.everyNs else { return false }
        lastNs = now
        // With none pending, every death so far has had its signal handled.
        let isKnown = clab_child_signal_pending() == 0
        var count = 0
        for pid in pids where Self.isZombie(pid) {
            count += 1
            if isKnown, signalAfterDeath[pid] == nil { signalAfterDeath[pid] = lastSignalNs }
        }
        defer { standing = count }
        return count != standing
    }

    /// A child was waited for.
    mutating func reaped(_ pid: Int32) -> Int64? { signalAfterDeath.removeValue(forKey: pid) }

    /// The state letter follows the name, which stands in parentheses and may hold any byte.
    private static func isZombie(_ pid: Int32) -> Bool {
        let descriptor = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 512, alignment: 1) { room in
            let got = read(descriptor, room.baseAddress, room.count)
            guard got > 0, let name = room[..<got].lastIndex(of: UInt8(ascii: ")")), name + 2 < got
            else { return false }
            return room[name + 2] == UInt8(ascii: "Z")
        }
    }
}
