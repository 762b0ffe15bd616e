// Bodies and deviations: each stored once, whatever wrote it and how often.

import Foundation
import LabExchange
import LabSession
import LabWire
import Testing

/// SHA-256 of `Hello, World!`.
private let helloDigest = "dffd6021bb2bd5b0af676290809ec3a53191dd81c7f70a4b28688a362182986f"

/// The bodies of each exchange in words.
private let contents = """
    SELECT e.id, CAST(q.bytes AS TEXT), CAST(a.bytes AS TEXT) FROM exchange e
    LEFT JOIN body q ON q.id = request_body_id LEFT JOIN body a ON a.id = response_body_id
    ORDER BY e.id
    """

@Suite struct `Bodies in a session` {
    @Test func `pieces are one body, with the digest of the whole`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take(
            Visit(connection: 1).whole(
                Asking(content: ["Hello", ", ", "World!"], answer: ["H", "ello, World", "!"])
            )
        )
        _ = try writer.commit()
        #expect(
            try fixture.lines("SELECT id, digest, size, truncated, CAST(bytes AS TEXT) FROM body")
                == ["1 \(helloDigest) 13 0 Hello, World!"]
        )
        #expect(
            try fixture.lines("SELECT request_body_id, response_body_id FROM exchange") == ["1 1"]
        )
    }

    @Test func `each distinct body is stored once, across commits and sessions`() throws {
        let fixture = try RecordingFixture()
        for _ in 1...2 {
            let writer = try fixture.record()
            let first = writer.firstConnectionID
            for connection in first..<first + 6 {
                let same = ["same"]
                let own = ["one of \(connection % 3)"]
                writer.take(Visit(connection: connection).whole(Asking(content: same, answer: own)))
                _ = try writer.commit()
            }
            try writer.end(reason: "signal", at: "2026-11-25T15:54:02.250Z")
        }
        #expect(
            try fixture.lines("SELECT CAST(bytes AS TEXT) FROM body ORDER BY 1")
                == ["one of 0", "one of 1", "one of 2", "same"]
        )
        #expect(
            try fixture.lines(contents) == (1...12).map { "\($0) same one of \($0 % 3)" }
        )
    }

    @Test func `no content is NULL`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take(Visit(connection: 1).whole(Asking(answer: [])))
        _ = try writer.commit()
        #expect(try fixture.lines(contents) == ["1 - -"])
        #expect(try fixture.lines("SELECT * FROM body") == [])
    }

    @Test(arguments: [0, 5, 12])
    func `a body that is cut has the size and the digest of the whole`(most: Int) throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record(mostStoredBody: most)
        let pieces = ["Hell", "o, Wor", "ld!"]
        writer.take(Visit(connection: 1).whole(Asking(answer: pieces)))
        writer.take(Visit(connection: 2).whole(Asking(answer: ["Hello, World!"])))
        _ = try writer.commit()
        #expect(
            try fixture.lines("SELECT digest, size, truncated, length(bytes) FROM body")
                == ["\(helloDigest) 13 1 \(most)"]
        )
        #expect(
            try fixture.lines("SELECT CAST(bytes AS TEXT) FROM body")
                == [String("Hello, World!".prefix(most))]
        )
        #expect(
            try fixture.lines("SELECT response_body_id FROM exchange ORDER BY id") == ["1", "1"]
        )
    }

    @Test func `a body as long as the limit is whole`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record(mostStoredBody: 13)
        writer.take(Visit(connection: 1).whole(Asking(answer: ["Hello", ", World!"])))
        _ = try writer.commit()
        #expect(try fixture.lines("SELECT size, truncated FROM body") == ["13 0"])
    }

    @Test func `a body that would be cut is the whole one that is there already`() throws {
        let fixture = try RecordingFixture()
        for most in [100, 5] {
            let writer = try fixture.record(mostStoredBody: most)
            writer.take(Visit(connection: writer.firstConnectionID).whole(Asking()))
            try writer.end(reason: "signal", at: "2026-11-25T15:54:02.250Z")
        }
        #expect(try fixture.lines("SELECT id, truncated FROM body") == ["1 0"])
        #expect(
            try fixture.lines("SELECT response_body_id FROM exchange ORDER BY id") == ["1", "1"]
        )
    }

    @Test func `a request's content is there from its end on, an answer's from the exchange's`()
        throws
    {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        let visit = Visit(connection: 1)
        let frames = visit.frames(Asking(content: ["as", "ked"], answer: ["ans", "wered"]))
        writer.take([visit.forked, visit.started])
        var seen: [String] = []
        for frame in frames {
            _ = writer.take(frame)
            _ = try writer.commit()
            seen += try fixture.lines(contents)
        }
        #expect(
            seen == Array(repeating: "1 - -", count: 3) + Array(repeating: "1 asked -", count: 5)
                + ["1 asked answered"]
        )
        #expect(try fixture.lines("SELECT count(*) FROM body") == ["2"], "no half of a body")
    }

    @Test func `content may hold any byte`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        let visit = Visit(connection: 1)
        let frames = visit.frames(Asking(answer: []))
        writer.take([visit.forked, visit.started] + frames.dropLast())
        writer.take([
            .responseContent(connectionID: 1, sequence: 1, bytes: Array(0...255)), frames[4],
        ])
        _ = try writer.commit()
        let every = (0...255).map { String(format: "%02x", $0) }.joined()
        #expect(try fixture.lines("SELECT size, bytes FROM body") == ["256 \(every)"])
    }
}

@Suite struct `Deviations in a session` {
    private let early = Deviation(.bareLineFeed, at: 14)
    private let late = Deviation(.spaceBeforeColon, at: 90)

    @Test func `each is stored once, even where the row is written again and again`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        let visit = Visit(connection: 1)
        let asking = Asking(
            outcome: .badRequest,
            error: "it broke a rule",
            deviations: [early, early],
            lateDeviations: [late]
        )
        let query = "SELECT exchange_id, code, section, offset FROM deviation ORDER BY offset"
        let line = "1 bare-line-feed \(WireRule.bareLineFeed.section) 14"
        writer.take([visit.forked, visit.started])
        for frame in visit.frames(asking) {
            #expect(try fixture.lines(query).count <= 2)
            _ = writer.take(frame)
            _ = try writer.commit()
        }
        #expect(
            try fixture.lines(query)
                == [line, line, "1 space-before-colon \(WireRule.spaceBeforeColon.section) 90"]
        )
        #expect(
            try fixture.lines("SELECT outcome, error FROM exchange")
                == ["bad_request it broke a rule"]
        )
    }

    @Test func `those of one exchange leave another's alone`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take(
            Visit(connection: 1).whole(
                Asking(deviations: [early]),
                Asking(sequence: 2),
                Asking(sequence: 3, lateDeviations: [late])
            )
        )
        _ = try writer.commit()
        #expect(
            try fixture.lines("SELECT exchange_id, code FROM deviation ORDER BY 1")
                == ["1 bare-line-feed", "3 space-before-colon"]
        )
    }
}
