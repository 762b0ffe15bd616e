// Results of a replay -> rows: bodies by reference, none stored twice.

import GRDB
import LabExchange
import LabSession
import Testing

@Suite struct `Writing a replay` {
    /// A session with three exchanges: one with an answer, one with none in it, one without.
    private struct Stage {
        let fixture: RecordingFixture
        let writer: ReplayWriter
        let exchanges: [CapturedExchange]

        init(label: String? = "before") throws {
            fixture = try RecordingFixture()
            let recording = try fixture.record()
            recording.take(Visit(connection: 1).whole(Asking(), Asking(sequence: 2, answer: [])))
            let dead = Visit(connection: 2)
            recording.take([dead.forked, dead.started] + dead.frames()[..<2])
            recording.take([dead.reaped(11, .signalled)])
            try recording.end(reason: "signal", at: "2026-11-25T15:54:02.250Z")
            exchanges = try SessionReader(fixture.path).capturedExchanges()
            writer = try Self.begin(fixture, exchanges, label: label)
        }

        static func begin(
            _ fixture: RecordingFixture,
            _ exchanges: [CapturedExchange],
            label: String?
        ) throws -> ReplayWriter {
            try ReplayWriter(
                fixture.file,
                ReplayFacts(
                    label: label,
                    startedAt: "2026-11-25T16:00:00.000Z",
                    target: "http://127.0.0.1:8888",
                    concurrency: 4,
                    pacing: "asap",
                    settings: #"{"timeout":1}"#,
                    hostFacts: #"{"cpus":2}"#
                )
            )
        }

        func lines(_ sql: String) throws -> [String] { try fixture.lines(sql) }
    }

    private func result(
        _ exchange: Int64,
        status: Int16 = 200,
        outcome: ReplayOutcome = .ok,
        matches: Bool = true,
        differing: (digest: UInt8, text: String)? = nil
    ) -> ReplayResult {
        let isAnswered = outcome == .ok
        return ReplayResult(
            exchangeID: exchange,
            round: 5,
            connection: 6,
            intendedNs: 100 + exchange,
            sentNs: 200 + exchange,
            firstByteNs: isAnswered ? 300 + exchange : 0,
            doneNs: 400 + exchange,
            status: isAnswered ? status : 0,
            outcome: outcome,
            matches: matches,
            differingBody: differing.map {
                DifferingBody(
                    digest: Array(repeating: $0.digest, count: 32),
                    size: Int64($0.text.utf8.count),
                    bytes: Array($0.text.utf8)
                )
            }
        )
    }

