// The table of hostile inputs to the built-in application: what is sent, and what must come of it.
//
// Where the RFC leaves the choice, the row says what lab chose and why.

import Testing

/// One way to get HTTP/1 wrong, in variants, and a neighbour that gets it right.
struct HostileRow: Sendable, CustomTestStringConvertible {
    let name: String
    /// Where the right answer is written; what is stored names one of these, or what contains it.
    let sections: [String]
    /// As near to the row as a sound request can be: the negative control.
    let sound: String
    let inputs: [HostileInput]

    var testDescription: String { "\(name) (\(sections.joined(separator: ", ")))" }

    init(_ name: String, _ sections: String..., sound: String, _ inputs: HostileInput...) {
        self.name = name
        self.sections = sections
        self.sound = sound
        self.inputs = inputs
    }
}

/// Bytes that a client sends over one connection, and what must come of them.
struct HostileInput: Sendable {
    /// What is sent; `{port}` is the server's, and `‸`, not sent, stands before each byte that is
    /// pointed at.
    let text: String
    /// What is stored of each exchange: its status, its outcome, and the rules that were bent.
    let stored: [String]
    /// Whether the server ends the connection, or reads on.
    let closes: Bool
    /// Whether the client says that it will send no more.
    var endsSending = false
    /// What the environ of the last exchange must say, and what it must not hold.
    var environ: [String: String?] = [:]

    /// It is refused: answered, closed, stored; nothing after it is read.
    static func refused(_ text: String, _ rule: String, status: Int = 400) -> HostileInput {
        HostileInput(text: text, stored: ["\(status) bad_request \(rule)"], closes: true)
    }

    /// It ends too early: the application never gets it.
    static func truncated(_ text: String) -> HostileInput {
        HostileInput(
            text: text,
            stored: ["400 truncated body-truncated"],
            closes: true,
            endsSending: true
        )
    }

    /// It is served, and what is odd about it is noted.
    static func noted(
        _ text: String,
        _ rule: String,
        environ: [String: String?] = [:]
    ) -> HostileInput {
        HostileInput(text: text, stored: ["200 ok \(rule)"], closes: false, environ: environ)
    }

    /// It breaks no rule.
    static func served(
        _ text: String,
        _ statuses: Int...,
        closes: Bool = false,
        environ: [String: String?] = [:],
        noted: [String] = []
    ) -> HostileInput {
        let stored = statuses.map { (["\($0) ok"] + noted).joined(separator: " ") }
        return HostileInput(text: text, stored: stored, closes: closes, environ: environ)
    }
}

