import Foundation
import LabTestSupport
import Testing

/// PEP 3333 from both sides: what an application may do, and what it gets for what it may not.
@Suite struct WSGIGatewayTests {
    private let lab: LabRecord

    init() throws { lab = try WSGIApplications.host("wrong:app") }

    /// What one request came to: outcome, status, and why.
    private func outcome() throws -> String {
        lab.stop()
        return try lab.sql("SELECT outcome, status, ifnull(error, '') FROM exchange")
    }

    private static let wrong = [
        ("raise", "the application raised ValueError: a secret of the application's"),
        ("raise_after_start", "the application raised ValueError: nothing was sent yet"),
        ("never_start", "the application returned without having called start_response"),
        (
            "block_before_start",
            "the application returned without having called start_response"
        ),
        (
            "start_twice",
            "the application called start_response a second time, without exc_info"
        ),
        ("text", "the application gave a block that is str, not bytes: 'text'"),
        (
            "newline",
            "the application gave a line end or another control byte in the field 'X-Note'"
        ),
        ("bad_name", "the application gave 'X Note', which is no field name"),
        (
            "hop_by_hop",
            "the application gave the field 'Transfer-Encoding', which is about a connection"
        ),
        ("unicode", "the application gave a header's value that is not ISO 8859-1: '\u{2603}'"),
        ("bytes_header", "the application gave a header's name that is bytes, not str: b'X-Note'"),
        ("status_number", "the application gave a status that is int, not str: 200"),
        ("status_interim", "the application answered with the status 100, which is none"),
        ("not_iterable", "the application raised TypeError: 'NoneType' object is not iterable"),
    ]

    @Test(arguments: wrong)
    func `what an application does wrong is answered 500 and told in a sentence`(
        route: String,
        sentence: String
    ) throws {
        let answer = try lab.get("/" + route, "-i")
        #expect(answer.hasPrefix("HTTP/1.1 500 Internal Server Error\r\n"))
        #expect(!answer.contains("secret") && !answer.contains("Traceback"))
        #expect(try outcome() == "app_error|500|" + sentence)
    }