    @Test func `a result has every field in its column`() throws {
        let stage = try Stage()
        try stage.writer.write([result(1)])
        #expect(
            try stage.lines(
                """
                SELECT run_id, exchange_id, round, connection, intended_ns, sent_ns, first_byte_ns,
                    done_ns, status, outcome, matches FROM replay_result
                """
            ) == ["1 1 5 6 101 201 301 401 200 ok 1"]
        )
    }

    @Test
    func `who writes many rows can let others go first, and they are one transaction all the same`()
        throws
    {
        let stage = try Stage()
        var seen: [Int?] = []
        let reader = try DatabaseQueue(path: stage.fixture.path)
        try stage.writer.write((0..<600).map { _ in result(1) }) {
            let count = try? reader.read { db in
                try Int.fetchOne(db, sql: "SELECT count(*) FROM replay_result")
            }
            seen.append(count ?? nil)
        }
        #expect(seen == [0, 0])
        #expect(try stage.lines("SELECT count(*) FROM replay_result") == ["600"])
    }

    @Test func `a matching result points to the captured body`() throws {
        let stage = try Stage()
        try stage.writer.write([result(1), result(1)])
        #expect(
            try stage.lines(
                """
                SELECT body_id = response_body_id, body_digest = digest, CAST(bytes AS TEXT)
                FROM replay_result JOIN exchange ON exchange.id = exchange_id
                JOIN body ON body.id = body_id
                """
            ) == ["1 1 Hello, World!", "1 1 Hello, World!"]
        )
        #expect(try stage.lines("SELECT count(*) FROM body") == ["1"])
    }

    @Test func `another status with the captured content points to the captured body`() throws {
        let stage = try Stage()
        try stage.writer.write([result(1, status: 500, matches: false)])
        #expect(
            try stage.lines("SELECT status, matches, body_id FROM replay_result") == ["500 0 1"]
        )
    }

    @Test func `a differing body is stored once for its digest, across writes and runs`() throws {
        let stage = try Stage()
        let one = result(1, matches: false, differing: (0xA1, "one"))
        let two = result(2, matches: false, differing: (0xA2, "two"))
        try stage.writer.write([one, two, one])
        try stage.writer.write([two])
        let second = try Stage.begin(stage.fixture, stage.exchanges, label: nil)
        #expect(second.runID == 2)
        try second.write([one])
        #expect(
            try stage.lines(
                """
                SELECT run_id, exchange_id, CAST(bytes AS TEXT), size, truncated,
                    body_digest = digest FROM replay_result JOIN body ON body.id = body_id
                ORDER BY replay_result.rowid
                """
            ) == [
                "1 1 one 3 0 1", "1 2 two 3 0 1", "1 1 one 3 0 1", "1 2 two 3 0 1", "2 1 one 3 0 1",
            ]
        )
        #expect(try stage.lines("SELECT count(*) FROM body") == ["3"])
    }

    @Test func `a result says why it does not match, and equal heads are one row`() throws {
        let stage = try Stage()
        var one = result(1, matches: false)
        one.mismatch = "header:etag"
        one.head = Array("HTTP/1.1 200 OK\r\nETag: 1\r\n\r\n".utf8)
        var other = one
        other.head = Array("HTTP/1.1 200 OK\r\nETag: 2\r\n\r\n".utf8)
        try stage.writer.write([one, result(2), other])
        try stage.writer.write([one])
        #expect(
            try stage.lines("SELECT exchange_id, mismatch, head_id FROM replay_result")
                == ["1 header:etag 1", "2 - -", "1 header:etag 2", "1 header:etag 1"]
        )
        #expect(
            try stage.lines("SELECT substr(CAST(bytes AS TEXT), 18, 7) FROM replay_head")
                == ["ETag: 1", "ETag: 2"]
        )
    }

    @Test func `a differing body that is cut keeps its size`() throws {
        let stage = try Stage()
        var long = result(1, matches: false)
        long.differingBody = DifferingBody(
            digest: Array(repeating: 0xA1, count: 32),
            size: 1000,
            bytes: [1, 2]
        )
        try stage.writer.write([long, long])
        #expect(
            try stage.lines("SELECT size, truncated, bytes FROM body WHERE id > 1")
                == ["1000 1 0102"]
        )
    }

    @Test func `an answer that has become empty has no body`() throws {
        let stage = try Stage()
        try stage.writer.write([result(1, matches: false, differing: (0xE3, ""))])
        #expect(
            try stage.lines("SELECT status, body_digest, body_id, matches FROM replay_result")
                == ["200 - - 0"]
        )
        #expect(try stage.lines("SELECT count(*) FROM body") == ["1"])
    }

    @Test func `an answer that was empty and is has no body`() throws {
        let stage = try Stage()
        try stage.writer.write([result(2), result(3, matches: false)])
        #expect(
            try stage.lines("SELECT body_digest, body_id, matches FROM replay_result")
                == ["- - 1", "- - 0"]
        )
    }

    @Test(arguments: ReplayOutcome.allCases.filter { $0 != .ok })
    func `where no answer came there is no status, no first byte and no body`(
        outcome: ReplayOutcome
    ) throws {
        let stage = try Stage()
        var unsent = result(2, outcome: outcome, matches: false)
        unsent.sentNs = 0
        try stage.writer.write([result(1, outcome: outcome, matches: false), unsent])
        #expect(
            try stage.lines(
                """
                SELECT exchange_id, sent_ns, first_byte_ns, done_ns, status, outcome, body_digest,
                    body_id, matches FROM replay_result ORDER BY exchange_id
                """
            ) == [
                "1 201 - 401 - \(outcome.rawValue) - - 0", "2 - - 402 - \(outcome.rawValue) - - 0",
            ]
        )
    }

    @Test func `an answer that was cut off keeps what came of it`() throws {
        let stage = try Stage()
        var cut = result(1, matches: false, differing: (0xA1, "Hel"))
        cut.outcome = .truncated
        try stage.writer.write([cut])
        #expect(
            try stage.lines(
                """
                SELECT status, outcome, CAST(bytes AS TEXT) FROM replay_result
                JOIN body ON body.id = body_id
                """
            ) == ["200 truncated Hel"]
        )
    }

    @Test(arguments: ["before", nil])
    func `the run says what was tried, and after its end what came of it`(label: String?) throws {
        let stage = try Stage(label: label)
        let query = "SELECT * FROM replay_run"
        let start = """
            1 \(label ?? "-") 2026-11-25T16:00:00.000Z http://127.0.0.1:8888 4 asap - \
            {"timeout":1} {"cpus":2}
            """
        #expect(stage.writer.runID == 1)
        #expect(try stage.lines(query) == ["\(start) - - -"])
        try stage.writer.end(
            histograms: [
                ("service", [(bucket: 1000, count: 3), (bucket: 1 << 40, count: 1)]),
                ("service route GET /", [(bucket: 1000, count: 4)]),
            ],
            summary: #"{"requests":4}"#,
            reason: "done",
            at: "2026-11-25T16:00:01.000Z"
        )
        #expect(
            try stage.lines(query)
                == ["\(start) 2026-11-25T16:00:01.000Z done {\"requests\":4}"]
        )
        #expect(
            try stage.lines("SELECT * FROM histogram ORDER BY bucket, series")
                == [
                    "1 0 service 1000 3", "1 0 service route GET / 1000 4",
                    "1 0 service 1099511627776 1",
                ]
        )
    }

    @Test func `results are rows as soon as they are written, and a reader meets them`() throws {
        let stage = try Stage()
        try stage.writer.write([
            result(1), result(2, status: 500, matches: false),
            result(3, outcome: .reset, matches: false),
        ])
        try stage.writer.end(histograms: [], summary: "{}", reason: "done", at: "2026-11-25T16:01Z")
        let run = try SessionReader(stage.fixture.path).run("before").run
        #expect(run.requests == 3)
        #expect(run.errors == 1)
        #expect(run.mismatches == 2)
    }

    @Test func `writing no results writes none`() throws {
        let stage = try Stage()
        try stage.writer.write([])
        #expect(try stage.lines("SELECT count(*) FROM replay_result") == ["0"])
    }

    @Test func `of results that find no room none is written`() throws {
        let stage = try Stage()
        let path = stage.fixture.path
        try stage.fixture.file.queue.writeWithoutTransaction { db in
            let size = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(size + 2)")
        }
        let large = String(repeating: "large", count: 10_000)
        #expect(throws: SessionError.full(path: path)) {
            try stage.writer.write([
                result(1), result(2, matches: false, differing: (0xA1, large)),
            ])
        }
        #expect(try stage.lines("SELECT count(*) FROM replay_result") == ["0"])
        #expect(try stage.lines("SELECT count(*) FROM body") == ["1"])
    }
}
