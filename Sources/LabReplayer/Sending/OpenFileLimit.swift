// How many descriptors this process may have, looked at before the first connection: running out
// in the middle would look like a failure of the target.

import CLabLinux
import Glibc

/// The limit on open descriptors, RLIMIT_NOFILE.
public enum OpenFileLimit {
    /// What a process has open beside its connections: the session, its log, standard streams.
    private static let others = 64

    /// How many connections this process could ever have open: what the hard limit leaves.
    public static var mostConnections: Int {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 1
        }
        return max(1, Int(clamping: limit.rlim_max) - others)
    }

    /// Raises the soft limit to what `connections` and `threads` need, where it is lower.
    static func raise(connections: Int, threads: Int) throws(ReplayError) {
        let (needed, isOver) = connections.addingReportingOverflow(threads + others)
        guard !isOver else { throw .tooFewDescriptors(needed: .max, allowed: .max - 1) }
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        guard limit.rlim_cur < rlim_t(needed) else { return }
        guard limit.rlim_max >= rlim_t(needed) else {
            throw .tooFewDescriptors(needed: needed, allowed: Int(clamping: limit.rlim_max))
        }
        limit.rlim_cur = rlim_t(needed)
        guard setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            throw .tooFewDescriptors(needed: needed, allowed: Int(clamping: limit.rlim_max))
        }
    }
}
