import Foundation
import LabTestSupport
import Testing

/// Trailers of chunked messages through a proxy.
@Suite struct TrailerTests {
    private let chunked = "Transfer-Encoding: chunked\r\n"

    @Test
    func `a request's trailers reach the upstream, but for those that must stand in its head`()
        throws
    {
        let server = try RawServer()
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(server.port)"])
        let client = try RawClient(port: lab.port)
        let head = "POST /p HTTP/1.1\r\nHost: a\r\nTrailer: X-Sum\r\nTE: trailers\r\n\(chunked)\r\n"
        let content = "5\r\nhello\r\n0\r\n"
        try client.send(
            "\(head)\(content)X-Sum: 1\r\nContent-Length: 99\r\nAuthorization: x\r\nX-End: 2\r\n\r\n"
        )
        let peer = try server.accept()
        let seen = peer.read { $0.hasSuffix("X-End: 2\r\n\r\n") }
        #expect(seen.hasSuffix("\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-End: 2\r\n\r\n"))
        #expect(seen.contains("\r\nTrailer: X-Sum\r\n"))
        #expect(seen.contains("\r\nConnection: TE\r\nTE: trailers\r\n"))
        #expect(!seen.contains("Content-Length") && !seen.contains("Authorization"))
        try peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        #expect(client.read { $0.hasSuffix("hi") }.hasPrefix("HTTP/1.1 200 "))
        // The connection goes on: the trailers were read to their end.
        try client.send("GET /q HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        #expect(peer.read { $0.hasSuffix("\r\n\r\n") }.hasPrefix("GET /q HTTP/1.1\r\n"))
        try peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nho")
        #expect(client.readToEnd().hasSuffix("ho"))
        lab.stop()
        let place = "\(head)\(content)X-Sum: 1\r\n".utf8.count
        #expect(
            try lab.sql(
                "SELECT exchange_id, code, section, message, offset FROM deviation ORDER BY offset"
            )
                == """
                1|trailer-field-forbidden|RFC 9110 6.5.1|request|\(place)
                1|trailer-field-forbidden|RFC 9110 6.5.1|request|\(place + 20)
                """
        )
        #expect(
            try lab.sql(
                "SELECT sum(environ LIKE '%SUM%' AND environ NOT LIKE '%HTTP_TRAILER%'), sum(environ LIKE '%X_END%'), sum(environ LIKE '%AUTHORIZATION%') FROM exchange"
            ) == "0|0|0"
        )
    }

    @Test func `an answer's trailers reach the client, but for those that must stand in its head`()
        throws
    {
        let upstream = try ScriptedServer { _ in
            "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\nX-End: 2\r\n\r\n"
        }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        let seen = try lab.get("/", "--raw", "-i")
        #expect(seen.contains("\r\nTrailer: X-Sum\r\n") && seen.contains("\r\n\(chunked)"))
        // curl prints trailers after the content, as it prints fields.
        #expect(seen.hasSuffix("5\r\nhello\r\n0\r\nX-Sum: 1\r\nX-End: 2\r\n\r\n"), "\(seen)")
        lab.stop()
        #expect(
            try lab.sql("SELECT code, message, offset FROM deviation")
                == "trailer-field-forbidden|response|86"
        )
        #expect(try lab.sql("SELECT CAST(bytes AS TEXT) FROM body") == "hello")
        #expect(
            try Tool.run(Place.lab, "show", lab.session, "1").output.contains(
                "trailer-field-forbidden (RFC 9110 6.5.1): the response has a trailer field"
            )
        )
    }

    @Test func `trailers are on record as they came, and a replay sends those of requests again`()
        throws
    {
        let trailers = "X-Sum: 1\r\nX-End:  2\r\n"
        let first = try ScriptedServer { _ in
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nA: b\r\n\r\n"
        }
        defer { first.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(first.port)"])
        _ = try lab.exchange(
            "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\(chunked)\r\n0\r\n\(trailers)\r\n"
        )
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT CAST(request_trailers AS TEXT) = '\(trailers)', CAST(response_trailers AS TEXT) = 'A: b\r\n' FROM exchange"
            ) == "1|1"
        )
        let shown = try Tool.run(Place.lab, "show", lab.session, "1").output
        #expect(shown.contains("\n> X-Sum: 1\n> X-End:  2\n"), "\(shown)")
        #expect(shown.contains("\nhi\n< A: b\n"), "\(shown)")

        let second = try RawServer()
        let replay = try Tool([
            Place.lab, "replay", lab.session, "--target", "http://127.0.0.1:\(second.port)",
        ])
        let peer = try second.accept()
        let seen = peer.read { $0.hasSuffix("2\r\n\r\n") }
        #expect(seen.hasSuffix("\r\n\r\n0\r\n\(trailers)\r\n"), "\(seen)")
        try peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi")
        #expect(replay.finish().status == 0)
    }

    @Test func `a client of HTTP 1.0 gets no chunks and no trailers, and nothing is noted`() throws
    {
        let upstream = try ScriptedServer { _ in
            "HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\nSet-Cookie: a=b\r\n\r\n"
        }
        defer { upstream.stop() }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(upstream.port)"])
        let seen = try lab.get("/", "--http1.0", "-i")
        #expect(seen.hasSuffix("\r\n\r\nhello"))
        #expect(!seen.contains("railer") && !seen.contains("X-Sum"))
        lab.stop()
        #expect(try lab.sql("SELECT count(*) FROM deviation") == "0")
    }

    @Test func `a malformed trailer is a bad request, or a bad answer`() throws {
        let server = try RawServer()
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(server.port)"])
        let client = try RawClient(port: lab.port)
        try client.send("POST / HTTP/1.1\r\nHost: a\r\n\(chunked)\r\n0\r\nX Y: 1\r\n\r\n")
        #expect(client.read { $0.contains("\r\n\r\n") }.hasPrefix("HTTP/1.1 400 "))
        client.endSending()
        lab.stop()
        #expect(try lab.sql("SELECT code FROM deviation") == "trailer-invalid")
    }

    @Test func `the built-in application reads trailers and takes nothing from them`() throws {
        let lab = try LabRecord()
        let answer = try lab.exchange(
            "POST /echo HTTP/1.1\r\nHost: a\r\n\(chunked)\r\n2\r\nhi\r\n0\r\nContent-Length: 9\r\nX-End: 1\r\n\r\nGET /environ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        lab.stop()
        #expect(answer.contains("\r\n\r\nhi"))
        #expect(answer.contains("\"REQUEST_METHOD\":\"GET\"") && !answer.contains("X_END"))
        #expect(try lab.sql("SELECT group_concat(outcome) FROM exchange") == "ok,ok")
        #expect(
            try lab.sql("SELECT exchange_id, code FROM deviation") == "1|trailer-field-forbidden"
        )
    }
}
