// Frames -> the rows of connections, children and exchanges, whatever the order and the commits.

import GRDB
import LabExchange
import LabSession
import LabWire
import Testing

private let visit = Visit(connection: 1)

private let exchangeColumns = """
    SELECT id, connection_id, child_pid, sequence, method, target, route, version, status, reason,
        outcome, error, started_ns, head_ns, request_ns, upstream_connected_ns,
        response_started_ns, response_ended_ns, user_cpu_us, system_cpu_us,
        CAST(request_head AS TEXT) = 'POST /items/7?all HTTP/1.1' || x'0d0a' || 'Host: a'
            || x'0d0a0d0a',
        CAST(response_head AS TEXT) = 'HTTP/1.1 200 OK' || x'0d0a0d0a', environ
    FROM exchange ORDER BY id
    """

@Suite struct `Frames become rows` {
    @Test func `every field of a connection, its child and its exchange is in its column`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take(visit.whole(Asking()))
        _ = try writer.commit()
        #expect(
            try fixture.lines("SELECT * FROM connection")
                == ["1 1 127.0.0.1 50001 1000000 1000001 1000900"]
        )
        #expect(
            try fixture.lines("SELECT * FROM child") == [
                "1 4001 4000 1000002 1000003 1000004 1000901 1000902 1000903 0 0 - 0 "
                    + "2 3 4 3001 5 6 7 8 exited"
            ]
        )
        #expect(
            try fixture.lines(exchangeColumns) == [
                "1 1 4001 1 POST /items/7?all /items/{id} HTTP/1.1 200 OK ok - "
                    + "1000101 1000102 1000103 1000104 1000105 1000106 1000107 1000108 "
                    + "1 1 {\"REQUEST_METHOD\":\"POST\"}"
            ]
        )
    }

    @Test
    func `an environ told later is the one that counts, and of an error stream 64 KiB are kept`()
        throws
    {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        var environ = Environ()
        environ.add("CONTENT_LENGTH", Array("3".utf8))
        let run = [UInt8](repeating: 0x61, count: 40_000)
        let frames = visit.frames()
        writer.take([visit.forked, visit.started, frames[0]])
        writer.take([
            .environ(connectionID: 1, sequence: 1, environ: environ),
            .applicationErrors(connectionID: 1, sequence: 1, bytes: run),
            .applicationErrors(connectionID: 1, sequence: 1, bytes: run),
        ])
        writer.take(frames.dropFirst() + visit.frames(Asking(sequence: 2)))
        _ = try writer.commit()
        #expect(
            try fixture.lines(
                "SELECT environ, length(errors), typeof(errors), errors_size FROM exchange ORDER BY id"
            ) == [
                "{\"CONTENT_LENGTH\":\"3\"} 65536 blob 80000",
                "{\"REQUEST_METHOD\":\"POST\"} - null -",
            ]
        )
    }

    @Test(arguments: [
        ("after the child's first word", 1),
        ("in the middle of the request", 3),
        ("after the answer", 8),
        ("after the child's last word", 9),
    ])
    func `a parent that speaks late gives the same rows as one that speaks first`(
        when: String,
        place: Int
    ) throws {
        let fixtures = try (early: RecordingFixture(), late: RecordingFixture())
        let asking = Asking(content: ["a body"])
        let child = [visit.started] + visit.frames(asking) + [visit.ending]
        let early = try fixtures.early.record()
        early.take([visit.forked] + child + [visit.reaped()])
        _ = try early.commit()
        let late = try fixtures.late.record()
        late.take(child[..<place] + [visit.forked] + child[place...] + [visit.reaped()])
        _ = try late.commit()
        #expect(try fixtures.late.dump() == fixtures.early.dump(), "\(when)")
        #expect(late.counts == early.counts)
    }

    @Test func `a commit after every frame leaves what one commit at the end leaves`() throws {
        let fixtures = try (once: RecordingFixture(), often: RecordingFixture())
        let frames = visit.whole(
            Asking(content: ["ask", "ing"], deviations: [Deviation(.bareLineFeed, at: 3)]),
            Asking(sequence: 2, answer: ["more"])
        )
        let once = try fixtures.once.record()
        once.take(frames)
        _ = try once.commit()
        let often = try fixtures.often.record()
        for frame in frames {
            _ = often.take(frame)
            #expect(often.hasNews)
            _ = try often.commit()
            #expect(!often.hasNews)
        }
        #expect(try fixtures.often.dump() == fixtures.once.dump())
    }

    @Test func `an exchange under way is a row without an outcome, and is that row to its end`()
        throws
    {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        let query = "SELECT id, outcome, request_ns, status, response_ended_ns FROM exchange"
        let frames = visit.frames(Asking(content: ["half", " and half"]))
        writer.take([visit.forked, visit.started] + frames[..<2])
        _ = try writer.commit()
        #expect(try fixture.lines(query) == ["1 - - - -"])
        #expect(try fixture.lines("SELECT fate FROM child") == ["running"])
        writer.take(Array(frames[2..<6]))
        _ = try writer.commit()
        #expect(try fixture.lines(query) == ["1 - 1000103 200 -"])
        writer.take(Array(frames[6...]))
        _ = try writer.commit()
        #expect(try fixture.lines(query) == ["1 ok 1000103 200 1000106"])
    }

    @Test func `the requests of one connection are numbered, and share its child`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take(
            visit.whole(
                Asking(answer: ["a"]),
                Asking(sequence: 2, target: "/b", answer: ["b"]),
                Asking(sequence: 3, target: "/c", answer: ["c"])
            )
        )
        _ = try writer.commit()
        #expect(
            try fixture.lines(
                """
                SELECT e.id, sequence, child_pid, target, outcome, CAST(bytes AS TEXT)
                FROM exchange e JOIN body ON body.id = response_body_id ORDER BY e.id
                """
            ) == ["1 1 4001 /items/7?all ok a", "2 2 4001 /b ok b", "3 3 4001 /c ok c"]
        )
        #expect(try fixture.lines("SELECT count(*) FROM child") == ["1"])
        #expect(try fixture.lines("SELECT count(*) FROM connection") == ["1"])
    }

    @Test func `exchanges are numbered in the order in which their heads came`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        let other = Visit(connection: 2)
        let slow = visit.frames()
        writer.take([visit.forked, other.forked, visit.started, other.started, slow[0]])
        writer.take(other.frames())
        writer.take(Array(slow[1...]))
        _ = try writer.commit()
        #expect(
            try fixture.lines("SELECT id, connection_id FROM exchange ORDER BY id")
                == ["1 1", "2 2"]
        )
    }

    @Test func `what belongs to another sequence does not touch the exchange under way`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        let late = visit.frames(Asking(answer: ["late"]))
        writer.take([visit.forked, visit.started] + late)
        writer.take(Array(visit.frames(Asking(sequence: 2))[..<1]))
        writer.take(Array(late[1...]))
        _ = try writer.commit()
        #expect(
            try fixture.lines("SELECT id, sequence, status, outcome FROM exchange ORDER BY id")
                == ["1 1 200 ok", "2 2 - -"]
        )
    }
}

