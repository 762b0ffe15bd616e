import Foundation
import LabTestSupport
import Testing

/// The trace that a proxy leaves in what it sends on, and the loops that it finds by it.
@Suite struct ViaTests {
    /// Answers with the request's `Via`, as an application does that shows what it was asked.
    private func viaServer() throws -> ScriptedServer {
        try ScriptedServer { head in
            let via = head.components(separatedBy: "\r\n").filter { $0.hasPrefix("Via: ") }
                .joined(separator: "\n")
            return "HTTP/1.1 200 OK\r\nContent-Length: \(via.utf8.count)\r\n\r\n\(via)"
        }
    }

    private func pseudonym(_ lab: LabRecord) throws -> String {
        try lab.sql("SELECT pseudonym FROM recording")
    }

    @Test func `a reverse proxy names itself to both sides, after those before it`() throws {
        let upstream = try viaServer()
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        let name = try pseudonym(lab)
        #expect(name.wholeMatch(of: /lab-[0-9a-f]{8}/) != nil)
        let end = try Tool.run("curl", "-si", "-H", "Via: 1.0 other", lab.url("/"))
        #expect(end.output.hasSuffix("\r\n\r\nVia: 1.0 other\nVia: 1.1 \(name)"))
        #expect(end.output.contains("\r\nVia: 1.1 \(name)\r\n"))
        #expect(try lab.get("/", "--http1.0") == "Via: 1.0 \(name)")
        lab.stop()
        // What is stored is what the upstream sent.
        #expect(
            try lab.sql(
                "SELECT count(*) FROM exchange WHERE CAST(response_head AS TEXT) LIKE '%via%'"
            )
                == "0"
        )
    }

    @Test func `the built-in application sends nothing on and names nobody`() throws {
        let lab = try LabRecord()
        #expect(try !lab.get("/environ", "-i").contains("ia: "))
        #expect(try lab.get("/", "-x", lab.url("")) == "Hello, World!")
        lab.stop()
    }

    @Test func `a request that goes in a loop is answered 508 the second time`() throws {
        let port = try ScriptedServer.freePort()
        let far = try LabRecord(["--upstream", "http://127.0.0.1:\(port)"])
        let near = try LabRecord(["--port", "\(port)", "--upstream", far.url("")])
        let end = try near.get("/", "-w", "%{http_code}")
        #expect(end.hasSuffix("goes in a loop.\n508"))
        #expect(
            try near.get("/", "--data", "words", "-o", "/dev/null", "-w", "%{http_code}") == "508"
        )
        near.stop()
        far.stop()
        // The one that is asked again answers; that is on record as the last of its exchanges to
        // begin and the first to end.
        #expect(
            try near.sql(
                "SELECT group_concat(status || outcome), sum(error LIKE '%in a loop'), sum(upstream_connected_ns IS NULL) FROM exchange"
            ) == "508ok,508ok,508ok,508ok|2|2"
        )
        #expect(
            try far.sql("SELECT group_concat(status || outcome) FROM exchange") == "508ok,508ok"
        )
    }

    @Test func `proxies in a row are no loop, and neither is another's name that begins alike`()
        throws
    {
        let origin = try viaServer()
        defer { origin.stop() }
        let far = try LabRecord(["--upstream", "http://127.0.0.1:\(origin.port)"])
        let near = try LabRecord(["--upstream", far.url("")])
        let (one, two) = (try pseudonym(near), try pseudonym(far))
        #expect(one != two)
        #expect(
            try near.get("/", "-H", "Via: 1.1 \(one)0, 1.1 lab") == """
                Via: 1.1 \(one)0, 1.1 lab
                Via: 1.1 \(one)
                Via: 1.1 \(two)
                """
        )
        // In any case, with a comment, and among others it is its own.
        #expect(
            try near.get(
                "/",
                "-H",
                "Via: 1.0 a, HTTP/1.1 \(one.uppercased()) (lab)",
                "-o",
                "/dev/null",
                "-w",
                "%{http_code}"
            ) == "508"
        )
        near.stop()
        far.stop()
    }

    @Test(arguments: [true, false])
    func `a replay sends the Via and the Upgrade that the recorded server got`(
        isReverse: Bool
    ) throws {
        let origin = try viaServer()
        defer { origin.stop() }
        let direct = "http://127.0.0.1:\(origin.port)"
        let lab = try LabRecord(isReverse ? ["--upstream", direct] : [])
        let fields = [
            "-H", "Connection: X-Hop, Upgrade", "-H", "X-Hop: 1", "-H", "Upgrade: chat, h2c",
        ]
        let way = isReverse ? [lab.url("/p")] : ["-x", lab.url(""), "\(direct)/p"]
        _ = try Tool(["curl", "-s"] + fields + way).finish()
        lab.stop()
        let end = try Tool.run(Place.lab, "replay", lab.session, "--target", direct, "--json")
        #expect(end.status == 0, "\(end.errors)")
        #expect(end.output.contains("\"mismatches\":0"), "\(end.output)")
        #expect(origin.requests.count == 2)
        #expect(Set(origin.requests).count == 1, "\(origin.requests)")
        #expect(origin.requests[0].contains("\r\nConnection: Upgrade\r\nUpgrade: chat\r\n"))
    }
}
