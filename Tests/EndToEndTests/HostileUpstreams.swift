// The table's rows that lie behind the proxy: what an upstream sends, and what a client may see of it.
//
// Where the RFC leaves the choice, the row says what lab chose and why.

import Testing

/// One way for an upstream to get HTTP/1 wrong, or to make it hard, and an answer that is sound.
struct UpstreamRow: Sendable, CustomTestStringConvertible {
    let name: String
    /// Where the right answer is written; what is stored names one of these, or what contains it.
    let sections: [String]
    /// As near to the row as a sound answer can be: the negative control.
    let sound: String
    let cases: [UpstreamCase]

    var testDescription: String { "\(name) (\(sections.joined(separator: ", ")))" }

    init(_ name: String, _ sections: String..., sound: String, _ cases: UpstreamCase...) {
        self.name = name
        self.sections = sections
        self.sound = sound
        self.cases = cases
    }
}

/// What a client asks, what the upstream answers, and what must come of it.
struct UpstreamCase: Sendable {
    /// What the upstream sends before it closes.
    let answer: String
    /// What is stored: the status, the outcome, and the rules that were bent.
    let stored: String
    /// What the client sends; `{path}` is the path by which the upstream knows the case.
    var request = "GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"
    /// Whether the client's connection ends with this answer.
    var closes = false
    /// Whether the client can see that the answer is not whole.
    var isCut = false
    /// Text that the client receives, and text that it does not.
    var received: [String] = []
    var withheld: [String] = []
    /// Text that the upstream hears, and text that it does not; with none it hears nothing at all.
    var heard: [String] = ["GET {path} HTTP/1.1\r\n"]
    var unheard: [String] = []

    /// Nothing of it is sent on: the client is told 502.
    static func refused(_ answer: String, _ rule: String) -> UpstreamCase {
        UpstreamCase(
            answer: answer,
            stored: "502 upstream_failed \(rule)".trimmed,
            withheld: ["X-Up"]
        )
    }

    /// It breaks off where it cannot be understood, and so does the client's connection.
    static func cut(_ answer: String, _ rule: String) -> UpstreamCase {
        UpstreamCase(
            answer: answer,
            stored: "200 truncated \(rule)".trimmed,
            closes: true,
            isCut: true
        )
    }
}

extension String {
    fileprivate var trimmed: String { hasSuffix(" ") ? String(dropLast()) : self }
}

private func ok(_ fields: String, _ content: String = "") -> String {
    "HTTP/1.1 200 OK\r\nX-Up: 1\r\n\(fields)\r\n\(content)"
}
private func hi(_ fields: String) -> String { ok("Content-Length: 2\r\n\(fields)", "hi") }
private func chunked(_ content: String) -> String { ok("Transfer-Encoding: chunked\r\n", content) }
private func many(_ text: String, _ count: Int) -> String { String(repeating: text, count: count) }

/// Every row of the table that an upstream can bring about, or that only a proxy has to answer.
let upstreamRows = refusedAnswers + cutAnswers + passedOn + requestsOn

// MARK: What is not sent on

