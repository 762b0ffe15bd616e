import LabExchange
import LabSession
import Testing

/// Several writers on one session.
@Suite struct RecordingTogetherTests {
    @Test func `a second recorder is refused while the first one records`() throws {
        let fixture = try RecordingFixture()
        let first = try fixture.record()
        #expect(throws: SessionError.busy(path: fixture.path)) { try fixture.record() }
        withExtendedLifetime(first) {}
    }

    @Test func `after the first recorder the second one is let in`() throws {
        let fixture = try RecordingFixture()
        do { _ = try fixture.record() }
        #expect(throws: Never.self) { try fixture.record() }
    }

    @Test func `a replay into a session that is recorded costs the recorder nothing`() throws {
        let fixture = try RecordingFixture()
        let recorder = try fixture.record()
        recorder.take(Visit(connection: 1).whole(Asking()))
        _ = try recorder.commit()
        let replay = try ReplayWriter(
            SessionFile.open(writing: fixture.path),
            ReplayFacts(
                label: nil,
                startedAt: "",
                target: "",
                concurrency: 1,
                pacing: "asap",
                settings: "{}",
                hostFacts: "{}"
            )
        )
        let differs = DifferingBody(digest: [1, 2, 3], size: 4, bytes: [1, 2, 3, 4])
        try replay.write([
            ReplayResult(
                exchangeID: 1,
                round: 0,
                connection: 1,
                intendedNs: 1,
                sentNs: 1,
                firstByteNs: 1,
                doneNs: 1,
                status: 200,
                outcome: .ok,
                matches: false,
                differingBody: differs
            )
        ])
        recorder.take(Visit(connection: 2).whole(Asking(answer: ["another"])))
        #expect(throws: Never.self) { _ = try recorder.commit() }
        #expect(recorder.unwrittenExchanges == 0)
        #expect(try fixture.lines("SELECT count(*), count(DISTINCT id) FROM body").count == 1)
    }

    @Test func `a body kept whole completes the one that an earlier recording cut`() throws {
        let fixture = try RecordingFixture()
        for most in [5, 100] {
            let writer = try fixture.record(mostStoredBody: most)
            writer.take(Visit(connection: writer.firstConnectionID).whole(Asking()))
            try writer.end(reason: "signal", at: "x")
        }
        #expect(
            try fixture.lines("SELECT max(n) FROM (SELECT count(*) AS n FROM body GROUP BY digest)")
                == ["1"]
        )
        #expect(try fixture.lines("SELECT sum(truncated) FROM body") == ["0"])
    }
}