@Suite struct `Children that end badly` {
    @Test(arguments: [
        (Int32(11 | 0x80), ChildFate.signalled, "child_died", "by signal 11 ", "- 11 1 signalled"),
        (9, .signalled, "child_died", "by signal 9 ", "- 9 0 signalled"),
        (9, .timedOut, "child_died", "by signal 9 ", "- 9 0 timed_out"),
        (0, .exited, "app_error", "exited with 0 ", "0 - 0 exited"),
        (3 << 8, .exited, "child_died", "exited with 3 ", "3 - 0 exited"),
        (255 << 8, .exited, "child_died", "exited with 255 ", "255 - 0 exited"),
    ])
    func `a child that leaves in the middle ends its exchange, which says how`(
        status: Int32,
        fate: ChildFate,
        outcome: String,
        words: String,
        ending: String
    ) throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        let asking = Asking(answer: ["first half", "second half"])
        writer.take([visit.forked, visit.started] + visit.frames(asking).dropLast(2))
        _ = try writer.commit()
        let news = writer.take([visit.reaped(status, fate)])
        _ = try writer.commit()
        #expect(
            try fixture.lines(
                """
                SELECT e.id, status, outcome, response_ended_ns, user_cpu_us, CAST(bytes AS TEXT)
                FROM exchange e JOIN body ON body.id = response_body_id
                """
            ) == ["1 200 \(outcome) - - first half"]
        )
        let error = try #require(try fixture.lines("SELECT error FROM exchange").first)
        #expect(error.contains(words), "\(error)")
        #expect(error.contains("child 4001 "), "\(error)")
        #expect(
            try fixture.lines("SELECT exit_code, term_signal, core_dumped, fate FROM child")
                == [ending]
        )
        #expect(try fixture.lines("SELECT exiting_ns FROM child") == ["-"])
        guard case .child(let child) = try #require(news.first) else {
            Issue.record("no child: \(news)")
            return
        }
        #expect(child.unfinished?.outcome.rawValue == outcome)
        #expect(child.unfinished?.error == error)
        #expect(child.zombieAtMostNs == nil)
        #expect(writer.counts.failed == 1)
        #expect(writer.counts.died == (status == 0 ? 0 : 1))
    }

    @Test func `a child that dies between two requests spoils neither`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take(
            [visit.forked, visit.started] + visit.frames() + [visit.reaped(11, .signalled)]
        )
        _ = try writer.commit()
        #expect(try fixture.lines("SELECT outcome, error FROM exchange") == ["ok -"])
        #expect(writer.counts.ok == 1)
        #expect(writer.counts.died == 1)
    }

    @Test func `a child that dies before its first word is known from its parent`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take([visit.forked, visit.reaped(9, .signalled)])
        _ = try writer.commit()
        #expect(
            try fixture.lines("SELECT forked_ns, started_ns, baseline_rss_kib, fate FROM child")
                == ["1000003 - - signalled"]
        )
        #expect(
            try fixture.lines("SELECT peer_address, closed_ns FROM connection") == ["127.0.0.1 -"]
        )
    }

    @Test func `without a SIGCHLD its instant is not known`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take([visit.forked, visit.started, visit.ending])
        writer.take([
            .childReaped(
                connectionID: 1,
                pid: 4001,
                waitStatus: 0,
                sigchldNs: 0,
                reapedNs: visit.at(903),
                usage: visit.usage,
                fate: .exited
            )
        ])
        _ = try writer.commit()
        #expect(try fixture.lines("SELECT sigchld_ns, reaped_ns FROM child") == ["- 1000903"])
    }
}