private let refusedAnswers = [
    // The fold may also be sent on as a space; strict, as with a request.
    UpstreamRow(
        "a field folded over two lines",
        "RFC 9112 5.2",
        sound: hi("A: b c\r\n"),
        .refused(hi("A: b\r\n c\r\n"), "line-folding@response")
    ),
    UpstreamRow(
        "a Content-Length that is no number, or two",
        "RFC 9112 6.3",
        "RFC 9110 8.6",
        sound: hi(""),
        .refused(ok("Content-Length: x\r\n", "hi"), "content-length-invalid@response"),
        .refused(ok("Content-Length: +2\r\n", "hi"), "content-length-invalid@response"),
        .refused(ok("Content-Length: \r\n", "hi"), "content-length-invalid@response"),
        .refused(ok("Content-Length: 2, 3\r\n", "hi"), "content-length-repeated@response"),
        .refused(
            ok("Content-Length: 2\r\nContent-Length: 2\r\n", "hi"),
            "content-length-repeated@response"
        )
    ),
    // The chunks may also be sent on without the length; strict, because caches differ.
    UpstreamRow(
        "Content-Length and Transfer-Encoding",
        "RFC 9112 6.3",
        sound: chunked("2\r\nhi\r\n0\r\n\r\n"),
        .refused(
            ok("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n", "2\r\nhi\r\n0\r\n\r\n"),
            "length-and-transfer-encoding@response"
        )
    ),
    // `gzip` alone may also be read until the upstream closes; but nobody here would undo it.
    UpstreamRow(
        "a Transfer-Encoding that is not chunked, once",
        "RFC 9112 6.3",
        "RFC 9112 6.1",
        sound: chunked("2\r\nhi\r\n0\r\n\r\n"),
        .refused(
            ok("Transfer-Encoding: gzip\r\n", "hi"),
            "transfer-encoding-not-chunked-last@response"
        ),
        .refused(
            ok("Transfer-Encoding: chunked, chunked\r\n", "0\r\n\r\n"),
            "transfer-encoding-not-chunked-last@response"
        ),
        .refused(
            ok("Transfer-Encoding: xchunked\r\n", "0\r\n\r\n"),
            "transfer-encoding-unknown@response"
        )
    ),
    UpstreamRow(
        "a status line that is none",
        "RFC 9112 4",
        "RFC 9112 2.3",
        "RFC 9110 15.6.6",
        sound: "HTTP/1.1 200 \r\nContent-Length: 2\r\n\r\nhi",
        .refused("garbage\r\n\r\n", "status-line-malformed@response"),
        .refused("HTTP/1.1 20 OK\r\n\r\n", "status-line-malformed@response"),
        .refused("HTTP/1.1 099 No\r\n\r\n", "status-line-malformed@response"),
        .refused("HTTP/1.1 2000 OK\r\n\r\n", "status-line-malformed@response"),
        .refused("HTTP/1.1 200\tOK\r\n\r\n", "status-line-malformed@response"),
        .refused("HTTP/2.0 200 OK\r\n\r\n", "version-unsupported@response"),
        .refused("HTTQ/1.1 200 OK\r\n\r\n", "version-invalid@response")
    ),
    UpstreamRow(
        "CR, NUL and other controls",
        "RFC 9112 2.2",
        "RFC 9110 5.5",
        sound: hi("A: b\tc \u{E9}\r\n"),
        .refused(hi("A: b\rc\r\n"), "bare-carriage-return@response"),
        .refused(hi("A: b\u{0}c\r\n"), "control-in-field-value@response"),
        .refused(hi("A: b\u{7F}c\r\n"), "control-in-field-value@response")
    ),
    UpstreamRow(
        "a field line without a name or a colon",
        "RFC 9112 5",
        "RFC 9112 2.2",
        sound: hi("A-1!: b\r\n"),
        .refused(hi(": b\r\n"), "field-name-invalid@response"),
        .refused(hi("A(b): c\r\n"), "field-name-invalid@response"),
        .refused(hi("NoColon\r\n"), "field-without-colon@response"),
        .refused(
            "HTTP/1.1 200 OK\r\n X-Up: 1\r\n\r\n",
            "whitespace-before-first-field@response"
        )
    ),
    UpstreamRow(
        "a head that is too large",
        "RFC 9110 5.4",
        "RFC 6585 5",
        sound: hi("A: \(many("a", 60_000))\r\n"),
        .refused(hi("A: \(many("a", 70_000))\r\n"), "head-too-large@response"),
        .refused(many("a", 70_000), "head-too-large@response"),
        .refused("HTTP/1.1 200 \(many("a", 70_000))", "head-too-large@response"),
        .refused(hi(many("A: b\r\n", 300)), "too-many-fields@response")
    ),
    UpstreamRow(
        "an end before the head has one",
        "RFC 9112 8",
        "RFC 9112 6.3",
        sound: hi(""),
        .refused("", ""),
        .refused("HTTP/1.1 200 OK\r\nX-Up: 1\r\n", "head-truncated@response")
    ),
]

// MARK: What breaks off

