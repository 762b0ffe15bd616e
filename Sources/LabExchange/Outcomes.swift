// How things end. Each case is stored in a session by its raw value, which is never renamed.

/// How a child's life ended, as far as it is known (`child.fate`).
public enum ChildFate: String, Sendable, CaseIterable {
    /// It lives, or nothing was heard of its end yet.
    case running
    /// It left by `_exit`; see its exit code.
    case exited
    /// A signal ended it; see the signal.
    case signalled
    /// It passed its deadline and was killed.
    case timedOut = "timed_out"
    /// It ended and was not waited for: a zombie when the recording ended.
    case unreaped
    /// The recording ended before its end was seen.
    case unknown
}

/// How an exchange ended (`exchange.outcome`).
public enum ExchangeOutcome: String, Sendable, CaseIterable {
    /// The request was answered in full.
    case ok
    /// The request broke a rule and was refused.
    case badRequest = "bad_request"
    /// The client went away before it had its answer.
    case clientClosed = "client_closed"
    /// Nobody listened at the upstream.
    case upstreamRefused = "upstream_refused"
    /// The upstream's answer was no HTTP, or ended early.
    case upstreamFailed = "upstream_failed"
    /// The upstream did not answer in time.
    case upstreamTimeout = "upstream_timeout"
    /// The application failed, or left without an answer.
    case appError = "app_error"
    /// The child died while it served the request.
    case childDied = "child_died"
    /// The request or the response ended inside its content.
    case truncated
    /// The connection became a tunnel; the bodies are the bytes that went through it.
    case tunnel
}

/// How one replayed request ended (`replay_result.outcome`).
public enum ReplayOutcome: String, Sendable, CaseIterable {
    /// A whole response came.
    case ok
    /// Nobody listens at the target.
    case refused
    /// The connection was reset, or closed before a response began.
    case reset
    /// No whole response came in time.
    case timeout
    /// The response ended inside its content.
    case truncated
    /// What came was no HTTP response.
    case malformed
    /// The TLS handshake failed.
    case tls
}

/// What a `server_event` tells (`server_event.kind`).
public enum ServerEventKind: String, Sendable, CaseIterable {
    /// A SIGCHLD was handled; the detail says how many children were reaped for it.
    case sigchld
    /// A system call was interrupted.
    case eintr
    /// `accept` failed.
    case acceptFailed = "accept_failed"
    /// `fork` failed.
    case forkFailed = "fork_failed"
    /// The kernel dropped connections, for the listen queue was full.
    case listenOverflow = "listen_overflow"
    /// A child was killed; the detail says why.
    case killed
    /// Zombies were counted.
    case zombies
    /// A process that was not forked here was adopted and reaped.
    case orphan
    /// The server stopped accepting.
    case drain
}
