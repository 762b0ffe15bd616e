// Each alarm of the accounts, and its negative control: the same session without the fault.

import LabSession
import Testing

@Suite struct `The accounts of a recording` {
    private func identity(_ change: String) throws -> SessionIdentity {
        let report = try ReaderFixture(change).read { try $0.report() }
        return try #require(report.recordings.first).identity
    }

    @Test func `they hold where nothing was lost`() throws {
        let identity = try identity("")
        #expect(identity.verdict == .holds)
        #expect(identity.faults.isEmpty)
        #expect(identity.isTrustworthy)
        #expect(identity.accepted == 8)
        #expect(identity.recorded == 8)
        #expect(identity.reaped == 5)
        #expect(identity.living == 1)
        #expect(identity.unknown == 2)
        #expect(identity.unfinished == 1)
        #expect(identity.lost == 0)
    }

    @Test(arguments: [
        (
            "DELETE FROM connection WHERE id = 5",
            "Of 8 accepted connections 7 are accounted for: 1 lost."
        ),
        (
            "DELETE FROM child WHERE pid = 4005",
            "Of 8 forked children 7 are accounted for: 1 lost."
        ),
        (
            "UPDATE server_event SET detail = '{\"accepted\":9,\"forks\":8,\"fork_failed\":0}' WHERE kind = 'drain'",
            "Of 9 accepted connections 8 are accounted for: 1 lost."
        ),
        (
            "UPDATE server_event SET detail = '{\"accepted\":7,\"forks\":8,\"fork_failed\":0}' WHERE kind = 'drain'",
            "Of 7 accepted connections 8 are accounted for: 1 too many."
        ),
        (
            "UPDATE child SET reaped_ns = NULL WHERE pid = 4001",
            "Children that are said to have ended, with no reaping on record: 1."
        ),
        (
            "UPDATE child SET fate = 'running' WHERE pid = 4001",
            "Children that were reaped, and are said to have no end: 1."
        ),
        (
            "UPDATE exchange SET outcome = NULL WHERE id = 4",
            "Exchanges without an outcome, whose children are dead: 1."
        ),
    ])
    func `a fault breaks them and is named`(change: String, sentence: String) throws {
        let identity = try identity(change)
        #expect(identity.verdict == .broken)
        #expect(identity.faults.contains(sentence), "\(identity.faults)")
        #expect(!identity.isTrustworthy)
    }

    @Test func `a failed fork is accounted for`() throws {
        let identity = try identity(
            "UPDATE server_event SET detail = '{\"accepted\":10,\"forks\":8,\"fork_failed\":2}' WHERE kind = 'drain'"
        )
        #expect(identity.verdict == .holds)
        #expect(identity.failed == 2)
    }

    @Test func `without the fork server's counts an ended recording is not trusted`() throws {
        let identity = try identity("DELETE FROM server_event WHERE kind = 'drain'")
        #expect(identity.verdict == .uncounted)
        #expect(!identity.isTrustworthy)
    }

    @Test func `a recording whose recorder was killed is distrusted, and one that goes on is not`()
        throws
    {
        let killed = try identity(
            """
            DELETE FROM server_event WHERE kind = 'drain';
            UPDATE recording SET ended_at = NULL, end_reason = NULL;
            """
        )
        #expect(killed.verdict == .abandoned)
        #expect(!killed.isTrustworthy)
        let fixture = try RecordingFixture()
        let recorder = try fixture.record()
        let going = try SessionReader(fixture.path).report()
        #expect(going.recordings.map(\.identity.verdict) == [.open])
        #expect(going.isTrustworthy)
        withExtendedLifetime(recorder) {}
    }

    @Test func `each of several recordings has its own`() throws {
        let report = try ReaderFixture(
            """
            INSERT INTO recording SELECT 2, started_at, anchor_ns, host, port, mode, upstream, app,
                reap, command_line, lab_version, ended_at, end_reason, pseudonym, forwarded
            FROM recording;
            UPDATE connection SET recording_id = 2 WHERE id = 8;
            INSERT INTO server_event VALUES
                (2, 1, 'drain', NULL, '{"accepted":1,"forks":1,"fork_failed":0}');
            UPDATE server_event SET detail = '{"accepted":7,"forks":7,"fork_failed":0}'
            WHERE kind = 'drain' AND recording_id = 1;
            """
        ).read { try $0.report() }
        #expect(report.recordings.map(\.identity.verdict) == [.holds, .holds])
        #expect(report.recordings.map(\.connections) == [7, 1])
        #expect(report.recordings.map(\.exchanges) == [8, 1])
    }
}
