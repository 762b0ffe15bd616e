// Each alarm, and its negative control: the same session without the reason.

import LabReporter
import LabSession
import Testing

@Suite struct `Findings` {
    private func sentences(_ change: String) throws -> [String] {
        var report = try ReaderFixture(change).read { try $0.report() }
        report.path = "session.db"
        return Finding.all(report).map(\.sentence)
    }

    /// The fixture without anything that is worth a finding.
    private static let quiet = """
        DELETE FROM exchange WHERE id IN (4, 5, 6, 9);
        DELETE FROM child WHERE connection_id IN (2, 3, 4, 5, 6, 8);
        DELETE FROM connection WHERE id IN (2, 3, 4, 5, 6, 8);
        DELETE FROM server_event WHERE kind IN ('orphan', 'killed');
        UPDATE child SET reaped_ns = sigchld_ns + 1000;
        UPDATE server_event SET detail = '{"accepted":2,"forks":2,"fork_failed":0,"reaped":2}'
        WHERE kind = 'drain';
        DELETE FROM replay_run WHERE id = 2;
        """

    @Test func `there are none where nothing is wrong`() throws {
        #expect(try sentences(Self.quiet) == [])
    }

    @Test(arguments: [
        (
            "UPDATE child SET term_signal = 6, exit_code = NULL, fate = 'signalled' WHERE pid = 4007; "
                + "UPDATE exchange SET outcome = 'child_died', response_ended_ns = NULL, method = 'GET', "
                + "target = '/x' WHERE id = 8",
            "Child 4007 died of SIGABRT while serving GET /x."
        ),
        (
            "UPDATE child SET term_signal = 15, exit_code = NULL, fate = 'signalled' WHERE pid = 4007",
            "1 child died while serving nothing."
        ),
        (
            "UPDATE child SET reaped_ns = sigchld_ns + 100000000 WHERE pid = 4007",
            "Child 4007 stood as a zombie for at least 100 ms: the parent did not come to reap it."
        ),
        (
            "UPDATE child SET fate = 'unreaped' WHERE pid = 4007",
            "1 child was left a zombie when the recording ended: nobody waited for it."
        ),
        (
            "UPDATE exchange SET outcome = NULL WHERE id = 8",
            "Recording 1 does not add up: Exchanges without an outcome, whose children are dead: 1."
        ),
        (
            "DELETE FROM child WHERE pid = 4007",
            "Recording 1 does not add up: Of 2 forked children 1 are accounted for: 1 lost."
        ),
        (
            "DELETE FROM server_event WHERE kind = 'drain'",
            "Recording 1 ended without the fork server's own counts: whether anything was lost is not known."
        ),
        (
            "UPDATE recording SET ended_at = NULL; DELETE FROM server_event WHERE kind = 'drain'",
            "Recording 1 has no end: its recorder was killed. What it had not committed is not in the file, and how much that was nobody knows."
        ),
        (
            "INSERT INTO server_event VALUES (1, 1, 'fork_failed', NULL, '{}'), (1, 2, 'fork_failed', NULL, '{}')",
            "A child could not be forked, 2 times."
        ),
        (
            "INSERT INTO server_event VALUES (1, 1, 'listen_overflow', NULL, '{\"dropped\":3}')",
            "The listen queue was full and clients had to knock again."
        ),
        (
            "UPDATE connection SET arrived_ns = accepted_ns - 100000000 WHERE id = 7",
            "A connection waited 100 ms until it was accepted."
        ),
        (
            "INSERT INTO server_event VALUES (1, 1, 'orphan', 77, '{}')",
            "A child left an orphan, which the server adopted and reaped."
        ),
        (
            "UPDATE replay_result SET matches = 0 WHERE run_id = 1 AND exchange_id = 2",
            "In the last replay, before, 1 of 2 requests did not end as captured."
        ),
    ])
    func `a fault is told`(change: String, sentence: String) throws {
        #expect(try sentences(Self.quiet + change).contains(sentence))
    }

    @Test func `a zombie that stood for less than a tenth of a second is none`() throws {
        let short = "UPDATE child SET reaped_ns = sigchld_ns + 99999999"
        #expect(try sentences(Self.quiet + short) == [])
    }

    @Test func `a command names the session, unless it is the default one`() throws {
        var report = try ReaderFixture().read { try $0.report() }
        report.path = "session.db"
        #expect(Finding.all(report).first?.next == "lab show 4")
        report.path = "my file.db"
        #expect(Finding.all(report).first?.next == "lab show 'my file.db' 4")
    }
}
