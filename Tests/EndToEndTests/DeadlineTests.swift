import Foundation
import LabTestSupport
import Testing

/// Children that take too long.
@Suite struct DeadlineTests {
    @Test
    func `a child past its time is ended, its client is answered 504, and both are on record`()
        throws
    {
        let lab = try LabRecord(["--child-timeout", "200ms"])
        #expect(try lab.get("/sleep/30", "-w", "%{http_code}") == "504")
        #expect(try lab.get("/") == "Hello, World!")
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql(
                "SELECT e.status, e.outcome, c.fate, c.term_signal FROM exchange e JOIN child c USING (connection_id) ORDER BY e.id LIMIT 1"
            ) == "504|child_died|timed_out|15"
        )
        #expect(
            try lab.sql("SELECT error FROM exchange WHERE id = 1").contains("for taking too long")
        )
        #expect(
            try lab.sql(
                "SELECT json_extract(detail, '$.why'), json_extract(detail, '$.wchan') LIKE '%nanosleep%' FROM server_event WHERE kind = 'killed'"
            ) == "child-timeout|1"
        )
    }

    @Test func `a child that is deaf to SIGTERM is killed after a grace`() throws {
        let lab = try LabRecord(["--child-timeout", "200ms"])
        #expect(try lab.get("/deaf/30", "-w", "%{http_code}") == "504")
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql(
                "SELECT e.status, e.outcome, c.fate, c.term_signal FROM exchange e JOIN child c USING (connection_id)"
            ) == "504|child_died|timed_out|9"
        )
        // The grace is a second, and lies between the first signal and the end.
        #expect(
            try lab.sql(
                "SELECT min(c.reaped_ns - v.at_ns) >= 1000000000 FROM child c, server_event v WHERE v.kind = 'killed'"
            ) == "1"
        )
    }

    @Test func `an answer that has begun is broken off and not answered twice`() throws {
        let upstream = try LabRecord(["--drain-timeout", "100ms"])
        let lab = try LabRecord(["--upstream", upstream.url(""), "--child-timeout", "300ms"])
        let client = try RawClient(port: lab.port)
        try client.send("GET /bytes/500000000 HTTP/1.1\r\nHost: a\r\n\r\n")
        // It reads the beginning and then nothing, so that the child can't finish.
        _ = client.read { $0.utf8.count > 1000 }
        while try lab.sql("SELECT count(*) FROM server_event WHERE kind = 'killed'") == "0" {}
        client.reset()
        lab.stop()
        upstream.stop()
        #expect(
            try lab.sql(
                "SELECT e.status, e.outcome, c.fate FROM exchange e JOIN child c USING (connection_id)"
            ) == "200|child_died|timed_out"
        )
    }

    @Test func `between requests a child has all the time it wants`() throws {
        let lab = try LabRecord(["--child-timeout", "100ms", "-v"])
        let idle = try RawClient(port: lab.port)
        try idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = idle.read { $0.hasSuffix("World!") }
        // Longer than the deadline by the server's own clock: another child is ended meanwhile.
        #expect(try lab.get("/sleep/30", "-w", "%{http_code}") == "504")
        try idle.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(idle.readToEnd().hasSuffix("World!"))
        lab.stop()
        #expect(try lab.sql("SELECT count(*) FROM child WHERE fate = 'timed_out'") == "1")
    }

    @Test func `many late children at once keep no client waiting`() throws {
        let lab = try LabRecord(["--child-timeout", "200ms"])
        let load = try Tool.run(
            "ab",
            "-q",
            "-n",
            "40",
            "-c",
            "20",
            lab.url("/sleep/30")
        )
        #expect(load.output.contains("Non-2xx responses:      40"))
        lab.stop()
        #expect(try lab.sql("SELECT count(*) FROM exchange WHERE status = 504") == "40")
    }
}