private let cutAnswers = [
    UpstreamRow(
        "a content that ends too early",
        "RFC 9112 8",
        sound: hi(""),
        .cut(ok("Content-Length: 10\r\n", "hi"), "body-truncated@response"),
        .cut(chunked("2\r\nhi\r\n"), "body-truncated@response"),
        .cut(chunked("5\r\nhi"), "body-truncated@response"),
        .cut(chunked("2\r\nhi\r\n0\r\n"), "body-truncated@response")
    ),
    UpstreamRow(
        "chunks that are malformed",
        "RFC 9112 7.1",
        "RFC 9112 7.1.1",
        sound: chunked("2;a=b\r\nhi\r\n0\r\n\r\n"),
        .cut(chunked("2\r\nhi\r\nx\r\n"), "chunk-size-invalid@response"),
        .cut(chunked("2\r\nhi\r\n10000000000000000\r\n"), "chunk-size-invalid@response"),
        .cut(chunked("2\r\nhi\r\n2\nhi\r\n0\r\n\r\n"), "chunk-size-invalid@response"),
        .cut(chunked("2\r\nhiX\r\n0\r\n\r\n"), "chunk-not-terminated@response"),
        .cut(chunked("2\r\nhi\n0\r\n\r\n"), "chunk-not-terminated@response"),
        .cut(chunked("2\r\nhi\r\n2;\r\nhi\r\n0\r\n\r\n"), "chunk-extension-invalid@response")
    ),
]

// MARK: What is sent on, mended

private let passedOn = [
    UpstreamRow(
        "space before the colon is taken out",
        "RFC 9112 5.1",
        sound: hi("A: b\r\n"),
        UpstreamCase(
            answer: hi("A : b\r\nC\t: d\r\n"),
            stored: "200 ok space-before-colon@response space-before-colon@response",
            received: ["\r\nA: b\r\n", "\r\nC: d\r\n"]
        )
    ),
    UpstreamRow(
        "lines that end in LF alone are sent on with CRLF",
        "RFC 9112 2.2",
        sound: hi(""),
        UpstreamCase(
            answer: "HTTP/1.1 200 OK\nA: b\nContent-Length: 2\n\nhi",
            stored: "200 ok bare-line-feed@response",
            received: ["HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nhi"]
        )
    ),
    UpstreamRow(
        "Transfer-Encoding in HTTP/1.0 is faulty framing: served, and not gone on with",
        "RFC 9112 6.1",
        sound: "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        UpstreamCase(
            answer:
                "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2\r\nhi\r\n0\r\n\r\n",
            stored: "200 ok transfer-encoding-in-version-1.0@response",
            received: ["2\r\nhi\r\n0\r\n\r\n"]
        )
    ),
    // The rest may be any answer to anybody: it is dropped with the upstream's connection.
    UpstreamRow(
        "what comes after the end is nobody's answer",
        "RFC 9112 6.3",
        sound: hi(""),
        UpstreamCase(answer: hi("") + hi("X-Evil: 1\r\n"), stored: "200 ok", withheld: ["X-Evil"]),
        UpstreamCase(
            answer: "HTTP/1.1 204 No Content\r\n\r\n" + hi("X-Evil: 1\r\n"),
            stored: "204 ok",
            withheld: ["X-Evil"]
        ),
        UpstreamCase(
            answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 2\r\n\r\n" + hi("X-Evil: 1\r\n"),
            stored: "304 ok",
            received: ["Content-Length: 2\r\n"],
            withheld: ["X-Evil"]
        ),
        UpstreamCase(
            answer: hi("") + "X-Evil",
            stored: "200 ok",
            request: "HEAD {path} HTTP/1.1\r\nHost: a\r\n\r\n",
            received: ["Content-Length: 2\r\n"],
            withheld: ["\r\n\r\nhi", "X-Evil"],
            heard: ["HEAD {path} HTTP/1.1\r\n"]
        )
    ),
    UpstreamRow(
        "no Content-Length and no Transfer-Encoding in 204 and 1xx",
        "RFC 9112 6.1",
        "RFC 9110 8.6",
        sound: hi(""),
        UpstreamCase(
            answer: "HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\nhi",
            stored: "204 ok",
            withheld: ["Content-Length: 2", "\r\n\r\nhi"]
        ),
        UpstreamCase(
            answer: "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            stored: "204 ok",
            withheld: ["Transfer-Encoding", "0\r\n\r\n\r\n"]
        ),
        UpstreamCase(
            answer: "HTTP/1.1 103 Early Hints\r\nContent-Length: 7\r\nLink: </a>\r\n\r\n" + hi(""),
            stored: "200 ok",
            received: ["HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"],
            withheld: ["Content-Length: 7"]
        )
    ),
    UpstreamRow(
        "interim answers are sent on, all of them, but not to HTTP/1.0",
        "RFC 9110 15.2",
        sound: hi(""),
        UpstreamCase(
            answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                + "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + hi(""),
            stored: "200 ok",
            received: [
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\n"
                    + "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\n"
            ]
        ),
        UpstreamCase(
            answer: "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n" + hi(""),
            stored: "200 ok",
            request: "GET {path} HTTP/1.0\r\n\r\n",
            closes: true,
            received: ["HTTP/1.1 200 OK\r\n"],
            withheld: ["HTTP/1.1 100", "HTTP/1.1 103"]
        )
    ),
    UpstreamRow(
        "content of no stated length is chunked, or ends with the connection for HTTP/1.0",
        "RFC 9112 6.3",
        "RFC 9112 6.1",
        sound: hi(""),
        UpstreamCase(
            answer: ok("", "hi"),
            stored: "200 ok",
            received: ["\r\nTransfer-Encoding: chunked\r\n", "\r\n\r\n2\r\nhi\r\n0\r\n\r\n"]
        ),
        UpstreamCase(
            answer: chunked("2\r\nhi\r\n0\r\n\r\n"),
            stored: "200 ok",
            request: "GET {path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
            closes: true,
            received: ["\r\nConnection: close\r\n", "\r\n\r\nhi"],
            withheld: ["Transfer-Encoding", "2\r\nhi"]
        )
    ),
    UpstreamRow(
        "fields that Connection names stay on their connection",
        "RFC 9110 7.6.1",
        sound: hi("X-One: 1\r\n"),
        UpstreamCase(
            answer: hi("Connection: X-One, close\r\nX-One: 1\r\nKeep-Alive: timeout=5\r\n"),
            stored: "200 ok",
            request: "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: X-Two , x-THREE\r\n"
                + "X-Two: 2\r\nX-Three: 3\r\nKeep-Alive: 5\r\nProxy-Connection: keep-alive\r\n"
                + "X-Four: 4\r\n\r\n",
            withheld: ["X-One", "Keep-Alive", "Connection: X-One"],
            heard: ["GET {path} HTTP/1.1\r\n", "X-Four: 4\r\n"],
            unheard: ["X-Two", "X-Three", "Keep-Alive", "Connection"]
        )
    ),
]

