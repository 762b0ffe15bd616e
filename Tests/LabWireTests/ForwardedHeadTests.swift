import LabWire
import Testing

@Suite struct ForwardedHeadTests {
    @Test func `a request is sent on with its own Host and without hop-by-hop fields`() throws {
        let head = try RequestHead(
            parsing: Array(
                "GET http://old/p?q HTTP/1.1\r\nhost: old\r\nConnection: keep-alive, X-Drop\r\nX-Drop: 1\r\nX-Keep: 2\r\nTE: trailers\r\nProxy-Connection: x\r\n\r\n"
                    .utf8
            )
        )
        let sent = String(decoding: head.forwarded(host: Array("new:81".utf8)), as: UTF8.self)
        #expect(sent == "GET /p?q HTTP/1.1\r\nHost: new:81\r\nX-Keep: 2\r\n\r\n")
    }

    @Test func `a head is sent as it was recorded where the peer saw it so`() throws {
        let head = try RequestHead(
            parsing: Array("GET / HTTP/1.0\r\nHost: a\r\nConnection: Keep-Alive\r\n\r\n".utf8)
        )
        let sent = String(
            decoding: head.forwarded(host: Array("b".utf8), keepsHopByHop: true),
            as: UTF8.self
        )
        #expect(sent == "GET / HTTP/1.0\r\nHost: b\r\nConnection: Keep-Alive\r\n\r\n")
    }

    @Test func `chunked content stays chunked`() throws {
        let head = try RequestHead(
            parsing: Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
        )
        let sent = String(
            decoding: head.forwarded(host: Array("b".utf8), keepsHopByHop: true),
            as: UTF8.self
        )
        #expect(sent == "POST / HTTP/1.1\r\nHost: b\r\nTransfer-Encoding: chunked\r\n\r\n")
    }

    @Test(arguments: [
        ("GET / HTTP/1.1", "origin"), ("OPTIONS * HTTP/1.1", "asterisk"),
        ("GET * HTTP/1.1", "none"),
        ("GET foo/bar HTTP/1.1", "none"), ("GET http://h:81/p HTTP/1.1", "absolute h:81"),
        ("GET http://[::1]:81/p HTTP/1.1", "absolute [::1]:81"),
        ("CONNECT h:443 HTTP/1.1", "authority h:443"),
        ("CONNECT h HTTP/1.1", "none"), ("CONNECT h: HTTP/1.1", "none"),
        ("GET h:443 HTTP/1.1", "none"),
        ("GET http:///p HTTP/1.1", "none"), ("GET http://u@h/ HTTP/1.1", "none"),
    ])
    func `a target has the form that its method allows, or none`(line: String, form: String) throws
    {
        let head = try RequestHead(parsing: Array("\(line)\r\nHost: a\r\n\r\n".utf8))
        let found =
            switch head.form {
            case .origin: "origin"
            case .asterisk: "asterisk"
            case .authority(let authority): "authority \(authority.text)"
            case .absolute(let authority, _): "absolute \(authority.text)"
            case nil: "none"
            }
        #expect(found == form)
    }

    @Test(arguments: [
        ("http://h", "/"), ("http://h?q", "/?q"), ("http://h/p", "/p"), ("/x", "/x"),
    ])
    func `an origin is sent the target in origin-form`(target: String, origin: String) throws {
        let head = try RequestHead(parsing: Array("GET \(target) HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(String(decoding: head.originForm, as: UTF8.self) == origin)
    }
}
