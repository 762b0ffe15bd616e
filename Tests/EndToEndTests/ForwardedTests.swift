import Foundation
import LabTestSupport
import Testing

/// What an upstream is told of the client.
@Suite struct ForwardedTests {
    private func upstream() throws -> ScriptedServer {
        try ScriptedServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi" }
    }

    /// The lines of a head that tell of the client.
    private func told(_ head: String) -> [String] {
        head.components(separatedBy: "\r\n").filter { $0.lowercased().contains("forwarded") }
    }

    @Test(arguments: [
        ("none", []),
        (
            "x",
            [
                "X-Forwarded-For: 127.0.0.1", "X-Forwarded-Proto: http",
                "X-Forwarded-Host: asked:81",
            ]
        ), ("rfc7239", ["Forwarded: for=127.0.0.1;host=\"asked:81\";proto=http"]),
    ])
    func `an upstream is told of the client as was asked, in a replay too`(
        fields: String,
        lines: [String]
    ) throws {
        let upstream = try upstream()
        defer { upstream.stop() }
        let direct = "http://127.0.0.1:\(upstream.port)"
        let lab = try LabRecord(["--upstream", direct, "--forwarded", fields])
        #expect(try lab.get("/", "-H", "Host: asked:81") == "hi")
        lab.stop()
        #expect(upstream.requests.map { told($0) } == [lines])
        #expect(try Tool.run(Place.lab, "replay", lab.session, "--target", direct).status == 0)
        #expect(upstream.requests.count == 2)
        #expect(Set(upstream.requests).count == 1, "\(upstream.requests)")
    }

    @Test func `nobody is told of the client who did not ask`() throws {
        let upstream = try upstream()
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        #expect(try lab.get("/", "-H", "X-Forwarded-For: 192.0.2.1") == "hi")
        lab.stop()
        // What the client says itself goes through as any field does.
        #expect(upstream.requests.map { told($0) } == [["X-Forwarded-For: 192.0.2.1"]])
    }

    @Test func `what a proxy before it told is kept and added to`() throws {
        let upstream = try upstream()
        defer { upstream.stop() }
        let direct = ["--upstream", "http://127.0.0.1:\(upstream.port)"]
        let x = try LabRecord(direct + ["--forwarded", "x"])
        _ = try x.get(
            "/",
            "-H",
            "X-Forwarded-For: 192.0.2.1, 192.0.2.2",
            "-H",
            "x-forwarded-for: 192.0.2.3",
            "-H",
            "X-Forwarded-Proto: https",
            "-H",
            "X-Forwarded-Host: first"
        )
        x.stop()
        let rfc7239 = try LabRecord(direct + ["--forwarded", "rfc7239"])
        _ = try rfc7239.get("/", "--http1.0", "-H", "Host:", "-H", "Forwarded: for=192.0.2.1")
        rfc7239.stop()
        #expect(
            upstream.requests.map { told($0) } == [
                [
                    "X-Forwarded-Proto: https", "X-Forwarded-Host: first",
                    "X-Forwarded-For: 192.0.2.1, 192.0.2.2, 192.0.2.3, 127.0.0.1",
                ], ["Forwarded: for=192.0.2.1", "Forwarded: for=127.0.0.1;proto=http"],
            ]
        )
    }

    @Test func `a forward proxy tells too, and an IPv6 address stands in brackets and quotes`()
        throws
    {
        let origin = try upstream()
        defer { origin.stop() }
        let lab = try LabRecord(["--host", "::1", "--forwarded", "rfc7239"])
        _ = try Tool.run(
            "curl",
            "-s",
            "-x",
            "http://[::1]:\(lab.port)",
            "http://127.0.0.1:\(origin.port)/"
        )
        lab.stop()
        #expect(
            origin.requests.map { told($0) } == [
                ["Forwarded: for=\"[::1]\";host=\"127.0.0.1:\(origin.port)\";proto=http"]
            ]
        )
    }

    @Test func `another word is bad usage`() throws {
        let end = try Tool.run(Place.lab, "record", "--port", "0", "--forwarded", "yes")
        #expect(end.status == 64)
        #expect(end.errors.contains("none, x, rfc7239") || end.errors.contains("rfc7239"))
    }
}
