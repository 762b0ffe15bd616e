// Ctrl-C while builds are compared: the replay that runs is told, and no other one begins.

import LabReplayer
import Synchronization

/// What signals have asked for.
final class Interruption: Sendable {
    private let state = Mutex<(count: Int, replayer: Replayer?)>((0, nil))

    /// Whether one has come.
    var hasCome: Bool { state.withLock { $0.count > 0 } }

    /// Takes note of a signal.
    func come() {
        let replayer = state.withLock { state in
            state.count += 1
            return state.replayer
        }
        replayer?.abort()
    }

    /// A replay begins, which a signal is to end.
    func begin(_ replayer: Replayer) {
        let isLate = state.withLock { state in
            state.replayer = replayer
            return state.count > 0
        }
        if isLate { replayer.abort() }
    }

    /// The replay has ended.
    func end() { state.withLock { $0.replayer = nil } }
}
