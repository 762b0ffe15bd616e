import Foundation
import LabTestSupport
import Testing

/// A system that refuses processes, descriptors and places in the queue.
@Suite struct PressureTests {
    private func status(_ lab: LabRecord, _ path: String = "/") throws -> String {
        try lab.get(path, "-o", "/dev/null", "-w", "%{http_code}")
    }

    private func isSound(_ lab: LabRecord) throws -> Bool {
        try Tool.run(Place.lab, "check", lab.session).status == 0
    }

    // MARK: Processes

    @Test func `each third fork fails: its client is answered 503, and the others are served`()
        throws
    {
        let lab = try LabRecord(["--fault", "fork=3"])
        let statuses = try (0..<6).map { _ in try status(lab) }
        #expect(statuses == ["200", "200", "503", "200", "200", "503"])
        let end = lab.stop()
        #expect(end.status == 0)
        #expect(end.errors.contains("Cannot fork a child: Resource temporarily unavailable."))
        #expect(end.errors.contains("2 connections were answered 503"))
        #expect(
            try lab.sql(
                "SELECT json_extract(detail, '$.errno') FROM server_event WHERE kind = 'fork_failed'"
            ) == "\(EAGAIN)\n\(EAGAIN)"
        )
        #expect(try lab.sql("SELECT count(*) FROM connection") == "4")
        #expect(try isSound(lab))
    }

    @Test func `a request with content gets its 503 too`() throws {
        let lab = try LabRecord(["--fault", "fork=1"])
        let content = String(repeating: "a", count: 30_000)
        #expect(
            try lab.exchange(
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n" + content
            ).hasPrefix("HTTP/1.1 503 ")
        )
        #expect(lab.stop().status == 0)
    }

    @Test(.enabled(if: getuid() == 0, "the limit does not bind who may set it"))
    func `at the limit on processes some are answered 503, and after it all is well`() throws {
        let folder = try Place.temporary()
        try FileManager.default.setAttributes(
            [.posixPermissions: 0o777],
            ofItemAtPath: folder.path
        )
        let lab = try LabRecord(
            [],
            session: folder.appendingPathComponent("session.db").path,
            under: [
                "setpriv", "--reuid=65533", "--regid=65533", "--clear-groups", "prlimit",
                "--nproc=4",
            ]
        )
        let busy = try (0..<6).map { _ in
            try Tool([
                "curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--max-time", "30",
                lab.url("/sleep/1"),
            ])
        }
        let statuses = Set(busy.map { $0.finish().output })
        #expect(statuses == ["200", "503"])
        #expect(try status(lab) == "200")
        let end = lab.stop()
        #expect(end.status == 0)
        #expect(end.errors.contains("Allow more processes (ulimit -u)"))
        #expect(try isSound(lab))
    }

    // MARK: Descriptors

    @Test
    func `without descriptors a connection stays queued, nothing spins, and it is served later`()
        throws
    {
        let lab = try LabRecord()
        let server = try lab.forkServer()
        #expect(try status(lab) == "200")
        try Tool.run("prlimit", "--pid", "\(server)", "--nofile=5:1024")
        let client = try RawClient(port: lab.port)
        try client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(lab.line(with: "Cannot accept a connection: Too many open files.") != nil)
        while Int(
            try lab.sql("SELECT count(*) FROM server_event WHERE kind = 'accept_failed'")
        ) ?? 0 < 5 {}
        try Tool.run("prlimit", "--pid", "\(server)", "--nofile=1024:1024")
        #expect(client.readToEnd().hasSuffix("Hello, World!"))
        #expect(lab.stop().status == 0)
        // A tenth of a second lies between two attempts, and the first five are four pauses.
        #expect(
            try lab.sql(
                "SELECT max(at_ns) - min(at_ns) >= (count(*) - 1) * 90000000 FROM server_event WHERE kind = 'accept_failed'"
            ) == "1"
        )
        #expect(try lab.sql("SELECT count(*) FROM exchange WHERE outcome = 'ok'") == "2")
        #expect(try isSound(lab))
    }

    @Test func `each fourth accept fails, and nobody is lost`() throws {
        let lab = try LabRecord(["--fault", "accept=4"])
        for _ in 0..<9 { #expect(try status(lab) == "200") }
        let end = lab.stop()
        #expect(end.status == 0)
        #expect(end.errors.contains("accept failed"))
        #expect(try isSound(lab))
    }

    @Test func `a client that left before it was accepted is counted and nothing else`() throws {
        let lab = try LabRecord(["--fault", "abort=2"])
        let statuses = try (0..<4).map { _ in try status(lab) }
        #expect(statuses == ["200", "000", "200", "000"])
        let end = lab.stop()
        #expect(end.status == 0)
        #expect(end.errors.contains("gone before it could be accepted"))
        #expect(
            try lab.sql("SELECT count(*) FROM server_event WHERE kind = 'accept_failed'") == "2"
        )
        #expect(try isSound(lab))
    }

    @Test func `with too few descriptors to begin with it says so and does not start`() throws {
        let session = try Place.temporary().appendingPathComponent("session.db").path
        let end = try Tool([
            "prlimit", "--nofile=7", Place.lab, "record", "--port", "0", "--output", session,
        ]).finish()
        #expect(end.status == 2)
        #expect(end.errors.contains("Too many open files"))
    }

    @Test func `a recorder that had no descriptor left could not be ended`() throws {
        let lab = try LabRecord()
        try Tool.run("prlimit", "--pid", "\(lab.pid)", "--nofile=4:1024")
        #expect(lab.stop().status == 0)
    }

    // MARK: The queue

    @Test func `a listen queue that overflows is seen, and so is how long its connections waited`()
        throws
    {
        let lab = try LabRecord(["--backlog", "1", "--max-children", "1"])
        let clients = try (0..<6).map { _ in
            try Tool(["curl", "-s", "--max-time", "60", lab.url("/sleep/0.3")])
        }
        #expect(lab.line(with: "The listen queue of 1 is full") != nil)
        for client in clients { #expect(client.finish().output == "Slept for 0.3 s.\n") }
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql(
                "SELECT sum(json_extract(detail, '$.dropped')) > 0, max(json_extract(detail, '$.backlog')) FROM server_event WHERE kind = 'listen_overflow'"
            ) == "1|1"
        )
        #expect(try lab.sql("SELECT max(queue_ms) > 200 FROM timing") == "1")
        let report = try Tool.run(Place.lab, "report", lab.session).output
        #expect(report.contains("The listen queue was full"))
        #expect(try isSound(lab))
    }

    @Test func `a queue with room tells of no overflow`() throws {
        let lab = try LabRecord(["--max-children", "1"])
        let load = try Tool.run("ab", "-q", "-n", "60", "-c", "20", lab.url("/"))
        #expect(load.output.contains("Failed requests:        0"))
        #expect(!lab.stop().errors.contains("queue"))
        #expect(
            try lab.sql("SELECT count(*) FROM server_event WHERE kind = 'listen_overflow'") == "0"
        )
    }
}