private func line(_ requestLine: String) -> String { "\(requestLine)\r\nHost: a\r\n\r\n" }
private func get(_ fields: String) -> String { "GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }
private func host(_ fields: String) -> String { "GET / HTTP/1.1\r\n\(fields)\r\n" }
private func post(_ fields: String, _ content: String = "") -> String {
    "POST /echo HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\(content)"
}
private func length(_ value: String) -> String {
    post("Content-Length: \(value)\r\n", "hello")
}
private func coding(_ value: String) -> String {
    post("Transfer-Encoding: \(value)\r\n", "5\r\nhello\r\n0\r\n\r\n")
}
private func chunked(_ content: String) -> String {
    post("Transfer-Encoding: chunked\r\n", content)
}
private func many(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

/// Every row of the table that a client can bring about.
let hostileRows = framingRows + fieldRows + startLineRows + contentRows + routingRows + servedRows

// MARK: How long the content is

private let framingRows = [
    // A server may also go by Transfer-Encoding alone; strict, because proxies differ.
    HostileRow(
        "Content-Length and Transfer-Encoding",
        "RFC 9112 6.1",
        "RFC 9112 6.3",
        sound: coding("chunked"),
        .refused(
            post(
                "Content-Length: ‸5\r\nTransfer-Encoding: chunked\r\n",
                "5\r\nhello\r\n0\r\n\r\n"
            ),
            "length-and-transfer-encoding"
        ),
        .refused(
            post(
                "Transfer-Encoding: chunked\r\nContent-Length: ‸5\r\n",
                "5\r\nhello\r\n0\r\n\r\n"
            ),
            "length-and-transfer-encoding"
        )
    ),
    HostileRow(
        "two Content-Lengths that differ",
        "RFC 9112 6.3",
        "RFC 9110 8.6",
        sound: length("5"),
        .refused(
            post("Content-Length: 5\r\nContent-Length: ‸6\r\n", "hello"),
            "content-length-repeated"
        ),
        .refused(length("5‸, 6"), "content-length-repeated")
    ),
    // They may also be taken for one; strict, because who sends two is confused or means harm.
    HostileRow(
        "two Content-Lengths that are equal",
        "RFC 9112 6.3",
        "RFC 9110 8.6",
        sound: length("5"),
        .refused(
            post("Content-Length: 5\r\nContent-Length: ‸5\r\n", "hello"),
            "content-length-repeated"
        ),
        .refused(length("5‸, 5"), "content-length-repeated")
    ),
    HostileRow(
        "a Content-Length that is no number in range",
        "RFC 9110 8.6",
        sound: length("5"),
        .refused(length("‸+5"), "content-length-invalid"),
        .refused(length("‸-1"), "content-length-invalid"),
        .refused(length("‸-0"), "content-length-invalid"),
        .refused(length("0‸x5"), "content-length-invalid"),
        .refused(length("5‸_0"), "content-length-invalid"),
        .refused(length("5‸ 5"), "content-length-invalid"),
        .refused(length("‸"), "content-length-invalid"),
        .refused(length("‸\"5\""), "content-length-invalid"),
        .refused(length("1‸e3"), "content-length-invalid"),
        .refused(length("5‸.0"), "content-length-invalid"),
        .refused(length("922337203685477580‸8"), "content-length-invalid"),
        .refused(length("1844674407370955161‸7"), "content-length-invalid"),
        .refused(length("999999999999999999‸99999"), "content-length-invalid"),
        .noted(length("‸005"), "content-length-leading-zero")
    ),
    HostileRow(
        "a Transfer-Encoding that does not end in chunked",
        "RFC 9112 6.3",
        sound: coding("Chunked"),
        .refused(coding("‸chunked, gzip"), "transfer-encoding-not-chunked-last"),
        .refused(coding("‸gzip"), "transfer-encoding-not-chunked-last"),
        .refused(coding("‸"), "transfer-encoding-not-chunked-last")
    ),
    // 400 would do; 501 says which of the two it is. `gzip, chunked` is framed, but not undone here.
    HostileRow(
        "a transfer coding that is not known",
        "RFC 9112 6.1",
        "RFC 9112 7",
        sound: coding("chunked"),
        .refused(coding("‸xchunked"), "transfer-encoding-unknown", status: 501),
        .refused(coding("‸identity"), "transfer-encoding-unknown", status: 501),
        .refused(coding("‸\"chunked\""), "transfer-encoding-unknown", status: 501),
        .refused(coding("‸gzip, chunked"), "transfer-encoding-unknown", status: 501)
    ),
    HostileRow(
        "chunked twice",
        "RFC 9112 6.1",
        "RFC 9112 6.3",
        sound: coding("chunked"),
        .refused(coding("‸chunked, chunked"), "transfer-encoding-not-chunked-last"),
        .refused(
            post("Transfer-Encoding: chunked\r\nTransfer-Encoding: ‸chunked\r\n", "0\r\n\r\n"),
            "transfer-encoding-not-chunked-last"
        )
    ),
    // Of whitespace only SP and HTAB may stand around a value. A parameter makes it another coding.
    HostileRow(
        "a Transfer-Encoding in disguise",
        "RFC 9112 5",
        "RFC 9112 6.1",
        "RFC 9112 7",
        "RFC 9110 5.5",
        sound: coding("\tchunked \t"),
        .refused(coding("‸\u{B}chunked"), "control-in-field-value"),
        .refused(coding("chunked‸\u{C}"), "control-in-field-value"),
        .refused(coding("chunked‸\u{0}"), "control-in-field-value"),
        .refused(coding("‸chunked;x=1"), "transfer-encoding-unknown", status: 501)
    ),
    // The message might also be served, and then closed; strict.
    HostileRow(
        "Transfer-Encoding in HTTP/1.0",
        "RFC 9112 6.1",
        sound: coding("chunked"),
        .refused(
            "POST /echo HTTP/1.0\r\nTransfer-Encoding: ‸chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
            "transfer-encoding-in-version-1.0"
        )
    ),
]

// MARK: Lines and fields

private let fieldRows = [
    // The fold may also be read as a space; strict, because it hides fields from who does not.
    HostileRow(
        "a field folded over two lines",
        "RFC 9112 5.2",
        sound: get("A: b c\r\n"),
        .refused(get("A: b\r\n‸ c\r\n"), "line-folding"),
        .refused(get("A: b\r\n‸\tc: d\r\n"), "line-folding")
    ),
    HostileRow(
        "space before the colon",
        "RFC 9112 5.1",
        sound: get("A: b\r\n"),
        .refused(get("A‸ : b\r\n"), "space-before-colon"),
        .refused(get("A‸\t: b\r\n"), "space-before-colon"),
        .refused(post("Content-Length‸ : 5\r\n", "hello"), "space-before-colon")
    ),
    // The lines may also be skipped; strict, because they would hide a Host.
    HostileRow(
        "whitespace before the first field",
        "RFC 9112 2.2",
        sound: host("Host: a\r\n"),
        .refused(host("‸ Host: a\r\n"), "whitespace-before-first-field"),
        .refused(host("‸\tX: y\r\nHost: a\r\n"), "whitespace-before-first-field")
    ),
    // May be let pass, and is: the tutorial's own client sends them.
    HostileRow(
        "lines of a head that end in LF alone",
        "RFC 9112 2.2",
        sound: get(""),
        .noted("GET / HTTP/1.1‸\nHost: a\n\n", "bare-line-feed"),
        .noted("GET / HTTP/1.1‸\nHost: a\r\n\r\n", "bare-line-feed"),
        .noted("GET / HTTP/1.1\r\nHost: a‸\n\r\n", "bare-line-feed")
    ),
    HostileRow(
        "CR without LF",
        "RFC 9112 2.2",
        sound: get("A: b\r\n"),
        .refused("GET /‸\r HTTP/1.1\r\nHost: a\r\n\r\n", "bare-carriage-return"),
        .refused("GET / HTTP/1.1‸\rHost: a\r\n\r\n", "bare-carriage-return"),
        .refused(get("A: b‸\rc\r\n"), "bare-carriage-return"),
        .refused(get("A‸\r: b\r\n"), "bare-carriage-return"),
        .refused(get("A: b‸\r\r\n"), "bare-carriage-return"),
        .refused(chunked("‸5;a\r=b\r\nhello\r\n0\r\n\r\n"), "bare-carriage-return")
    ),
    // A space may also take their place; strict. HTAB and bytes above 127 are no controls.
    HostileRow(
        "control bytes in a value",
        "RFC 9110 5.5",
        sound: get("A: b\tc \u{E9}\r\n"),
        .refused(get("A: b‸\u{0}c\r\n"), "control-in-field-value"),
        .refused(get("A: b‸\u{1}c\r\n"), "control-in-field-value"),
        .refused(get("A: b‸\u{8}\r\n"), "control-in-field-value"),
        .refused(get("A: ‸\u{1B}[31m\r\n"), "control-in-field-value"),
        .refused(get("A: b‸\u{7F}c\r\n"), "control-in-field-value")
    ),
    HostileRow(
        "a field line without a name or a colon",
        "RFC 9112 5",
        sound: get("A-1: b\r\n"),
        .refused(get("‸: b\r\n"), "field-name-invalid"),
        .refused(get("A‸(b): c\r\n"), "field-name-invalid"),
        .refused(get("A‸\u{0}: c\r\n"), "field-name-invalid"),
        .refused(get("‸\u{E9}: c\r\n"), "field-name-invalid"),
        .refused(get("NoColon‸\r\n"), "field-without-colon"),
        .refused(get("No‸ Colon\r\n"), "field-without-colon")
    ),
    HostileRow(
        "a head that is too large",
        "RFC 6585 5",
        "RFC 9110 5.4",
        sound: get("A: \(many("a", 60_000))\r\n"),
        .refused(get("A: \(many("a", 70_000))\r\n"), "head-too-large", status: 431),
        .refused(get(many("A: \(many("a", 1000))\r\n", 70)), "head-too-large", status: 431),
        .refused("GET / HTTP/1.1\r\nA: \(many("a", 70_000))", "head-too-large", status: 431)
    ),
    HostileRow(
        "too many fields",
        "RFC 6585 5",
        "RFC 9110 5.4",
        sound: get(many("A: b\r\n", 199)),
        .refused(get(many("A: b\r\n", 199) + "‸A: b\r\n"), "too-many-fields", status: 431)
    ),
]

// MARK: The request line

private let startLineRows = [
    HostileRow(
        "a request target that is too long",
        "RFC 9112 3",
        sound: line("GET /?\(many("a", 16_000)) HTTP/1.1"),
        .refused(line("GET ‸/\(many("a", 20_000)) HTTP/1.1"), "target-too-long", status: 414),
        .refused(line("GET ‸/\(many("a", 70_000)) HTTP/1.1"), "target-too-long", status: 414),
        .refused("GET ‸/\(many("a", 70_000))", "target-too-long", status: 414)
    ),
    HostileRow(
        "a method that is not known",
        "RFC 9112 3",
        "RFC 9110 9.1",
        sound: line("GET / HTTP/1.1"),
        .served(line("BREW / HTTP/1.1"), 501),
        .served(line("get / HTTP/1.1"), 501),
        .served(line("\(many("A", 20_000)) / HTTP/1.1"), 501),
        .refused("‸\(many("A", 70_000)) / HTTP/1.1\r\n\r\n", "method-too-long", status: 501)
    ),
    HostileRow(
        "a method that is no token",
        "RFC 9112 3",
        "RFC 9110 9.1",
        sound: line("GET / HTTP/1.1"),
        .refused(line("G‸@T / HTTP/1.1"), "method-invalid"),
        .refused(line("‸ / HTTP/1.1"), "method-invalid"),
        // A TLS client that has the wrong port.
        .refused("‸\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\r\n\r\n", "method-invalid")
    ),
    HostileRow(
        "empty lines before the request line",
        "RFC 9112 2.2",
        sound: line("GET / HTTP/1.1"),
        .noted("‸\r\n\(line("GET / HTTP/1.1"))", "leading-empty-line"),
        .noted("‸\r\n\r\n\(line("GET / HTTP/1.1"))", "leading-empty-line"),
        .refused("\(many("\r\n", 8))‸\r\n\(line("GET / HTTP/1.1"))", "leading-empty-line")
    ),
    HostileRow(
        "no version, as in HTTP/0.9",
        "RFC 9112 2.2",
        "RFC 9112 3",
        sound: "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        // That is the whole request: its client waits for an answer and sends no more.
        .refused("GET /‸\r\n", "request-line-malformed"),
        .refused("\r\nGET /‸\n", "request-line-malformed"),
        .refused("GET‸\r\n", "request-line-malformed")
    ),
    HostileRow(
        "HTTP/1.2 is served as HTTP/1.1",
        "RFC 9110 2.5",
        sound: line("GET / HTTP/1.1"),
        .served(line("GET / HTTP/1.2"), 200),
        .served(line("GET / HTTP/1.9"), 200)
    ),
    // 400 is tolerated; 505 says what is wrong.
    HostileRow(
        "another major version",
        "RFC 9110 15.6.6",
        sound: line("GET / HTTP/1.1"),
        .refused(line("GET / HTTP/‸2.0"), "version-unsupported", status: 505),
        .refused(line("GET / HTTP/‸0.9"), "version-unsupported", status: 505),
        .refused("PRI * HTTP/‸2.0\r\n\r\nSM\r\n\r\n", "version-unsupported", status: 505)
    ),
    HostileRow(
        "a version that is malformed",
        "RFC 9112 2.3",
        sound: line("GET / HTTP/1.1"),
        .refused(line("GET / HTTP/‸1.10"), "version-invalid"),
        .refused(line("GET / HTTP/‸01.1"), "version-invalid"),
        .refused(line("GET / HTTP/‸ 1.1"), "version-invalid"),
        .refused(line("GET / HTTP/‸1,1"), "version-invalid"),
        .refused(line("GET / HTTP/‸1"), "version-invalid"),
        .refused(line("GET / ‸http/1.1"), "version-invalid"),
        .refused(line("GET / ‸HTTQ/1.1"), "version-invalid")
    ),
    // A redirect is allowed too; nobody would follow it.
    HostileRow(
        "a target of no form that the method allows",
        "RFC 9112 3.2",
        sound: line("GET /?a%20b%23c HTTP/1.1"),
        .refused(line("GET ‸a:80 HTTP/1.1"), "target-invalid"),
        .refused(line("GET ‸* HTTP/1.1"), "target-invalid"),
        .refused(line("GET ‸foo/bar HTTP/1.1"), "target-invalid"),
        .refused(line("GET /a‸#b HTTP/1.1"), "target-invalid"),
        .refused(line("GET /a ‸b HTTP/1.1"), "target-invalid"),
        .refused(line("GET ‸http://u@a/ HTTP/1.1"), "target-invalid"),
        .refused(line("GET ‸http:///a HTTP/1.1"), "target-invalid")
    ),
    HostileRow(
        "CONNECT to no port",
        "RFC 9112 3.2.3",
        "RFC 9110 9.3.6",
        sound: line("GET / HTTP/1.1"),
        .refused(line("CONNECT ‸a HTTP/1.1"), "target-invalid"),
        .refused(line("CONNECT ‸a: HTTP/1.1"), "target-invalid"),
        .refused(line("CONNECT ‸a:0 HTTP/1.1"), "target-invalid"),
        .refused(line("CONNECT ‸a:65536 HTTP/1.1"), "target-invalid"),
        .refused(line("CONNECT ‸a:x HTTP/1.1"), "target-invalid"),
        .refused(line("CONNECT ‸/ HTTP/1.1"), "target-invalid"),
        .refused(line("CONNECT ‸u@a:443 HTTP/1.1"), "target-invalid")
    ),
]

// MARK: The content

private let contentRows = [
    // The built-in application takes 64 MiB, and says so before it reads them.
    HostileRow(
        "a content that is too large",
        "RFC 9110 15.5.14",
        sound: length("5"),
        .served(post("Content-Length: 67108865\r\n", "hello"), 413, closes: true),
        .served(
            post("Expect: 100-continue\r\nContent-Length: 67108865\r\n"),
            413,
            closes: true
        )
    ),
    HostileRow(
        "chunks whose lines end in LF alone",
        "RFC 9112 7.1",
        "RFC 9112 7.1.2",
        sound: chunked("5\r\nhello\r\n0\r\n\r\n"),
        .refused(chunked("‸5\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("5\r\nhello‸\n0\r\n\r\n"), "chunk-not-terminated"),
        .refused(chunked("5\r\nhello\r\n‸0\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("5\r\nhello\r\n0\r\n‸\n"), "trailer-invalid"),
        .refused(chunked("5\r\nhello\r\n0\r\n‸X: y\n\r\n"), "trailer-invalid")
    ),
    HostileRow(
        "a chunk size that is no hexadecimal number in range",
        "RFC 9112 7.1",
        sound: chunked("0005\r\nhello\r\n0000\r\n\r\n"),
        .refused(chunked("‸0x5\r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("‸+5\r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("‸-5\r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("‸5_0\r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("‸ 5\r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("‸5 \r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("‸\r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("‸g\r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("‸FFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("‸10000000000000005\r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid"),
        .refused(chunked("‸00000000000000005\r\nhello\r\n0\r\n\r\n"), "chunk-size-invalid")
    ),
    HostileRow(
        "a chunk that is longer or shorter than its size",
        "RFC 9112 7.1",
        "RFC 9112 8",
        sound: chunked("2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"),
        .refused(chunked("3\r\nhel‸lo\r\n0\r\n\r\n"), "chunk-not-terminated"),
        .refused(chunked("7\r\nhello\r\n‸0\r\n\r\n"), "chunk-not-terminated"),
        .refused(chunked("5\r\nhello‸0\r\n\r\n"), "chunk-not-terminated")
    ),
    HostileRow(
        "an unknown chunk extension is ignored",
        "RFC 9112 7.1.1",
        sound: chunked("5\r\nhello\r\n0\r\n\r\n"),
        .served(chunked("5;a\r\nhello\r\n0;b=c\r\n\r\n"), 200),
        .served(chunked("5 ; a = \"b;\\\"c\" ;d\r\nhello\r\n0\r\n\r\n"), 200)
    ),
    HostileRow(
        "a flood of chunk extensions",
        "RFC 9112 7.1.1",
        sound: chunked("5;a=\(many("b", 8000))\r\nhello\r\n0\r\n\r\n"),
        .refused(
            chunked("‸5;a=\(many("b", 70_000))\r\nhello\r\n0\r\n\r\n"),
            "chunk-extensions-too-long"
        ),
        .refused(
            chunked("\(many("1;a=\(many("b", 1000))\r\nx\r\n", 100))0\r\n\r\n"),
            "chunk-extensions-too-long"
        )
    ),
    HostileRow(
        "a malformed chunk extension",
        "RFC 9112 7.1.1",
        "RFC 9112 2.2",
        sound: chunked("5;a=b\r\nhello\r\n0\r\n\r\n"),
        .refused(chunked("‸5;\r\nhello\r\n0\r\n\r\n"), "chunk-extension-invalid"),
        .refused(chunked("‸5;;a\r\nhello\r\n0\r\n\r\n"), "chunk-extension-invalid"),
        .refused(chunked("‸5;a\u{0}\r\nhello\r\n0\r\n\r\n"), "chunk-extension-invalid"),
        .refused(chunked("‸5;a\nb\r\nhello\r\n0\r\n\r\n"), "chunk-extension-invalid"),
        .refused(chunked("‸5;a=\"b\r\nhello\r\n0\r\n\r\n"), "chunk-extension-invalid")
    ),
    HostileRow(
        "trailers that frame, route or authorize",
        "RFC 9112 7.1.2",
        "RFC 9110 6.5.1",
        sound: chunked("5\r\nhello\r\n0\r\n\r\n"),
        .served(
            chunked(
                "5\r\nhello\r\n0\r\nContent-Length: 3\r\nTransfer-Encoding: gzip\r\nHost: evil\r\n"
                    + "Authorization: evil\r\nContent-Type: text/evil\r\nX-Evil: 1\r\n\r\n"
            ),
            200,
            environ: [
                "HTTP_HOST": "a", "CONTENT_LENGTH": nil, "CONTENT_TYPE": nil,
                "HTTP_TRANSFER_ENCODING": nil, "HTTP_AUTHORIZATION": nil, "HTTP_X_EVIL": nil,
            ],
            // X-Evil is none of them: it is only kept apart.
            noted: Array(repeating: "trailer-field-forbidden", count: 5)
        ),
        .refused(chunked("5\r\nhello\r\n0\r\n‸no colon\r\n\r\n"), "trailer-invalid"),
        .refused(chunked("5\r\nhello\r\n0\r\n‸X : y\r\n\r\n"), "trailer-invalid"),
        .refused(chunked("5\r\nhello\r\n0\r\nX: y\r\n‸ z\r\n\r\n"), "trailer-invalid")
    ),
    HostileRow(
        "a content that ends too early",
        "RFC 9112 8",
        "RFC 9112 6.3",
        sound: length("5"),
        .truncated(post("Content-Length: 10\r\n", "hello‸")),
        .truncated(post("Content-Length: 10\r\n") + "‸"),
        .truncated(chunked("5\r\nhel‸")),
        .truncated(chunked("5\r\nhello‸")),
        .truncated(chunked("5\r\nhello\r\n‸")),
        .truncated(chunked("5\r\nhello\r\n0\r\n‸"))
    ),
    HostileRow(
        "a head that ends too early",
        "RFC 9112 8",
        sound: get("A: b\r\n"),
        HostileInput(
            text: "GET / HTTP/1.1\r\nHost: a\r\nA: ‸",
            stored: ["400 bad_request head-truncated"],
            closes: true,
            endsSending: true
        )
    ),
    // A scan of ports is no request, and is not answered.
    HostileRow(
        "a connection that says nothing",
        "RFC 9112 2.2",
        sound: get(""),
        HostileInput(text: "", stored: [], closes: true, endsSending: true),
        HostileInput(text: "\r\n\r\n", stored: [], closes: true, endsSending: true)
    ),
]

// MARK: Where it goes

private let routingRows = [
    HostileRow(
        "absolute-form names this server",
        "RFC 9112 3.2.2",
        sound: line("GET / HTTP/1.1"),
        .served(
            "GET http://127.0.0.1:{port}/environ?q HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n",
            200,
            environ: [
                "HTTP_HOST": "127.0.0.1:{port}", "PATH_INFO": "/environ", "QUERY_STRING": "q",
            ]
        ),
        .served("GET HTTP://localhost:{port} HTTP/1.1\r\nHost: localhost:{port}\r\n\r\n", 200)
    ),
    // No error: the target wins, and the application is told of its host alone.
    HostileRow(
        "absolute-form and Host differ",
        "RFC 9112 3.2.2",
        sound: "GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n",
        .noted(
            "GET http://127.0.0.1:{port}/ HTTP/1.1\r\nHost: ‸evil\r\n\r\n",
            "host-differs-from-target",
            environ: ["HTTP_HOST": "127.0.0.1:{port}"]
        )
    ),
    HostileRow(
        "OPTIONS *",
        "RFC 9112 3.2.4",
        sound: line("GET / HTTP/1.1"),
        .served(line("OPTIONS * HTTP/1.1"), 204, environ: ["PATH_INFO": ""]),
        .served(
            "OPTIONS http://127.0.0.1:{port} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n",
            204
        )
    ),
    HostileRow(
        "a Host that is missing, repeated or none",
        "RFC 9112 3.2",
        sound: host("Host: a:80\r\n"),
        .refused("‸GET / HTTP/1.1\r\n\r\n", "host-missing"),
        .refused("‸GET http://127.0.0.1:{port}/ HTTP/1.1\r\n\r\n", "host-missing"),
        .refused("GET / HTTP/1.0\r\nHost: a‸ b\r\n\r\n", "host-invalid"),
        .refused(host("Host: a\r\n‸Host: a\r\n"), "host-repeated"),
        .refused(host("Host: a\r\n‸Host: b\r\n"), "host-repeated"),
        .refused(host("Host: a‸ b\r\n"), "host-invalid"),
        .refused(host("Host: u‸@a\r\n"), "host-invalid"),
        .refused(host("Host: a‸/b\r\n"), "host-invalid"),
        .refused(host("Host: a‸,b\r\n"), "host-invalid"),
        .refused(host("Host: ‸a:b\r\n"), "host-invalid"),
        .refused(host("Host: ‸:80\r\n"), "host-invalid")
    ),
    // The grammar allows it and servers disagree: let pass, and noted, so that one can look for it.
    HostileRow(
        "a Host that is empty",
        "RFC 9112 3.2",
        sound: host("Host: a\r\n"),
        .noted(host("Host: ‸\r\n"), "host-empty")
    ),
    HostileRow(
        "names that an environ would confuse",
        "RFC 9110 17.10",
        "CVE-2016-5385",
        sound: get("Transfer-Encodings: chunked\r\nProxies: x\r\n"),
        .noted(
            post("‸Transfer_Encoding: chunked\r\nContent-Length: 5\r\n", "hello"),
            "field-name-ambiguous",
            environ: ["HTTP_TRANSFER_ENCODING": nil, "CONTENT_LENGTH": "5"]
        ),
        .noted(
            post("Content-Length: 5\r\n‸Content_Length: 0\r\n", "hello"),
            "field-name-ambiguous",
            environ: ["HTTP_CONTENT_LENGTH": nil, "CONTENT_LENGTH": "5"]
        ),
        .noted(
            get("‸Proxy: http://evil\r\n"),
            "proxy-field-dropped",
            environ: ["HTTP_PROXY": nil]
        )
    ),
]

// MARK: What is sound, and easy to get wrong

private let servedRows = [
    HostileRow(
        "HTTP/1.0 has no Host, and closes unless asked",
        "RFC 9112 9.3",
        "RFC 9112 6.1",
        sound: "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
        .served("GET / HTTP/1.0\r\n\r\n", 200, closes: true),
        .served("GET /bytes/100000 HTTP/1.0\r\n\r\n", 200, closes: true),
        .served("GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n", 200, closes: true)
    ),
    HostileRow(
        "pipelining: answers in order, no content left over, nothing after close",
        "RFC 9112 9.3.2",
        "RFC 9112 9.3",
        "RFC 9112 9.6",
        sound: get("") + get(""),
        .served(
            line("GET /status/201 HTTP/1.1") + post("Content-Length: 5\r\n", "hello")
                + "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "5\r\nhello\r\n0\r\n\r\n" + line("GET /status/202 HTTP/1.1"),
            201,
            200,
            405,
            202
        ),
        .served(
            line("GET /status/201 HTTP/1.1") + get("Connection: close\r\n"),
            201,
            200,
            closes: true
        ),
        .served(get("Connection: keep-alive, CLOSE\r\n"), 200, closes: true)
    ),
    HostileRow(
        "content where none is expected is read all the same",
        "RFC 9112 6",
        "RFC 9110 9.3.2",
        sound: get("Content-Length: 5\r\n") + "hello",
        .served(get("Transfer-Encoding: chunked\r\n") + "5\r\nhello\r\n0\r\n\r\n", 200),
        .served("HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 200),
        .served("OPTIONS / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 204),
        .served("BREW / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello", 501)
    ),
    HostileRow(
        "answers that never have content",
        "RFC 9112 6.3",
        "RFC 9112 6.1",
        "RFC 9110 8.6",
        "RFC 9110 15.3.6",
        sound: line("HEAD /bytes/100000 HTTP/1.1"),
        .served(line("GET /status/204 HTTP/1.1"), 204),
        .served(line("GET /status/205 HTTP/1.1"), 205),
        .served(line("GET /status/304 HTTP/1.1"), 304),
        .served(line("HEAD /status/404 HTTP/1.1"), 404),
        .served(line("HEAD /nothing HTTP/1.1"), 404)
    ),
    // 417 is allowed for an expectation that is not known; a field that asks nothing is ignored.
    HostileRow(
        "Expect where the content has come, or is something else",
        "RFC 9110 10.1.1",
        sound: length("5"),
        .served(post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello"), 200),
        .served(post("Expect: 200-ok\r\nContent-Length: 5\r\n", "hello"), 200),
        .served(get("Expect: 100-continue\r\n"), 200)
    ),
    // May be ignored, and is: nothing else is spoken here.
    HostileRow(
        "Upgrade",
        "RFC 9110 7.8",
        sound: get(""),
        .served(get("Connection: Upgrade\r\nUpgrade: websocket\r\n"), 200),
        .served(get("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"), 200),
        .served(
            "GET / HTTP/1.0\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
            200,
            closes: true
        )
    ),
    // What stands unread in the kernel would turn the close into a reset, that takes the answer away.
    HostileRow(
        "a refusal while much is still on its way",
        "RFC 9112 9.6",
        "RFC 9112 5.1",
        sound: post("Content-Length: 500000\r\n", many("x", 500_000)),
        .refused(
            post("Content-Length‸ : 500000\r\n", many("x", 500_000)),
            "space-before-colon"
        )
    ),
]
