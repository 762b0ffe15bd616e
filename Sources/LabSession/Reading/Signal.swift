// The names of the signals that end a process, as on Linux (man 7 signal).

/// A signal, by number.
public struct Signal: Codable, Sendable, Equatable {
    /// Its number on this kind of machine.
    public var number: Int32
    /// Its name, such as `SIGSEGV`; `signal N` for one that has none.
    public var name: String

    /// Makes the signal of a number.
    public init(_ number: Int32) {
        self.number = number
        name =
            switch number {
            case 1...31: Self.names[Int(number) - 1]
            case 34...64: number == 34 ? "SIGRTMIN" : "SIGRTMIN+\(number - 34)"
            default: "signal \(number)"
            }
    }

    private static let names = [
        "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE",
        "SIGKILL",
        "SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD",
        "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ",
        "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
    ]
}
