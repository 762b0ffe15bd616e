// A build under test, started by its command for one arm and ended after it: always as fresh.

import CLabLinux
import Glibc
import LabComparer
import LabExchange

/// A command that starts a server; `{port}` in it is the port that it is to listen on.
struct BuildCommand {
    /// The command, for `/bin/sh`.
    let text: String
    /// The option that gave it, for sentences.
    let option: String
}

/// One running server, in a process group of its own.
final class ServerBuild {
    /// The PID of the command, which leads its process group.
    let pid: pid_t
    private let command: BuildCommand
    private let log: Int32
    private(set) var tree: ProcessTree
    /// How it ended, once that was seen.
    private(set) var status: Int32?

    /// How long a server has to end after SIGTERM.
    private static let patienceNs: Int64 = 5_000_000_000
    /// How long a process may take to die once its connections are gone.
    static let deathNs: Int64 = 2_000_000_000
    /// How much of what it wrote is shown where it fails.
    private static let tailBytes = 2000

    /// Starts the command.
    ///
    /// - Throws: ``Failure`` where there is no shell, or no memory.
    init(_ command: BuildCommand, port: Int) throws {
        self.command = command
        log = try Self.unnamedFile()
        let words = ["/bin/sh", "-c", command.text.replacing("{port}", with: "\(port)")]
        guard let pid = spawnGroup(words, output: log) else {
            close(log)
            throw Failure("Cannot start the command of \(command.option): \(lastError()).")
        }
        self.pid = pid
        tree = ProcessTree(root: pid)
    }

    deinit {
        if status == nil { end() }
        close(log)
    }

    /// What both streams of the command go to: a file, so that nobody must read it for the server to go on.
    private static func unnamedFile() throws -> Int32 {
        let file = clab_unnamed_file()
        guard file >= 0 else {
            throw Failure("Cannot make a file for what a build writes: \(lastError()).")
        }
        return file
    }

    // MARK: Ready

    /// Waits until the server answers.
    ///
    /// - Throws: ``Failure`` where it ends before, or takes too long; it is ended then.
    func waitUntilReady(_ place: Readiness, timeoutNs: Int64) throws {
        let deadline = clab_monotonic_ns() + timeoutNs
        while true {
            if place.answers(withinNs: min(500_000_000, deadline - clab_monotonic_ns())) {
                tree.look()
                tree.markStart()
                return
            }
            if let death = death() {
                throw Failure(
                    "The command of \(command.option) ended before it answered at port "
                        + "\(place.port): \(death). '\(command.text)' is to start a server on port "
                        + "{port} and to stay in the foreground.\(tail())"
                )
            }
            guard clab_monotonic_ns() < deadline else {
                end()
                throw Failure(
                    "The command of \(command.option) did not answer at port \(place.port) within "
                        + "\(timeoutNs / 1_000_000) ms. Does '\(command.text)' listen on {port}? "
                        + "Give it longer with --ready-timeout.\(tail())"
                )
            }
            nap()
        }
    }

    /// How it ended by itself, in words; nil while it lives.
    func death() -> String? {
        if status == nil {
            var found: Int32 = 0
            guard waitpid(pid, &found, WNOHANG) == pid else { return nil }
            status = found
        }
        guard let status else { return nil }
        return clab_signalled(status) != 0
            ? "signal \(clab_term_signal(status))" : "exit code \(clab_exit_code(status))"
    }

    /// How it ended, where answers that did not come say that it may have: a connection is gone before
    /// its process is.
    func death(after results: [ReplayResult]) -> String? {
        death(
            isSuspect: results.contains { [.reset, .refused, .truncated].contains($0.outcome) }
        )
    }

    /// How it ended by itself; where that is to be suspected it has a while for it.
    func death(isSuspect: Bool) -> String? {
        let deadline = clab_monotonic_ns() + (isSuspect ? Self.deathNs : 0)
        while death() == nil, clab_monotonic_ns() < deadline { nap() }
        return death()
    }

    /// The end of what it wrote, to stand after a sentence.
    func tail() -> String {
        let size = lseek(log, 0, SEEK_END)
        let start = max(0, size - Self.tailBytes)
        var bytes = [UInt8](repeating: 0, count: size - start)
        let count = pread(log, &bytes, bytes.count, start)
        guard count > 0 else { return "" }
        let text = String(decoding: bytes.prefix(count), as: UTF8.self)
        let lines = text.split(separator: "\n").suffix(8).map { "    " + $0 }
        return " It wrote:\n" + lines.joined(separator: "\n")
    }

    // MARK: Costs

    /// Looks at its processes: to be called now and then while it answers.
    func watch() { tree.look() }

    /// What was spent so far is not counted.
    func markStart() { tree.markStart() }

    /// What it cost since then.
    func cost() -> ServerCost {
        let death = death()
        tree.settle(hasDied: death != nil)
        return tree.cost(death: death)
    }

    /// What a single run tells of it.
    func watched(death: String?) -> WatchedWords {
        tree.settle(hasDied: death != nil)
        return tree.watched(command: command.text, death: death)
    }

    // MARK: The end

    /// Ends it and all that it left: its group by SIGTERM and then SIGKILL, and orphans.
    func end() {
        let deadline = clab_monotonic_ns() + Self.patienceNs
        _ = kill(-pid, SIGTERM)
        while death() == nil, clab_monotonic_ns() < deadline { nap() }
        _ = kill(-pid, SIGKILL)
        if status == nil {
            var found: Int32 = 0
            while waitpid(pid, &found, 0) < 0, errno == EINTR {}
            status = found
        }
        tree.endOrphans()
    }
}

/// Starts a program in a process group of its own, both its streams going to a file; nil with errno.
func spawnGroup(_ words: [String], output: Int32) -> pid_t? {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO)
    posix_spawn_file_actions_adddup2(&actions, output, STDERR_FILENO)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setpgroup(&attributes, 0)
    // This process blocks SIGINT and SIGTERM and ignores SIGPIPE; a server must not.
    var none = sigset_t()
    sigemptyset(&none)
    posix_spawnattr_setsigmask(&attributes, &none)
    var defaults = sigset_t()
    sigemptyset(&defaults)
    for signal in [SIGPIPE, SIGINT, SIGTERM] { sigaddset(&defaults, signal) }
    posix_spawnattr_setsigdefault(&attributes, &defaults)
    posix_spawnattr_setflags(
        &attributes,
        Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF)
    )
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    arguments.append(nil)
    defer { for word in arguments { free(word) } }
    var pid: pid_t = 0
    errno = posix_spawn(&pid, words[0], &actions, &attributes, arguments, environ)
    return errno == 0 ? pid : nil
}

/// Waits for 2 ms: between two looks at a process.
func nap() { usleep(2_000) }

/// The words of the last system call's error.
func lastError() -> String { String(cString: strerror(errno)) }
