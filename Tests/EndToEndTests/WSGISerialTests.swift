import Foundation
import LabTestSupport
import Testing

/// A WSGI application in the one process that serves all connections, as the tutorial's second server
/// has it.
@Suite struct WSGISerialTests {
    private struct Told: Decodable, Equatable {
        var count: Int
        var pid: Int32
        var multiprocess: Bool
    }

    private func ask(_ lab: LabRecord) throws -> Told {
        try JSONDecoder().decode(Told.self, from: Data(lab.get("/").utf8))
    }

    @Test func `it keeps what it remembers from one connection to the next, and is told so`() throws
    {
        let lab = try WSGIApplications.host("counter:app", ["--serial"])
        let server = try lab.forkServer()
        for number in 1...3 {
            #expect(try ask(lab) == Told(count: number, pid: server, multiprocess: false))
        }
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql(
                """
                SELECT count(*), count(DISTINCT connection_id), count(DISTINCT child_pid), sum(outcome = 'ok'),
                    sum(environ ->> '$."wsgi.multiprocess"' = 0) FROM exchange
                """
            ) == "3|3|1|3|3"
        )
        #expect(try lab.sql("SELECT mode, reap FROM recording") == "wsgi|serial")
        #expect(try lab.sql("SELECT count(*) FROM child") == "0")
        #expect(try Tool.run(Place.lab, "check", lab.session).status == 0)
    }

    @Test func `with a process for each connection it remembers nothing, and is told so`() throws {
        let lab = try WSGIApplications.host("counter:app")
        let server = try lab.forkServer()
        for _ in 1...3 {
            let told = try ask(lab)
            #expect(told.count == 1 && told.multiprocess && told.pid != server)
        }
        lab.stop()
    }

    @Test func `one request is served after the other, in the order of their connections`() throws {
        let lab = try WSGIApplications.host("counter:app", ["--serial"])
        let clients = try (0..<5).map { _ in try RawClient(port: lab.port) }
        // Who came first is served first, though it asks last.
        for client in clients.reversed() {
            try client.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        }
        for (number, client) in clients.enumerated() {
            #expect(client.readToEnd().contains("\"count\": \(number + 1)"))
        }
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT count(*) FROM exchange a JOIN exchange b ON a.id < b.id AND b.head_ns < a.response_ended_ns"
            ) == "0"
        )
    }

    @Test func `an exception and sys.exit are answers of 500, and the server goes on`() throws {
        let lab = try WSGIApplications.host("wrong:app", ["--serial"])
        for route in ["raise", "exit"] {
            #expect(try lab.get("/" + route, "-i").hasPrefix("HTTP/1.1 500 "))
        }
        #expect(try lab.get("/subprocess") == "[7, 3, -9, \"42\"]")
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql("SELECT outcome, error FROM exchange WHERE id = 2")
                == "app_error|the application called sys.exit(3)"
        )
        #expect(try lab.sql("SELECT outcome FROM exchange WHERE id = 3") == "ok")
    }

    @Test func `os._exit takes the server with it, and what asked for that is on record`() throws {
        let lab = try WSGIApplications.host("wrong:app", ["--serial"])
        try lab.get("/empty")
        try lab.get("/os_exit")
        let end = lab.finish()
        #expect(end.status == 2)
        #expect(end.errors.contains("The fork server is gone (exit code 5)"))
        #expect(
            try lab.sql("SELECT outcome, errors FROM exchange ORDER BY id")
                == "ok|\nchild_died|last words"
        )
    }
}
