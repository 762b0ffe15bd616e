// How idle children learn that the server drains: a pipe whose other end closes.

import CLabLinux
import Glibc

/// A pipe that nobody writes to.
///
/// Children poll its read end; it hangs up once the parent, which alone keeps the write end, closes
/// it or dies.
final class DrainSignal {
    /// What a waiting child polls beside its client.
    let watched: Int32
    private var held: Int32

    init?() {
        var pair: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &pair) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { clab_pipe($0) }
        }
        guard made == 0 else { return nil }
        watched = pair.0
        held = pair.1
    }

    /// The parent: tells every child.
    ///
    /// A child: lets go of the parent's end.
    func raise() {
        guard held >= 0 else { return }
        close(held)
        held = -1
    }
}
