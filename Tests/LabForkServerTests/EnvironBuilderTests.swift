import LabExchange
import LabForkServer
import LabWire
import Testing

private func environ(_ request: String) throws -> (Environ, [Deviation]) {
    let head = try RequestHead(parsing: Array(request.utf8))
    return EnvironBuilder(serverName: Authority(host: "127.0.0.1", port: 8888))
        .environ(of: head, peerAddress: Array("192.0.2.1".utf8), peerPort: 4711)
}

private func value(_ environ: Environ, _ name: StaticString) -> String? {
    environ[name].map { String(decoding: $0, as: UTF8.self) }
}

@Suite struct EnvironBuilderTests {
    @Test func `every key that PEP 3333 and RFC 3875 want is there`() throws {
        let (environ, _) = try environ(
            "POST /a%20b/c?d=%20e HTTP/1.1\r\nHost: example\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nAccept: */*\r\n\r\n"
        )
        #expect(value(environ, "REQUEST_METHOD") == "POST")
        #expect(value(environ, "SCRIPT_NAME")?.isEmpty == true)
        #expect(value(environ, "PATH_INFO") == "/a b/c")
        #expect(value(environ, "QUERY_STRING") == "d=%20e")
        #expect(value(environ, "REQUEST_URI") == "/a%20b/c?d=%20e")
        #expect(value(environ, "CONTENT_TYPE") == "text/plain")
        #expect(value(environ, "CONTENT_LENGTH") == "3")
        #expect(value(environ, "SERVER_NAME") == "127.0.0.1")
        #expect(value(environ, "SERVER_PORT") == "8888")
        #expect(value(environ, "SERVER_PROTOCOL") == "HTTP/1.1")
        #expect(value(environ, "GATEWAY_INTERFACE") == "CGI/1.1")
        #expect(value(environ, "REMOTE_ADDR") == "192.0.2.1")
        #expect(value(environ, "REMOTE_PORT") == "4711")
        #expect(value(environ, "HTTP_HOST") == "example")
        #expect(value(environ, "HTTP_ACCEPT") == "*/*")
        #expect(value(environ, "HTTP_CONTENT_TYPE") == nil)
        #expect(value(environ, "HTTP_CONTENT_LENGTH") == nil)
        #expect(value(environ, "wsgi.version") == "[1,0]")
        #expect(value(environ, "wsgi.multiprocess") == "true")
    }

    @Test func `Proxy never becomes HTTP_PROXY and is noted`() throws {
        let (environ, deviations) = try environ(
            "GET / HTTP/1.1\r\nHost: a\r\nProxy: http://evil\r\n\r\n"
        )
        #expect(value(environ, "HTTP_PROXY") == nil)
        #expect(deviations.map(\.rule) == [.proxyFieldDropped])
    }

    @Test func `a name with an underscore never shadows one with a hyphen`() throws {
        let (environ, deviations) = try environ(
            "GET / HTTP/1.1\r\nHost: a\r\nX-User: good\r\nX_User: evil\r\n\r\n"
        )
        #expect(value(environ, "HTTP_X_USER") == "good")
        #expect(deviations.map(\.rule) == [.fieldNameAmbiguous])
    }

    @Test func `repeated fields are joined, cookies by a semicolon`() throws {
        let (environ, _) = try environ(
            "GET / HTTP/1.1\r\nHost: a\r\nAccept: x\r\nCookie: a=1\r\nAccept: y\r\nCookie: b=2\r\n\r\n"
        )
        #expect(value(environ, "HTTP_ACCEPT") == "x, y")
        #expect(value(environ, "HTTP_COOKIE") == "a=1; b=2")
    }

    @Test func `an absolute target gives its path and its host`() throws {
        let (environ, deviations) = try environ(
            "GET http://real/p?q HTTP/1.1\r\nHost: other\r\n\r\n"
        )
        #expect(value(environ, "PATH_INFO") == "/p")
        #expect(value(environ, "QUERY_STRING") == "q")
        #expect(value(environ, "HTTP_HOST") == "real")
        #expect(deviations.map(\.rule) == [.hostDiffersFromTarget])
    }

    @Test func `OPTIONS asterisk has no path`() throws {
        let (environ, _) = try environ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(value(environ, "PATH_INFO")?.isEmpty == true)
        #expect(value(environ, "REQUEST_URI") == "*")
    }

    @Test func `a chunked request has no length and its coding is hidden`() throws {
        let (environ, _) = try environ(
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        )
        #expect(value(environ, "CONTENT_LENGTH") == nil)
        #expect(value(environ, "HTTP_TRANSFER_ENCODING") == nil)
        #expect(value(environ, "wsgi.input_terminated") == "true")
    }

    @Test(arguments: [
        ("/a+b", "/a+b"), ("/%2F", "//"), ("/%", "/%"), ("/%4", "/%4"), ("/%zz", "/%zz"),
        ("/%41%4a", "/AJ"),
    ])
    func `percents are decoded once and broken ones stay`(path: String, decoded: String) {
        #expect(percentDecoded(Array(path.utf8)[...]) == Array(decoded.utf8))
    }

    @Test func `in JSON each byte is one code point`() {
        var environ = Environ()
        environ.add("A", [0x22, 0x5C, 0x0A, 0xC3, 0xA9, 0xFF])
        var json: [UInt8] = []
        environ.appendJSON(to: &json)
        #expect(
            String(decoding: json, as: UTF8.self) == "{\"A\":\"\\\"\\\\\\u000a\u{C3}\u{A9}\u{FF}\"}"
        )
    }
}
