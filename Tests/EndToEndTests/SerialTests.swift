import Foundation
import LabTestSupport
import Testing

/// The tutorial's first servers: one process, one connection after the other.
@Suite struct SerialTests {
    /// Three clients at once, each of whom is answered after some seconds.
    ///
    /// All are connected before the first one's request is sent, which comes last.
    private func record(_ options: [String], seconds: String) throws -> LabRecord {
        let lab = try LabRecord(options)
        let clients = try (0..<3).map { _ in try RawClient(port: lab.port) }
        for client in clients.reversed() {
            try client.send(
                "GET /sleep/\(seconds) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            )
        }
        for client in clients { #expect(client.readToEnd().hasSuffix("Slept for \(seconds) s.\n")) }
        #expect(lab.stop().status == 0)
        return lab
    }

    private static let overlaps = """
        SELECT count(*) FROM exchange a JOIN exchange b
        ON a.id < b.id AND b.head_ns < a.response_ended_ns
        """

    @Test func `the next client waits, and how long it stood in the queue is on record`() throws {
        let lab = try record(["--serial"], seconds: "0.3")
        #expect(try lab.sql(Self.overlaps) == "0")
        // Who came last waited for two answers; the kernel's tick may hide some milliseconds.
        #expect(try lab.sql("SELECT max(queue_ms) > 550 FROM timing") == "1")
        #expect(try lab.sql("SELECT count(*), count(DISTINCT child_pid) FROM exchange") == "3|1")
        #expect(try lab.sql("SELECT count(*) FROM child") == "0")
        #expect(try lab.sql("SELECT count(*) FROM connection WHERE closed_ns IS NULL") == "0")
        #expect(try lab.sql("SELECT reap FROM recording") == "serial")
        let report = try Tool.run(Place.lab, "report", lab.session).output
        #expect(report.contains("until it was accepted"))
        #expect(try Tool.run(Place.lab, "check", lab.session).status == 0)
    }

    @Test func `with a process for each connection nobody waits`() throws {
        let lab = try record([], seconds: "2")
        #expect(try lab.sql(Self.overlaps) == "3")
        #expect(try lab.sql("SELECT max(queue_ms) < 1500 FROM timing") == "1")
    }

    @Test func `a request that crashes takes the server with it, and is on record`() throws {
        let lab = try LabRecord(["--serial"])
        try lab.get("/")
        try lab.get("/crash/11")
        let end = lab.finish()
        #expect(end.status == 2)
        #expect(end.errors.contains("The fork server is gone (ended by signal 11)"))
        #expect(
            try lab.sql("SELECT outcome FROM exchange ORDER BY id") == "ok\nchild_died"
        )
        #expect(
            try lab.sql("SELECT error FROM exchange WHERE id = 2")
                .hasSuffix("was ended by signal 11 while it served this request")
        )
    }

    @Test func `Ctrl-C ends it while a client that says nothing is connected`() throws {
        let lab = try LabRecord(["--serial", "--header-timeout", "1h"])
        try lab.get("/")
        let silent = try RawClient(port: lab.port)
        // Whoever comes now waits behind the silent one, who is being served.
        let behind = try Tool(["curl", "-s", "--max-time", "30", lab.url("/")])
        while try lab.sql("SELECT count(*) FROM connection") != "2" {}
        #expect(lab.stop().status == 0)
        #expect(behind.finish().output == "Hello, World!")
        _ = silent
        #expect(try lab.sql("SELECT count(*) FROM exchange WHERE outcome = 'ok'") == "2")
    }

    @Test func `Ctrl-C ends it while nobody is connected but a client between two requests`() throws
    {
        let lab = try LabRecord(["--serial", "--drain-timeout", "1h"])
        let client = try RawClient(port: lab.port)
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(client.readAnswer()?.hasSuffix("Hello, World!") == true)
        #expect(lab.stop().status == 0)
        #expect(try lab.sql("SELECT outcome FROM exchange") == "ok")
    }

    @Test func `Ctrl-C while a request is served ends it after that one`() throws {
        let lab = try LabRecord(["--serial", "--drain-timeout", "1h"])
        let client = try RawClient(port: lab.port)
        try client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nhal")
        while try lab.sql("SELECT count(*) FROM exchange") != "1" {}
        lab.signal(SIGINT)
        try client.send("ves")
        #expect(client.readToEnd().hasSuffix("halves"))
        #expect(lab.finish().status == 0)
    }

    @Test func `a request that will not end is given up after the drain's time`() throws {
        let lab = try LabRecord(["--serial", "--drain-timeout", "200ms"])
        let client = try RawClient(port: lab.port)
        try client.send("GET /sleep/600 HTTP/1.1\r\nHost: a\r\n\r\n")
        while try lab.sql("SELECT count(*) FROM exchange") != "1" {}
        let end = lab.stop()
        #expect(end.errors.contains("did not finish in time; the server is killed"))
        #expect(try lab.sql("SELECT outcome FROM exchange") == "child_died")
    }

    @Test(arguments: [
        ["--reap", "never"], ["--max-children", "3"], ["--child-timeout", "1s"],
    ])
    func `what is about children does not go with it`(options: [String]) throws {
        let end = try Tool([Place.lab, "record", "--serial"] + options).finish()
        #expect(end.status == 64)
        #expect(end.errors.contains("--serial forks no children"))
    }
}
