import Foundation
import LabTestSupport
import Testing

/// How a recording ends, by every way that it can.
@Suite struct EndingTests {
    @Test(arguments: [SIGINT, SIGTERM])
    func `a signal drains: what was begun is answered, recorded and reaped`(number: Int32) throws {
        let lab = try LabRecord(["-v"])
        let idle = try RawClient(port: lab.port)
        try idle.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        _ = idle.read { $0.hasSuffix("World!") }
        let slow = try RawClient(port: lab.port)
        try slow.send("GET /sleep/0.5 HTTP/1.1\r\nHost: a\r\n\r\n")
        // The child has the request once it shows in the session, before its application ran.
        while try lab.sql("SELECT count(*) FROM exchange") != "2" {}
        lab.signal(number)
        #expect(slow.readToEnd().hasSuffix("Slept for 0.5 s.\n"))
        #expect(idle.readToEnd().isEmpty)
        let end = lab.finish()
        #expect(end.status == 0)
        #expect(end.errors.contains("recorded 2 exchanges (2 ok, 0 not) on 2 connections"))
        #expect(
            try lab.sql("SELECT count(*) FROM child WHERE fate = 'exited' AND exit_code = 0") == "2"
        )
        #expect(try lab.sql("SELECT end_reason, ended_at IS NOT NULL FROM recording") == "signal|1")
    }

    @Test func `a second signal ends at once and the children are on record as killed`() throws {
        let lab = try LabRecord()
        let slow = try RawClient(port: lab.port)
        try slow.send("GET /sleep/60 HTTP/1.1\r\nHost: a\r\n\r\n")
        while try lab.sql("SELECT count(*) FROM exchange") != "1" {}
        lab.signal(SIGINT)
        while try lab.sql("SELECT count(*) FROM exchange WHERE outcome IS NULL") != "1" {}
        lab.signal(SIGTERM)
        #expect(lab.finish().status == 130)
        #expect(slow.readToEnd().isEmpty)
        #expect(try lab.sql("PRAGMA integrity_check") == "ok")
        #expect(["signalled", "unknown"].contains(try lab.sql("SELECT fate FROM child")))
    }

    @Test func `children that do not finish in time are killed and named`() throws {
        let lab = try LabRecord(["--drain-timeout", "100ms"])
        let slow = try RawClient(port: lab.port)
        try slow.send("GET /sleep/60 HTTP/1.1\r\nHost: a\r\n\r\n")
        while try lab.sql("SELECT count(*) FROM exchange") != "1" {}
        let end = lab.stop()
        #expect(end.status == 0)
        #expect(end.errors.contains("did not finish in time"))
        #expect(try lab.sql("SELECT fate, term_signal FROM child") == "signalled|9")
        #expect(try lab.sql("SELECT kind FROM server_event WHERE kind = 'killed'") == "killed")
    }

    @Test func `a drain that was given no time waited for its children all the same`() throws {
        // Two signals at once are often one, but not always: hence three tries.
        for _ in 0..<3 {
            let lab = try LabRecord(["--drain-timeout", "0s"])
            let slow = try RawClient(port: lab.port)
            try slow.send("GET /sleep/5 HTTP/1.1\r\nHost: a\r\n\r\n")
            while try lab.sql("SELECT count(*) FROM exchange") != "1" {}
            #expect(lab.stop().status == 0)
            #expect(try lab.sql("SELECT fate, term_signal FROM child") == "signalled|9")
        }
    }

    @Test func `when the fork server is killed the recorder says so and keeps what it has`() throws
    {
        let lab = try LabRecord()
        _ = try lab.get("/")
        let slow = try RawClient(port: lab.port)
        try slow.send("GET /sleep/60 HTTP/1.1\r\nHost: a\r\n\r\n")
        while try lab.sql("SELECT count(*) FROM exchange") != "2" {}
        kill(try lab.forkServer(), SIGKILL)
        let end = lab.finish()
        #expect(end.status == 2)
        #expect(end.errors.contains("The fork server is gone (ended by signal 9)"))
        #expect(slow.readToEnd().isEmpty)
        #expect(try lab.sql("SELECT fate FROM child ORDER BY connection_id") == "exited\nunknown")
        #expect(try lab.sql("SELECT end_reason FROM recording") == "server lost")
    }

    @Test func `when the recorder is killed the fork server and its children go too`() throws {
        let lab = try LabRecord()
        let server = try lab.forkServer()
        _ = try lab.get("/")
        let slow = try RawClient(port: lab.port)
        try slow.send("GET /sleep/60 HTTP/1.1\r\nHost: a\r\n\r\n")
        while try lab.sql("SELECT count(*) FROM exchange") != "2" {}
        lab.signal(SIGKILL)
        _ = lab.finish()
        // Its end closes the client's connection; the fork server's closes the listener.
        #expect(slow.readToEnd().isEmpty)
        while kill(server, 0) == 0 {}
        #expect(try lab.sql("PRAGMA integrity_check") == "ok")
        #expect(try lab.sql("SELECT count(*) FROM exchange WHERE outcome = 'ok'") == "1")
        let next = try LabRecord(["--append"], session: lab.session)
        next.stop()
        #expect(try lab.sql("SELECT group_concat(fate) FROM child") == "exited,unknown")
        #expect(try lab.sql("SELECT count(*) FROM recording") == "2")
    }

    @Test func `a session is added to and never overwritten`() throws {
        let lab = try LabRecord()
        _ = try lab.get("/")
        lab.stop()
        let again = try Tool.run(Place.lab, "record", "--port", "0", "--output", lab.session)
        #expect(again.status == 2)
        #expect(again.errors.contains("--append"))
        #expect(again.errors.contains("--output"))
        let more = try LabRecord(["--append"], session: lab.session)
        _ = try more.get("/")
        more.stop()
        #expect(
            try lab.sql("SELECT count(*), count(DISTINCT connection_id) FROM exchange") == "2|2"
        )
    }
}
