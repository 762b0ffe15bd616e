// The server whose processes are watched while a session is sent to it: one that runs already, or one
// that is started for it and ended after it.

import CLabLinux
import Glibc

/// A server under watch, for a single run.
protocol WatchedServer: AnyObject {
    /// Takes note of what there is now: to be called now and then.
    func look()

    /// What it came to since the watch began, or since it was ready.
    ///
    /// - Parameter isSuspect: Whether answers did not come, so that it may be about to end.
    /// - Returns: The figures.
    func watched(isSuspect: Bool) -> WatchedWords

    /// Ends what was started for the run, and what that left.
    func end()
}

extension ServerBuild: WatchedServer {
    func look() { watch() }

    func watched(isSuspect: Bool) -> WatchedWords { watched(death: death(isSuspect: isSuspect)) }
}

/// A server that ran already, and runs on.
final class RunningServer: WatchedServer {
    private var tree: ProcessTree

    /// Watches a process and its descendants.
    ///
    /// - Throws: ``Failure`` where it is not there, or this process descends from it.
    init(_ pid: pid_t) throws {
        tree = ProcessTree(root: pid)
        tree.look()
        guard tree.isAlive else {
            throw Failure(
                "There is no process \(pid) to watch. --watch takes the PID of the server that is sent "
                    + "to, on this machine; --spawn starts one."
            )
        }
        guard !tree.holdsThisProcess else {
            throw Failure(
                "Cannot watch process \(pid): this replay descends from it, and what it costs would be "
                    + "counted, too. Give the PID of the server itself to --watch."
            )
        }
        tree.markStart()
    }

    func look() { tree.look() }

    func watched(isSuspect: Bool) -> WatchedWords {
        let deadline = clab_monotonic_ns() + (isSuspect ? ServerBuild.deathNs : 0)
        tree.look()
        while tree.isAlive, clab_monotonic_ns() < deadline {
            nap()
            tree.look()
        }
        tree.settle(hasDied: !tree.isAlive)
        // Only its parent is told how.
        return tree.watched(command: nil, death: tree.isAlive ? nil : "it is gone")
    }

    func end() {}
}
