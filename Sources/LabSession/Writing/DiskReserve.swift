// Space that is held back, so that when the disk is full what was already answered can be written.

import Glibc

/// A nameless file beside the session, as large as a few commits; it is gone with the process.
final class DiskReserve {
    private var descriptor: Int32
    /// How much is held back, bytes.
    let size: Int

    /// Holds back up to 16 MiB, or a third of what is free where that is less.
    init(beside path: String) {
        let folder = path.lastIndex(of: "/").map { String(path[..<$0]) + "/" } ?? "."
        var facts = statvfs()
        var wanted = 16 << 20
        if statvfs(folder, &facts) == 0 {
            wanted = min(wanted, Int(facts.f_bavail) * Int(facts.f_frsize) / 3)
        }
        size = wanted
        // O_TMPFILE is __O_TMPFILE | O_DIRECTORY, a macro that Swift does not import.
        descriptor = open(folder, 0o20200000 | O_RDWR | O_CLOEXEC, 0o600)
        // Without a reserve a full disk loses the last commits, and says so; recording goes on.
        if descriptor >= 0, size > 0 { _ = posix_fallocate(descriptor, 0, off_t(size)) }
    }

    deinit { release() }

    /// Whether there was something to give back.
    @discardableResult
    func release() -> Bool {
        guard descriptor >= 0 else { return false }
        close(descriptor)
        descriptor = -1
        return true
    }
}