    @Test func `a traceback is in the session, from the application's own frame on`() throws {
        try lab.get("/raise")
        lab.stop()
        let errors = try lab.sql("SELECT errors FROM exchange")
        #expect(errors.hasPrefix("Traceback (most recent call last):\n  File "))
        #expect(
            errors.contains("in do_raise\n") && errors.hasSuffix("a secret of the application's")
        )
        #expect(!errors.contains("lab gateway"))
        let shown = try Tool.run(Place.lab, "show", lab.session, "1").output
        #expect(shown.contains("in do_raise") && shown.contains("raised ValueError"))
    }

    @Test func `an exception after the first block cuts the answer, and the client can tell`()
        throws
    {
        let end = try Tool.run("curl", "-s", "-S", lab.url("/raise_after_block"))
        #expect(end.status == 18, "curl: transfer closed with outstanding read data remaining")
        #expect(end.output == "begun\n")
        #expect(try outcome() == "app_error|200|the application raised RuntimeError: too late")
        #expect(try lab.sql("SELECT errors FROM exchange").contains("closed\n"))
    }

    @Test func `more than Content-Length is cut, and no more is asked for`() throws {
        #expect(try lab.get("/too_much") == "hello")
        #expect(
            try outcome()
                == "app_error|200|the application gave 10 bytes more than it had announced"
        )
        #expect(try lab.sql("SELECT errors FROM exchange") == "closed")
    }

    @Test func `less than Content-Length closes the connection and is told`() throws {
        let end = try Tool.run("curl", "-s", lab.url("/too_little"))
        #expect(end.status == 18)
        #expect(end.output == "hello")
        #expect(
            try outcome()
                == "app_error|200|the application gave 495 bytes less than it had announced"
        )
        #expect(try lab.sql("SELECT errors FROM exchange") == "closed")
    }

    @Test func `an application that writes more than Content-Length is told so`() throws {
        #expect(try lab.get("/write_too_much") == "hello")
        #expect(
            try outcome() == "app_error|200|the application wrote more than its Content-Length says"
        )
    }

    @Test func `exc_info replaces a head that was not sent, and is raised again after it`() throws {
        #expect(try lab.get("/exc_info", "-i").hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(try Tool.run("curl", "-s", lab.url("/exc_info_late")).output == "begun\n")
        lab.stop()
        #expect(
            try lab.sql("SELECT outcome, status, error FROM exchange ORDER BY id")
                == "ok|503|\napp_error|200|the application raised ValueError: raised again"
        )
    }

    @Test func `write and blocks are sent as they come, in chunks, and close is called`() throws {
        #expect(try lab.get("/write") == "one two three\n")
        #expect(try lab.get("/blocks") == "one two\n")
        lab.stop()
        #expect(try lab.sql("SELECT outcome FROM exchange") == "ok\nok")
        #expect(
            try lab.sql(
                "SELECT CAST(response_head AS TEXT) LIKE '%Transfer-Encoding: chunked%' FROM exchange"
            )
                == "1\n1"
        )
        #expect(try lab.sql("SELECT errors FROM exchange WHERE id = 2") == "closed")
    }

    @Test func `an answer of one block has its length, and so has an empty one`() throws {
        #expect(try lab.get("/thread", "-i").contains("Content-Length: 7\r\n"))
        #expect(try lab.get("/empty", "-i").contains("Content-Length: 0\r\n"))
        #expect(lab.stop().status == 0)
    }

    @Test func `HEAD, 204 and 304 have no content, whatever the application gives`() throws {
        let requests = [
            ("HEAD /blocks", "HTTP/1.1 200 OK"), ("GET /no_content", "HTTP/1.1 204 No Content"),
            ("GET /not_modified", "HTTP/1.1 304 Not Modified"),
        ]
        for (request, status) in requests {
            let answer = try lab.exchange(
                "\(request) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            )
            #expect(answer.hasPrefix(status + "\r\n") && answer.hasSuffix("\r\n\r\n"), "\(answer)")
            #expect(!answer.contains("Transfer-Encoding"))
        }
        // The length of a 304 is that of what it stands for; a 204 has none.
        #expect(try lab.get("/not_modified", "-i").contains("Content-Length: 17\r\n"))
        #expect(try !lab.get("/no_content", "-i").contains("Content-Length"))
        // Nothing waits for the end of what has none.
        #expect(try lab.get("/endless", "-I").hasPrefix("HTTP/1.1 200 OK"))
        #expect(lab.stop().status == 0)
    }

    @Test func `an HTTP 1.0 client gets no chunks, and the end of the connection for an end`()
        throws
    {
        let answer = try lab.exchange("GET /blocks HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        #expect(answer.contains("Connection: close\r\n") && answer.hasSuffix("\r\n\r\none two\n"))
        #expect(lab.stop().status == 0)
    }

    @Test func `a file is sent as far as its Content-Length, and closed`() throws {
        #expect(try lab.get("/file").count == 100_000)
        lab.stop()
        #expect(try lab.sql("SELECT errors FROM exchange") == "file closed True")
    }

    @Test func `a client that leaves ends the answer, and close is called`() throws {
        do {
            let client = try RawClient(port: lab.port)
            try client.send("GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
            _ = client.read { $0.utf8.count > 1000 }
            client.reset()
        }
        // The child ends by itself; were it not to, this would not end.
        #expect(lab.stop().status == 0)
        let told = try lab.sql("SELECT outcome, errors FROM exchange")
        #expect(told == "client_closed|closed", "\(told)")
    }

    @Test func `wsgi.input has the methods of a file, and an end`() throws {
        let told = try lab.get("/input", "--data-binary", "one\ntwo\nthree\nfour\nfive\nsix\nseven")
        #expect(
            told == "[b'on', b'e\\n', b'two', [b'\\n', b'three\\n'], b'fou', b'r\\n', b'', "
                + "b'five\\nsix\\nseven', b'', b'', b'', []]"
        )
        #expect(lab.stop().status == 0)
    }

    @Test(arguments: [0, 1, 70_000, 1_000_000])
    func `content is streamed both ways, of a known length and in chunks`(size: Int) throws {
        let file = try Place.temporary().appendingPathComponent("content")
        var generator = SplitMix64(seed: UInt64(size))
        let content = Data((0..<size).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
        try content.write(to: file)
        for options in [[], ["-H", "Transfer-Encoding: chunked"]] {
            let back = file.path + "-back"
            try Tool(
                ["curl", "-s", "-o", back, "--data-binary", "@" + file.path, lab.url("/echo")]
                    + options
            ).finish()
            #expect(try Data(contentsOf: URL(fileURLWithPath: back)) == content)
        }
        lab.stop()
        #expect(
            try lab.sql(
                """
                SELECT count(*), count(DISTINCT response_body_id), sum(outcome = 'ok'),
                    sum(response_body_id IS request_body_id) FROM exchange
                """
            ) == "2|\(size == 0 ? 0 : 1)|2|2"
        )
    }

    @Test func `content is asked for when it is first read, and never where it is not`() throws {
        let asked = try RawClient(port: lab.port)
        let head = "HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n"
        try asked.send("POST /echo " + head)
        #expect(
            asked.read { $0.hasSuffix("\r\n\r\n") } == "HTTP/1.1 100 Continue\r\n\r\n"
        )
        try asked.send("hello")
        #expect(asked.read { $0.hasSuffix("0\r\n\r\n") }.contains("5\r\nhello\r\n"))
        let unasked = try RawClient(port: lab.port)
        try unasked.send("POST /ignore_content " + head)
        let answer = unasked.readToEnd()
        #expect(answer.hasPrefix("HTTP/1.1 200 OK\r\n") && answer.contains("Connection: close\r\n"))
        #expect(lab.stop().status == 0)
    }

    @Test func `content that nobody read does not become the next request`() throws {
        let answer = try lab.exchange(
            "POST /ignore_content HTTP/1.1\r\nHost: a\r\nContent-Length: 27\r\n\r\nGET /spoofed HTTP/1.1\r\n\r\n\r\n"
                + "GET /empty HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        )
        #expect(answer.components(separatedBy: "HTTP/1.1 200 OK\r\n").count == 3)
        lab.stop()
        #expect(try lab.sql("SELECT target FROM exchange") == "/ignore_content\n/empty")
    }

    @Test func `framing that is wrong is answered 400, whatever the application makes of it`()
        throws
    {
        let answer = try lab.exchange(
            "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5x\r\nhello\r\n"
        )
        #expect(answer.hasPrefix("HTTP/1.1 400 "))
        #expect(try outcome().hasPrefix("bad_request|400|"))
    }
}
