import Foundation
import LabTestSupport
import Testing

/// How far a TRACE or OPTIONS may go.
@Suite struct MaxForwardsTests {
    private func upstream() throws -> ScriptedServer {
        try ScriptedServer { _ in "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nup" }
    }

    @Test(arguments: [true, false])
    func `an OPTIONS that may go no further is answered here`(isReverse: Bool) throws {
        let upstream = try upstream()
        defer { upstream.stop() }
        let direct = "http://127.0.0.1:\(upstream.port)"
        let lab = try LabRecord(isReverse ? ["--upstream", direct] : [])
        let way = isReverse ? [lab.url("/")] : ["-x", lab.url(""), "\(direct)/"]
        let options = ["curl", "-si", "-X", "OPTIONS", "-H"]
        let here = try Tool(options + ["Max-Forwards: 0"] + way).finish().output
        #expect(here.hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(here.contains("\r\nAllow: GET, HEAD, "))
        #expect(here.contains("\r\nContent-Length: 0\r\n") && here.hasSuffix("\r\n\r\n"))
        #expect(upstream.requests.isEmpty)
        #expect(try Tool(options + ["Max-Forwards: 2"] + way).finish().output.hasSuffix("up"))
        lab.stop()
        #expect(upstream.requests.map { $0.contains("\r\nMax-Forwards: 1\r\n") } == [true])
        #expect(
            try lab.sql("SELECT method, status, outcome, error IS NULL FROM exchange")
                == "OPTIONS|200|ok|1\nOPTIONS|200|ok|1"
        )
    }

    @Test func `a TRACE that may go no further shows what came here, without secrets`() throws {
        let upstream = try upstream()
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        let fields = "Host: a\r\nVia: 1.1 b\r\nMax-Forwards: 0\r\nConnection: close\r\n"
        let answer = try lab.exchange(
            "TRACE /p HTTP/1.1\r\nCookie: c\r\n\(fields)Authorization: d\r\n\r\n"
        )
        lab.stop()
        #expect(answer.contains("\r\nContent-Type: message/http\r\n"))
        #expect(answer.hasSuffix("\r\n\r\nTRACE /p HTTP/1.1\r\n\(fields)\r\n"))
        #expect(upstream.requests.isEmpty)
    }

    @Test(arguments: [
        ("OPTIONS", "x"), ("TRACE", "-1"), ("TRACE", "1, 0"), ("GET", "0"), ("POST", "0"),
    ])
    func `a limit that is none is passed on as it is`(method: String, value: String) throws {
        let upstream = try upstream()
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        #expect(try lab.get("/", "-X", method, "-H", "Max-Forwards: \(value)") == "up")
        lab.stop()
        #expect(upstream.requests.map { $0.contains("\r\nMax-Forwards: \(value)\r\n") } == [true])
    }

    @Test func `in a chain each proxy answers at its own count, and content is no second request`()
        throws
    {
        let origin = try upstream()
        defer { origin.stop() }
        let far = try LabRecord(["--upstream", "http://127.0.0.1:\(origin.port)"])
        let near = try LabRecord(["--upstream", far.url("")])
        let (one, two) = try (
            near.sql("SELECT pseudonym FROM recording"), far.sql("SELECT pseudonym FROM recording")
        )
        let first = try near.get("/", "-X", "TRACE", "-H", "Max-Forwards: 0")
        let second = try near.get("/", "-X", "TRACE", "-H", "Max-Forwards: 1")
        #expect(!first.contains("Via"))
        #expect(second.contains("\r\nVia: 1.1 \(one)\r\n") && !second.contains(two))
        #expect(second.contains("\r\nMax-Forwards: 0\r\n"))
        #expect(try near.get("/", "-X", "TRACE", "-H", "Max-Forwards: 2") == "up")
        // The content is not read, so the connection ends with the answer.
        let closed = try near.exchange(
            "OPTIONS / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\nContent-Length: 30\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        )
        #expect(closed.components(separatedBy: "HTTP/1.1 200 ").count == 2)
        #expect(closed.contains("\r\nConnection: close\r\n"))
        near.stop()
        far.stop()
    }
}
