import LabTestSupport
import LabWire
import Testing

/// A request, what it is refused for, and where the rule is written.
struct Refused: Sendable, CustomTestStringConvertible {
    let input: String
    let rule: WireRule
    let status: Int
    var testDescription: String { "\(rule.rawValue): \(input.debugDescription)" }

    init(_ input: String, _ rule: WireRule, _ status: Int = 400) {
        self.input = input
        self.rule = rule
        self.status = status
    }
}

private func get(_ fields: String) -> String { "GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n" }
private func post(_ fields: String, _ content: String = "") -> String {
    "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\(content)"
}
private func chunked(_ content: String) -> String {
    post("Transfer-Encoding: chunked\r\n", content)
}

/// Every row of the table of hostile inputs that a request reader decides.
private let refused: [Refused] = [
    Refused(
        post("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n"),
        .lengthAndTransferEncoding
    ),
    Refused(post("Content-Length: 5\r\nContent-Length: 6\r\n"), .contentLengthRepeated),
    Refused(post("Content-Length: 5, 6\r\n"), .contentLengthRepeated),
    Refused(post("Content-Length: 5\r\nContent-Length: 5\r\n"), .contentLengthRepeated),
    Refused(post("Content-Length: +5\r\n"), .contentLengthInvalid),
    Refused(post("Content-Length: -1\r\n"), .contentLengthInvalid),
    Refused(post("Content-Length: 0x5\r\n"), .contentLengthInvalid),
    Refused(post("Content-Length: 5_0\r\n"), .contentLengthInvalid),
    Refused(post("Content-Length: 5 5\r\n"), .contentLengthInvalid),
    Refused(post("Content-Length: \r\n"), .contentLengthInvalid),
    Refused(post("Content-Length: 1e3\r\n"), .contentLengthInvalid),
    Refused(post("Content-Length: 9223372036854775808\r\n"), .contentLengthInvalid),
    Refused(post("Content-Length: 99999999999999999999999\r\n"), .contentLengthInvalid),
    Refused(post("Transfer-Encoding: chunked, gzip\r\n"), .transferEncodingNotChunkedLast),
    Refused(post("Transfer-Encoding: gzip\r\n"), .transferEncodingNotChunkedLast),
    Refused(post("Transfer-Encoding: xchunked\r\n"), .transferEncodingUnknown, 501),
    Refused(post("Transfer-Encoding: identity\r\n"), .transferEncodingUnknown, 501),
    Refused(post("Transfer-Encoding: gzip, chunked\r\n"), .transferEncodingUnknown, 501),
    Refused(post("Transfer-Encoding: chunked, chunked\r\n"), .transferEncodingNotChunkedLast),
    Refused(
        post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n"),
        .transferEncodingNotChunkedLast
    ),
    Refused(post("Transfer-Encoding: \u{B}chunked\r\n"), .controlInFieldValue),
    Refused(post("Transfer-Encoding: chunked;x=1\r\n"), .transferEncodingUnknown, 501),
    Refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingInVersion10),
    Refused(get("A: b\r\n c\r\n"), .lineFolding),
    Refused(get("A : b\r\n"), .spaceBeforeColon),
    Refused("GET / HTTP/1.1\r\n Host: a\r\n\r\n", .whitespaceBeforeFirstField),
    Refused(get("A: b\rc\r\n"), .bareCarriageReturn),
    Refused(get("A: b\u{0}c\r\n"), .controlInFieldValue),
    Refused(get("A: b\u{7F}c\r\n"), .controlInFieldValue),
    Refused(get("NoColon\r\n"), .fieldWithoutColon),
    Refused(get(": empty\r\n"), .fieldNameInvalid),
    Refused(get("A(b): c\r\n"), .fieldNameInvalid),
    Refused(get("A\u{0}: c\r\n"), .fieldNameInvalid),
    Refused(
        "GET /\(String(repeating: "a", count: 20_000)) HTTP/1.1\r\nHost: a\r\n\r\n",
        .targetTooLong,
        414
    ),
    Refused(
        "GET /\(String(repeating: "a", count: 70_000)) HTTP/1.1\r\nHost: a\r\n\r\n",
        .targetTooLong,
        414
    ),
    Refused("GET /\(String(repeating: "a", count: 70_000))", .targetTooLong, 414),
    Refused(get("A: \(String(repeating: "a", count: 70_000))\r\n"), .headTooLarge, 431),
    Refused(get(String(repeating: "A: b\r\n", count: 300)), .tooManyFields, 431),
    Refused("GET / HTTP/1.1\r\n\r\n", .hostMissing),
    Refused("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", .hostRepeated),
    Refused("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .hostInvalid),
    Refused("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .hostInvalid),
    Refused("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .hostInvalid),
    Refused("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", .hostInvalid),
    Refused("GET / HTTP/1.1\r\nHost: a:b\r\n\r\n", .hostInvalid),
    Refused("GET /\r\n\r\n", .requestLineMalformed),
    Refused("GET\r\n\r\n", .requestLineMalformed),
    Refused("GET / HTTP/2.0\r\nHost: a\r\n\r\n", .versionUnsupported, 505),
    Refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", .versionUnsupported, 505),
    Refused("GET / HTTP/1.10\r\nHost: a\r\n\r\n", .versionInvalid),
    Refused("GET / http/1.1\r\nHost: a\r\n\r\n", .versionInvalid),
    Refused("GET / HTTP/01.1\r\nHost: a\r\n\r\n", .versionInvalid),
    Refused("GET / HTTP/ 1.1\r\nHost: a\r\n\r\n", .versionInvalid),
    Refused("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
    Refused("GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", .targetInvalid),
    Refused("G@T / HTTP/1.1\r\nHost: a\r\n\r\n", .methodInvalid),
    Refused("\u{16}\u{3}\u{1}\r\n\r\n", .methodInvalid),
    Refused("GET / HTTP/1.1\r\nHost: a\r\nTrunc", .headTruncated),
    Refused(chunked("0x5\r\nabcde\r\n0\r\n\r\n"), .chunkSizeInvalid),
    Refused(chunked("+5\r\nabcde\r\n0\r\n\r\n"), .chunkSizeInvalid),
    Refused(chunked("-5\r\nabcde\r\n0\r\n\r\n"), .chunkSizeInvalid),
    Refused(chunked("5_0\r\nabcde\r\n0\r\n\r\n"), .chunkSizeInvalid),
    Refused(chunked(" 5\r\nabcde\r\n0\r\n\r\n"), .chunkSizeInvalid),
    Refused(chunked("5 \r\nabcde\r\n0\r\n\r\n"), .chunkSizeInvalid),
    Refused(chunked("\r\nabcde\r\n0\r\n\r\n"), .chunkSizeInvalid),
    Refused(chunked("10000000000000000\r\n"), .chunkSizeInvalid),
    Refused(chunked("3\r\nabcde\r\n0\r\n\r\n"), .chunkNotTerminated),
    Refused(chunked("5\r\nabcde0\r\n\r\n"), .chunkNotTerminated),
    Refused(chunked("5\nabcde\r\n0\r\n\r\n"), .chunkSizeInvalid),
    Refused(chunked("5\r\nabcde\n0\r\n\r\n"), .chunkNotTerminated),
    Refused(chunked("5;\r\nabcde\r\n0\r\n\r\n"), .chunkExtensionInvalid),
    Refused(chunked("5;a\u{0}\r\nabcde\r\n0\r\n\r\n"), .chunkExtensionInvalid),
    Refused(chunked("5;a=\(String(repeating: "b", count: 70_000))\r\n"), .chunkExtensionsTooLong),
    Refused(chunked("0\r\nno colon\r\n\r\n"), .trailerInvalid),
    Refused(chunked("5\r\nabcde\r\n"), .bodyTruncated),
    Refused(post("Content-Length: 10\r\n", "abc"), .bodyTruncated),
]

@Suite struct RefusedRequestTests {
    @Test(arguments: refused)
    func `what breaks a rule is refused for that rule`(_ row: Refused) {
        let said = requestDialogue(Array(row.input.utf8))
        #expect(said.last == "refused \(row.rule.rawValue)")
        #expect(row.rule.status == row.status)
        #expect(row.rule.section.hasPrefix("RFC"))
    }

    @Test func `nothing is read after a refusal`() {
        let said = requestDialogue(Array((get("A : b\r\n") + get("")).utf8))
        #expect(said == ["refused space-before-colon"])
    }

    @Test func `what is kept of a refused head does not depend on what came with it`() {
        let head = get("A : b\r\n")
        var reader = RequestReader()
        Array((head + get("")).utf8).withUnsafeBytes { reader.receive($0) }
        guard case .refused = reader.next() else {
            Issue.record("it was not refused")
            return
        }
        #expect(Array(reader.refusedHead) == Array(head.utf8))
    }

    @Test func `a refused trailer is pointed at, and not what follows it`() {
        let upToTrailer = chunked("0\r\nA: b\r\n")
        var reader = RequestReader()
        Array((upToTrailer + "no colon\r\n\r\n").utf8).withUnsafeBytes { reader.receive($0) }
        guard case .head = reader.next(), case .refused(let deviation) = reader.next() else {
            Issue.record("it was not refused")
            return
        }
        #expect(deviation == Deviation(.trailerInvalid, at: upToTrailer.utf8.count))
    }

    @Test func `of two broken rules the first in the bytes is told`() {
        #expect(
            requestDialogue(Array(get("A(b): c\rd\r\n").utf8)) == ["refused field-name-invalid"]
        )
        #expect(
            requestDialogue(Array(get("A: b\rc\r\nD(e): f\r\n").utf8)) == [
                "refused bare-carriage-return"
            ]
        )
    }

    /// The target was blamed or not, by how much had come when the head grew too large.
    @Test(arguments: [
        (
            "GET /\(String(repeating: "a", count: 50)) HTTP/1.1\r\nHost: a\r\n\r\n",
            "target-too-long"
        ),
        ("\r\nGET /\(String(repeating: "a", count: 50))", "target-too-long"),
        ("GET / HTTP/1.1\r\nHost: \(String(repeating: "a", count: 50))\r\n\r\n", "head-too-large"),
    ])
    func `a head that is too large is refused for the same rule however it is split`(
        request: String,
        rule: String
    ) {
        let bytes = Array(request.utf8)
        let limits = HeadLimits(headBytes: 40)
        #expect(requestDialogue(bytes, limits: limits) == ["refused \(rule)"])
        #expect(
            requestDialogue(bytes, cuts: Array(bytes.indices), limits: limits) == [
                "refused \(rule)"
            ]
        )
    }

    /// What was wrong beyond the limit was told, or the limit, by how much had come.
    @Test(arguments: [
        ("5;a=\(String(repeating: "b", count: 20_000))\u{0}\r\n", "chunk-extensions-too-long"),
        ("0\r\nT: \(String(repeating: "u", count: 70_000))\n\r\n", "head-too-large"),
        (
            "0\r\nT: \(String(repeating: "u", count: 40_000))\r\nT: \(String(repeating: "u", count: 40_000))\n\r\n",
            "head-too-large"
        ),
    ])
    func `framing that is too long is refused for that however it is split`(
        content: String,
        rule: String
    ) {
        let bytes = Array(chunked(content).utf8)
        #expect(requestDialogue(bytes).last == "refused \(rule)")
        let cuts = Array(stride(from: 0, to: bytes.count, by: 1000))
        #expect(requestDialogue(bytes, cuts: cuts).last == "refused \(rule)")
    }

    @Test func `a chunk extension flood in small chunks is limited`() {
        let flood = String(
            repeating: "1;a=\(String(repeating: "b", count: 1000))\r\nx\r\n",
            count: 100
        )
        #expect(
            requestDialogue(Array(chunked(flood).utf8)).last == "refused chunk-extensions-too-long"
        )
    }
}
