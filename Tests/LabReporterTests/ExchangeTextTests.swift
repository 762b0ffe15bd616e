// Lists and transcripts as a person reads them.

import LabReporter
import LabSession
import Testing

@Suite struct `Exchanges as text` {
    private func list(width: Int = 100, _ change: String = "") throws -> String {
        let list = ExchangeList(width: width, style: .plain)
        var text = list.header
        try ReaderFixture(change).read { try $0.forEachExchange { text += list.line($0) } }
        return text
    }

    @Test func `a list has a line for each`() throws {
        try Golden.check(list(), "list")
    }

    @Test(arguments: [80, 100, 160])
    func `a list keeps to its width, however long the targets are`(width: Int) throws {
        let long =
            "UPDATE exchange SET target = '/' || hex(zeroblob(200)) || '/end', method = 'OPTIONS'"
        for line in try list(width: width, long).split(separator: "\n") {
            #expect(line.count == width, "\(line)")
        }
    }

    @Test func `a long target is cut in the middle`() throws {
        let long = "UPDATE exchange SET target = '/begin/' || hex(zeroblob(200)) || '/end'"
        #expect(try list(long).contains(#//begin/0+…0+/end /#))
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9])
    func `a transcript reads like curl's`(id: Int64) throws {
        let detail = try ReaderFixture().read { try $0.exchange(id) }
        try Golden.check(ExchangeTranscript(detail, style: .plain).text, "show-\(id)")
    }

    @Test(arguments: [1, 2, 3])
    func `a replayed answer stands beside the captured one, with marks`(id: Int64) throws {
        // A second result of the same exchange, which matches, is only counted.
        let more = """
            INSERT INTO replay_result SELECT * FROM replay_result WHERE run_id = 2 AND exchange_id = 2;
            UPDATE replay_result SET matches = 1, mismatch = NULL, round = 1 WHERE rowid = (SELECT max(rowid) FROM replay_result)
            """
        let text = try ReaderFixture(more).read {
            ReplayTranscript(try $0.exchange(id), try $0.replayed(id, in: "after"), style: .plain)
                .text
        }
        try Golden.check(text, "show-run-\(id)")
    }

    @Test(arguments: [1, 2, 3, 4, 5, 6, 7, 8, 9])
    func `traffic cannot move the cursor`(id: Int64) throws {
        let detail = try ReaderFixture(
            """
            UPDATE exchange SET error = char(27) || '[2J', request_head = request_head || x'1b5b324a0a',
                environ = '{"A\\u001b":"\\u001b[2J\\u009b"}';
            INSERT INTO deviation (exchange_id, code, section, offset) VALUES (\(id), char(27), char(27), 3);
            UPDATE connection SET peer_address = char(27);
            """
        ).read { try $0.exchange(id) }
        let text = ExchangeTranscript(detail, style: .plain).text
        #expect(
            !text.unicodeScalars.contains {
                ($0.value < 32 && $0 != "\n" && $0 != "\t") || 127..<160 ~= $0.value
            }
        )
    }

    @Test func `raw bytes are those that are stored`() throws {
        let detail = try ReaderFixture().read { try $0.exchange(2) }
        let bytes = RawExchange.bytes(detail)
        #expect(bytes.starts(with: Array("POST /echo HTTP/1.1\r\n".utf8)))
        #expect(bytes.suffix(4).elementsEqual([1, 2, 3, 4]))
        #expect(RawExchange.remarks(detail) == [])
        let truncated = try ReaderFixture().read { try $0.exchange(7) }
        #expect(
            RawExchange.remarks(truncated) == [
                "Of the response's content only the first 5000 of 100000 bytes were kept."
            ]
        )
    }

    @Test
    func `what an application wrote to its error stream is a section that reads as it was written`()
        throws
    {
        let detail = try ReaderFixture(
            """
            UPDATE exchange SET errors_size = 70000,
                errors = CAST('Traceback:' || char(10) || '  File "a.py"' || char(27) AS BLOB)
            """
        ).read { try $0.exchange(2) }
        let text = ExchangeTranscript(detail, style: .plain).text
        #expect(
            text.contains(
                """


                Errors of the application
                Traceback:
                  File "a.py"\\x1b
                * only the first 25 B of 68.4 KiB were kept


                """
            )
        )
    }

    @Test func `an environ is a name a line, from which printf makes the bytes again`() throws {
        let detail = try ReaderFixture(
            """
            UPDATE exchange SET environ = '{"B":"\\u00c3\\u00a9 \\u00ff\\u001b","A":"a\\\\x41","wsgi.version":[1,0]}'
            """
        ).read { try $0.exchange(2) }
        #expect(
            EnvironListing.text(detail) == "B=é \\xff\\x1b\nA=a\\x5cx41\nwsgi.version=[1,0]\n"
        )
    }
}
