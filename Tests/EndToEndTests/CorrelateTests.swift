import Foundation
import LabTestSupport
import Testing

/// A session with a login: what its client was given, and what becomes of it in a replay.
@Suite struct CorrelateTests {
    @Test func `lab correlate prints the cookies that were set and sent`() throws {
        let origin = try ScriptedServer { head in
            head.hasPrefix("GET /login")
                ? "HTTP/1.1 200 OK\r\nSet-Cookie: sid=abc; Path=/\r\nContent-Length: 0\r\n\r\n"
                : "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        }
        defer { origin.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(origin.port)"])
        let jar = try Place.temporary().appendingPathComponent("jar").path
        try Tool.run("curl", "-s", "-c", jar, "-b", jar, lab.url("/login"), lab.url("/home"))
        lab.stop()
        let end = try Tool.run(Place.lab, "correlate", lab.session)
        #expect(end.status == 0 && end.errors == "")
        let rules = try #require(
            try JSONSerialization.jsonObject(with: Data(end.output.utf8)) as? [String: Any]
        )
        let rule = (rules["rules"] as? [[String: Any]])?.first
        #expect(rule?["cookie"] as? String == "sid" && rule?["seen"] as? Int == 1)
        #expect(!end.output.contains("abc"))
    }

    @Test func `a client with a connection for each request is a session where it is asked for`()
        throws
    {
        let origin = try ScriptedServer { _ in
            "HTTP/1.1 200 OK\r\nSet-Cookie: sid=abc; Path=/\r\nContent-Length: 0\r\n\r\n"
        }
        defer { origin.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(origin.port)"])
        let jar = try Place.temporary().appendingPathComponent("jar").path
        for _ in 0..<2 { try Tool.run("curl", "-s", "-c", jar, "-b", jar, lab.url("/")) }
        lab.stop()
        let apart = try Tool.run(Place.lab, "correlate", lab.session)
        #expect(!apart.output.contains("\"cookie\""))
        let together = try Tool.run(Place.lab, "correlate", lab.session, "--sessions", "client")
        #expect(together.output.contains("\"cookie\" : \"sid\""))
    }

    @Test func `a session without any says so, and its rules are none`() throws {
        let lab = try LabRecord()
        _ = try lab.get("/")
        lab.stop()
        let end = try Tool.run(Place.lab, "correlate", lab.session)
        #expect(end.status == 0)
        #expect(end.errors.contains("shows no value that was answered and sent later."))
        #expect(end.output.contains("\"version\" : 1"))
    }
}
