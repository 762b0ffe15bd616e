// A plain thread: no Dispatch, no Swift concurrency, so nothing but the loop runs on it.

import Glibc

/// A running thread, to be joined exactly once.
struct PosixThread {
    private let handle: pthread_t

    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Starts a thread that runs `body`, with all signals blocked: they are for the caller.
    ///
    /// - Throws: ``ReplayError/cannotStart(what:reason:)``.
    init(_ body: @escaping @Sendable () -> Void) throws(ReplayError) {
        let box = Unmanaged.passRetained(Body(body))
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        var started = pthread_t()
        let code = pthread_create(
            &started,
            nil,
            { raw in
                if let raw { Unmanaged<Body>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            },
            box.toOpaque()
        )
        pthread_sigmask(SIG_SETMASK, &before, nil)
        guard code == 0 else {
            box.release()
            throw .cannotStart(what: "thread", reason: String(cString: strerror(code)))
        }
        handle = started
    }

    /// Waits until the thread has ended.
    func join() { pthread_join(handle, nil) }
}
