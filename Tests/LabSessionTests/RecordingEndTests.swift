// How a recording ends, how another is added to it, and what befell the server meanwhile.

import LabExchange
import LabSession
import Testing

@Suite struct `The end of a recording` {
    private let living = Visit(connection: 1)

    @Test func `of children that live when it ends the fate is unknown`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take([living.forked, living.started] + living.frames().dropLast(2))
        writer.take(Visit(connection: 2).whole(Asking()))
        writer.take([Visit(connection: 3).started])
        _ = try writer.commit()
        #expect(
            try fixture.lines("SELECT fate FROM child ORDER BY 1")
                == ["exited", "running", "running"]
        )
        try writer.end(reason: "signal", at: "2026-11-25T15:54:02.250Z")
        #expect(
            try fixture.lines("SELECT pid, fate, wait_status, reaped_ns FROM child ORDER BY pid")
                == ["4001 unknown - -", "4002 exited 0 2000903", "4003 unknown - -"]
        )
        #expect(
            try fixture.lines("SELECT connection_id, outcome, status FROM exchange ORDER BY id")
                == ["1 child_died 200", "2 ok 200"]
        )
        #expect(writer.counts.connections - writer.counts.reaped == 2)
    }

    @Test func `what was not committed before is in it`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take(living.whole(Asking()))
        try writer.end(reason: "requests", at: "2026-11-25T15:54:02.250Z")
        #expect(try fixture.lines("SELECT outcome FROM exchange") == ["ok"])
    }

    @Test func `its row says how it was called, and when and why it ended`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record(anchorNs: 77)
        let query = "SELECT * FROM recording"
        let start =
            "1 2026-11-25T15:53:56.250Z 77 127.0.0.1 8888 builtin - - drain lab record 0.1.0"
        #expect(try fixture.lines(query) == ["\(start) - - - -"])
        try writer.end(reason: "duration", at: "2026-11-25T15:54:02.250Z")
        #expect(try fixture.lines(query) == ["\(start) 2026-11-25T15:54:02.250Z duration - -"])
    }

    @Test func `a recording of nothing is one row`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        #expect(!writer.hasNews)
        #expect(writer.counts == RecordingCounts())
        try writer.end(reason: "signal", at: "2026-11-25T15:54:02.250Z")
        #expect(try fixture.dump().count == 1)
    }
}

@Suite struct `A recording added to a session` {
    @Test func `numbers go on where those of the one before end`() throws {
        let fixture = try RecordingFixture()
        let first = try fixture.record()
        #expect(first.firstConnectionID == 1)
        first.take(Visit(connection: 1).whole(Asking(), Asking(sequence: 2)))
        first.take(Visit(connection: 2).whole(Asking()))
        try first.end(reason: "signal", at: "2026-11-25T15:54:02.250Z")
        let second = try fixture.record()
        #expect(second.firstConnectionID == 3)
        #expect(second.counts == RecordingCounts())
        second.take(Visit(connection: second.firstConnectionID).whole(Asking()))
        try second.end(reason: "signal", at: "2026-11-25T16:54:02.250Z")
        #expect(
            try fixture.lines("SELECT id, recording_id FROM connection ORDER BY id")
                == ["1 1", "2 1", "3 2"]
        )
        #expect(
            try fixture.lines("SELECT id, connection_id, sequence FROM exchange ORDER BY id")
                == ["1 1 1", "2 1 2", "3 2 1", "4 3 1"]
        )
        #expect(try fixture.lines("SELECT id FROM recording ORDER BY id") == ["1", "2"])
    }

    @Test func `children that a killed recorder left running become unknown`() throws {
        let fixture = try RecordingFixture()
        do {
            let killed = try fixture.record()
            let running = Visit(connection: 1)
            killed.take([running.forked, running.started] + running.frames()[..<1])
            killed.take(Visit(connection: 2).whole(Asking()))
            _ = try killed.commit()
        }
        #expect(
            try fixture.lines("SELECT outcome FROM exchange ORDER BY connection_id") == ["-", "ok"]
        )
        _ = try fixture.record()
        #expect(
            try fixture.lines("SELECT pid, fate FROM child ORDER BY pid")
                == ["4001 unknown", "4002 exited"]
        )
        #expect(
            try fixture.lines("SELECT outcome, error FROM exchange ORDER BY connection_id")
                == ["child_died the recording ended before the child's end was seen", "ok -"]
        )
        #expect(try fixture.lines("SELECT ended_at FROM recording") == ["-", "-"])
    }
}

@Suite struct `Events of the server` {
    @Test(arguments: ServerEventKind.allCases)
    func `each kind is a row, and news`(kind: ServerEventKind) throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        let detail = #"{"why":"\u00e9"}"#
        let news = writer.take([
            .serverEvent(kind: kind, atNs: 5, pid: 4001, detail: Array(detail.utf8)),
            .serverEvent(kind: kind, atNs: 6, pid: 0, detail: Array("{}".utf8)),
        ])
        #expect(
            news == [
                .event(kind, pid: 4001, detail: Array(detail.utf8)),
                .event(kind, pid: 0, detail: Array("{}".utf8)),
            ]
        )
        #expect(writer.hasNews)
        _ = try writer.commit()
        #expect(!writer.hasNews)
        _ = try writer.commit()
        #expect(
            try fixture.lines("SELECT * FROM server_event ORDER BY at_ns")
                == ["1 5 \(kind.rawValue) 4001 \(detail)", "1 6 \(kind.rawValue) - {}"]
        )
    }

    @Test func `they belong to the recording that met them`() throws {
        let fixture = try RecordingFixture()
        for at in [Int64(1), 2] {
            let writer = try fixture.record()
            writer.take([.serverEvent(kind: .drain, atNs: at, pid: 0, detail: Array("{}".utf8))])
            try writer.end(reason: "signal", at: "2026-11-25T15:54:02.250Z")
        }
        #expect(
            try fixture.lines("SELECT recording_id, at_ns FROM server_event ORDER BY at_ns")
                == ["1 1", "2 2"]
        )
    }
}
