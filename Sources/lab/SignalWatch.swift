// SIGINT and SIGTERM for a command that has threads: one of them waits for signals, the rest never
// meet any.

import Glibc
import Synchronization

/// Calls a function for each SIGINT and SIGTERM, with how many came so far.
final class SignalWatch: Sendable {
    private let onSignal: @Sendable (Int) -> Void

    /// Begins to watch.
    ///
    /// Threads that are made later inherit the blocked signals.
    init(onSignal: @escaping @Sendable (Int) -> Void) {
        self.onSignal = onSignal
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        pthread_sigmask(SIG_BLOCK, &set, nil)
        var thread = pthread_t()
        let me = Unmanaged.passRetained(self)
        let made = pthread_create(
            &thread,
            nil,
            { raw in
                guard let raw else { return nil }
                Unmanaged<SignalWatch>.fromOpaque(raw).takeRetainedValue().watch()
                return nil
            },
            me.toOpaque()
        )
        if made == 0 { pthread_detach(thread) } else { me.release() }
    }

    private func watch() {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, SIGINT)
        sigaddset(&set, SIGTERM)
        var count = 0
        var number: Int32 = 0
        while sigwait(&set, &number) == 0 {
            count += 1
            onSignal(count)
        }
    }
}