// MARK: What the upstream hears

private let requestsOn = [
    UpstreamRow(
        "a request whose head breaks a rule goes no further",
        "RFC 9112 6.3",
        "RFC 9112 5.1",
        sound: hi(""),
        UpstreamCase(
            answer: hi(""),
            stored: "400 bad_request length-and-transfer-encoding",
            request: "POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            closes: true,
            heard: []
        ),
        UpstreamCase(
            answer: hi(""),
            stored: "400 bad_request space-before-colon",
            request: "GET {path} HTTP/1.1\r\nHost: a\r\nA : b\r\n\r\n",
            closes: true,
            heard: []
        )
    ),
    UpstreamRow(
        "what is no rule of HTTP is the upstream's to judge",
        "RFC 9110 9.1",
        "RFC 9110 2.5",
        sound: hi(""),
        UpstreamCase(
            answer: hi(""),
            stored: "200 ok",
            request: "get {path} HTTP/1.1\r\nHost: a\r\n\r\n",
            heard: ["get {path} HTTP/1.1\r\n"]
        ),
        UpstreamCase(
            answer: hi(""),
            stored: "200 ok",
            request: "GET {path} HTTP/1.2\r\nHost: a\r\n\r\n",
            heard: ["GET {path} HTTP/1.1\r\n"]
        )
    ),
    UpstreamRow(
        "absolute-form is sent on as origin-form, with the upstream's Host",
        "RFC 9112 3.2.2",
        "RFC 9112 3.2.4",
        sound: hi(""),
        UpstreamCase(
            answer: hi(""),
            stored: "200 ok host-differs-from-target",
            request: "GET http://elsewhere{path} HTTP/1.1\r\nHost: evil\r\n\r\n",
            heard: ["GET {path} HTTP/1.1\r\nHost: 127.0.0.1:"],
            unheard: ["evil", "elsewhere"]
        )
    ),
]
