import Foundation
import LabTestSupport
import Testing

/// How a child ends is stored as the kernel said it: every exit code, every signal, every core.
@Suite struct FatesTests {
    private static let columns = """
        SELECT e.target, e.outcome, e.status, c.fate, c.exit_code, c.term_signal, c.core_dumped,
            c.wait_status
        FROM exchange e JOIN child c USING (connection_id) ORDER BY e.id
        """

    /// The signals that end a process that does nothing about them (signal(7)); 32 and 33 are the C
    /// library's own.
    private static let fatal = (Array(1...31) + Array(34...64)).filter {
        !(17...23).contains($0) && $0 != 28
    }

    /// What the client of such a request gets.
    private func ask(_ lab: LabRecord, _ path: String) throws -> String {
        try lab.exchange("GET \(path) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    }

    @Test func `each of the 256 exit codes is stored as it was`() throws {
        let lab = try LabRecord()
        for code in 0...255 { #expect(try ask(lab, "/exit/\(code)").isEmpty, "\(code)") }
        // There is no other.
        #expect(try ask(lab, "/exit/256").hasPrefix("HTTP/1.1 400 "))
        #expect(lab.stop().status == 0)
        let expected = (0...255).map { code in
            let outcome = code == 0 ? "app_error" : "child_died"
            return "/exit/\(code)|\(outcome)||exited|\(code)||0|\(code << 8)"
        }
        #expect(
            try lab.sql(Self.columns).split(separator: "\n").map(String.init)
                == expected + ["/exit/256|ok|400|exited|0||0|0"]
        )
    }

    /// For each fatal signal, whether the kernel dumps the core of a process that dies of it: asked of
    /// a process that has nothing to do with lab.
    private func coresByOracle(under command: [String]) throws -> [Int: Int] {
        let script = """
            import os, signal, sys
            signal.pthread_sigmask(signal.SIG_SETMASK, [])
            for number in map(int, sys.argv[1:]):
                pid = os.fork()
                if pid == 0:
                    if number != signal.SIGKILL:
                        signal.signal(number, signal.SIG_DFL)
                    os.kill(os.getpid(), number)
                    os._exit(0)
                _, status = os.waitpid(pid, 0)
                assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == number, (number, status)
                print(number, int(os.WCOREDUMP(status)))
            """
        let end = try Tool(
            command + ["python3", "-c", script] + Self.fatal.map { "\($0)" },
            in: Place.temporary()
        ).finish()
        guard end.status == 0 else { throw Trouble("the oracle failed: \(end.errors)") }
        let pairs = end.output.split(separator: "\n").map { line in
            line.split(separator: " ").compactMap { Int($0) }
        }
        return Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
    }

    /// Whether this process may allow its children to leave cores.
    private static var mayDumpCores: Bool {
        var limit = rlimit()
        return getrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &limit) == 0
            && limit.rlim_max == rlim_t.max
    }

    private func checkFatalSignals(coreLimit: String) throws {
        let shell = ["sh", "-c", "ulimit -c \(coreLimit) && exec \"$@\"", "sh"]
        let cores = try coresByOracle(under: shell)
        // A core goes to the folder that its process works in.
        let lab = try LabRecord(in: Place.temporary(), under: shell)
        for number in Self.fatal { #expect(try ask(lab, "/crash/\(number)").isEmpty, "\(number)") }
        #expect(lab.stop().status == 0)
        let expected = Self.fatal.map { number in
            let core = cores[number] ?? -1
            return
                "/crash/\(number)|child_died||signalled||\(number)|\(core)|\(number + 128 * core)"
        }
        #expect(try lab.sql(Self.columns).split(separator: "\n").map(String.init) == expected)
        // Else the two could agree on a machine that never dumps: a pattern that is a path does.
        let pattern = try String(contentsOfFile: "/proc/sys/kernel/core_pattern", encoding: .utf8)
        guard !pattern.hasPrefix("|") else { return }
        #expect(
            cores.filter { $0.value == 1 }.keys.sorted()
                == (coreLimit == "0" ? [] : [3, 4, 5, 6, 7, 8, 11, 24, 25, 31])
        )
    }

    @Test func `each signal that ends a process is stored, and that no core was left`() throws {
        try checkFatalSignals(coreLimit: "0")
    }

    @Test(.enabled(if: mayDumpCores, "the limit of core files can't be raised here"))
    func `each signal that ends a process is stored, and which of them left a core`() throws {
        try checkFatalSignals(coreLimit: "unlimited")
    }

    @Test func `a signal that ends no process is answered, and its child goes on`() throws {
        let lab = try LabRecord()
        // CHLD, CONT, URG, WINCH are ignored by default; the next stop; the last are no signals.
        let answers =
            [17, 18, 23, 28].map { ($0, 200) }
            + [0, 19, 20, 21, 22, 32, 33, 65].map { ($0, 400) }
        for (number, status) in answers {
            #expect(
                try ask(lab, "/crash/\(number)").hasPrefix("HTTP/1.1 \(status) "),
                "\(number)"
            )
        }
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql(Self.columns).split(separator: "\n").map(String.init)
                == answers.map { "/crash/\($0)|ok|\($1)|exited|0||0|0" }
        )
    }
}
