import LabForkServer
import Testing

/// The header sections that CGI programs print.
@Suite struct CGIHeadTests {
    private func read(_ section: String) throws(AnswerFault) -> CGIHead {
        try CGIHead(Array(section.utf8)[...])
    }

    @Test(arguments: [
        ("Content-Type: a/b\n\n", 200), ("Status: 404 Gone away\n\n", 404),
        ("Status: 299\r\nX: y\r\n\r\n", 299), ("Location: http://a/b\n\n", 302),
        ("Location: //a/b\n\n", 302), ("Location: /a#b\n\n", 302),
        ("Status: 303\nLocation: /a\n\n", 303),
    ])
    func `a status is the one that was said, or what the other fields mean`(
        section: String,
        status: Int
    ) throws {
        guard case .answer(let head) = try read(section) else {
            Issue.record("that is an answer: \(section)")
            return
        }
        #expect(head.status == status)
    }

    @Test func `a path alone is where the request goes on`() throws {
        guard case .redirect(let path) = try read("X: y\nLocation:  /a?b \n\n") else {
            Issue.record("that is a local redirect")
            return
        }
        #expect(String(decoding: path, as: UTF8.self) == "/a?b")
    }

    @Test(arguments: [
        ("X: y\n\n", "no Content-Type, Status or Location"), ("\n", "no Content-Type"),
        ("Content-Type: a/b\nno colon\n\n", "without a colon"),
        ("Content-Type: a/b\nX Y: z\n\n", "'X Y', which is no field name"),
        ("Content-Type: a/b\n: z\n\n", "'', which is no field name"),
        ("Content-Type: a\u{0}b\n\n", "another control byte in the field 'Content-Type'"),
        ("Content-Type: a\rb\n\n", "another control byte in the field 'Content-Type'"),
        ("Location: /a\u{0}\n\n", "another control byte in the field 'Location'"),
        ("Content-Type: a/b\nContent-Type: a/b\n\n", "second Content-Type"),
        ("Location: /a\nLocation: /b\n\n", "second Location"),
        ("Status: 200\nStatus: 200\n\n", "Status that is none, or a second one"),
        ("Status: OK\n\n", "Status that is none"), ("Status: 2000\n\n", "Status that is none"),
        ("Status: 100 Go on\n\n", "status 100"), ("Status: 700\n\n", "status 700"),
        ("Content-Type: a/b\nContent-Length: 5x\n\n", "the length '5x'"),
        ("Content-Type: a/b\nContent-Length: 5\nContent-Length: 6\n\n", "or the second"),
    ])
    func `a malformed one is refused with a sentence`(section: String, words: String) {
        #expect {
            _ = try read(section)
        } throws: { error in
            (error as? AnswerFault)?.sentence.contains(words) == true
        }
    }

    @Test(arguments: [
        ("a: b\n\nc", 6), ("a: b\r\n\r\nc", 8), ("\nc", 1), ("a: b\n", nil), ("", nil),
    ])
    func `it ends at the first empty line`(section: String, length: Int?) {
        #expect(CGIHead.length(in: Array(section.utf8)) == length)
    }
}
