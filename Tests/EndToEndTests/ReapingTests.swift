import Foundation
import LabTestSupport
import Testing

/// The tutorial's three reapers.
///
/// Signals coalesce by no race here: the fork server is stopped while its children die, so that one
/// SIGCHLD stands for all of them when it goes on.
@Suite struct ReapingTests {
    private static let children = 8

    /// Lets children die while the server is stopped; gives how many zombies stand after it went on.
    private func standing(_ reaping: String) throws -> (zombies: Int, lab: LabRecord) {
        let lab = try LabRecord(["--reap", reaping])
        let server = try lab.forkServer()
        var clients: [RawClient] = []
        for _ in 0..<Self.children {
            let client = try RawClient(port: lab.port)
            try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = client.read { $0.hasSuffix("World!") }
            clients.append(client)
        }
        kill(server, SIGSTOP)
        // A SIGCHLD that came before it had stopped would be a signal of its own.
        while try state(of: server) != "T" {}
        clients.removeAll()
        while try zombies(of: server) < Self.children {}
        kill(server, SIGCONT)
        // It has handled the signal once it answers again.
        _ = try lab.get("/")
        while try Int(lab.sql("SELECT count(*) FROM server_event WHERE kind = 'sigchld'")) == 0 {}
        return (try zombies(of: server), lab)
    }

    private func state(of pid: Int32) throws -> String {
        try Tool.run("ps", "-o", "state=", "-p", "\(pid)").output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func zombies(of server: Int32) throws -> Int {
        try Tool.run("ps", "-o", "state=", "--ppid", "\(server)").output
            .split(separator: "\n").filter { $0.hasPrefix("Z") }.count
    }

    @Test func `drain leaves no zombie though eight died for one signal`() throws {
        let (zombies, lab) = try standing("drain")
        lab.stop()
        // The last request's own child may be on its way.
        #expect(zombies <= 1)
        #expect(
            try lab.sql(
                "SELECT detail FROM server_event WHERE kind = 'sigchld' ORDER BY at_ns LIMIT 1"
            ) == "{\"signals\":1,\"reaped\":8}"
        )
        #expect(try lab.sql("SELECT count(*) FROM server_event WHERE kind = 'zombies'") == "0")
    }

    @Test
    func `once leaves seven of eight, and they are collected at the end with their true fate`()
        throws
    {
        let (zombies, lab) = try standing("once")
        #expect(zombies >= 7)
        while try lab.sql("SELECT count(*) FROM server_event WHERE kind = 'zombies'") == "0" {}
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql(
                "SELECT detail FROM server_event WHERE kind = 'sigchld' ORDER BY at_ns LIMIT 1"
            ) == "{\"signals\":1,\"reaped\":1}"
        )
        #expect(
            try lab.sql("SELECT count(*) FROM child WHERE fate = 'exited' AND exit_code = 0") == "9"
        )
        #expect(try lab.sql("SELECT reap FROM recording") == "once")
    }

    @Test func `never leaves them all until the end, and the report says how long they stood`()
        throws
    {
        let (zombies, lab) = try standing("never")
        #expect(zombies >= 8)
        while try lab.sql("SELECT count(*) FROM server_event WHERE kind = 'zombies'") == "0" {}
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql("SELECT count(*) FROM child WHERE fate = 'exited' AND exit_code = 0") == "9"
        )
        #expect(try lab.sql("SELECT count(*) > 0 FROM zombie WHERE at_least_ms > 0") == "1")
    }

    @Test func `the dead are reaped while new connections never stop coming`() throws {
        let lab = try LabRecord()
        let load = try Tool.run("ab", "-q", "-n", "6000", "-c", "32", lab.url("/"))
        #expect(load.output.contains("Failed requests:        0"))
        lab.stop()
        // 32 are served at a time, and some of the dead are on their way. When ppoll delivered no
        // signal, because the listener was ready each time, 2301 stood.
        #expect(
            try lab.sql(
                """
                WITH step (at, change) AS (
                    SELECT fork_started_ns, 1 FROM child UNION ALL SELECT reaped_ns, -1 FROM child)
                SELECT max(there) < 400 FROM
                    (SELECT sum(change) OVER (ORDER BY at, change) AS there FROM step)
                """
            ) == "1"
        )
    }

    @Test func `at the limit connections wait, and none is lost`() throws {
        let lab = try LabRecord(["--max-children", "2"])
        let load = try Tool.run("ab", "-q", "-n", "200", "-c", "20", lab.url("/"))
        #expect(load.output.contains("Failed requests:        0"))
        lab.stop()
        #expect(try lab.sql("SELECT count(*) FROM exchange WHERE outcome = 'ok'") == "200")
        // At no moment did more than two live: each child's fork comes after all but one older reap.
        #expect(
            try lab.sql(
                "SELECT max((SELECT count(*) FROM child o WHERE o.fork_started_ns <= c.fork_started_ns AND o.reaped_ns > c.fork_started_ns)) FROM child c"
            ) == "2"
        )
    }
}
