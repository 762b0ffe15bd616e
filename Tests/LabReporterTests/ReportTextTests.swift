// Reports as a person reads them.

import LabReporter
import LabSession
import Testing

@Suite struct `The text report` {
    private func report(_ change: String = "") throws -> SessionReport {
        var report = try ReaderFixture(change).read { try $0.report() }
        report.path = "session.db"
        return report
    }

    @Test func `of a session with one of everything`() throws {
        try Golden.check(TextReport(report(), style: .plain).text, "report")
    }

    @Test func `of a session whose accounts are broken`() throws {
        let broken = try report(
            """
            DELETE FROM connection WHERE id = 5;
            UPDATE exchange SET outcome = NULL WHERE id = 4;
            """
        )
        try Golden.check(TextReport(broken, style: .plain).text, "report-broken")
    }

    @Test func `of a session in which nothing happened`() throws {
        let empty = try report(
            """
            DELETE FROM exchange; DELETE FROM child; DELETE FROM connection; DELETE FROM server_event;
            DELETE FROM replay_result; DELETE FROM histogram; DELETE FROM replay_run;
            INSERT INTO server_event VALUES
                (1, 1, 'drain', NULL, '{"accepted":0,"forks":0,"fork_failed":0,"reaped":0}');
            """
        )
        try Golden.check(TextReport(empty, style: .plain).text, "report-empty")
    }

    @Test func `of a session with a thousand requests and a slow route`() throws {
        let many = try report(
            ReaderFixture.many(5000) + """
                UPDATE exchange SET route = '/slow', target = '/slow',
                    response_ended_ns = response_ended_ns + 900000000 WHERE id BETWEEN 101 AND 130;
                """
        )
        try Golden.check(TextReport(many, style: .plain).text, "report-many")
    }

    @Test func `of one run`() throws {
        let run = try ReaderFixture().read { try $0.run("after") }
        try Golden.check(RunReport(run, style: .plain).text, "run")
    }

    @Test func `of a run whose every answer is the captured one`() throws {
        let run = try ReaderFixture().read { try $0.run("before") }
        let text = RunReport(run, style: .plain).text
        #expect(text.contains("Every answer is the captured one."))
    }

    @Test func `fits in a hundred columns, with nothing at the ends of lines`() throws {
        let many = try report(ReaderFixture.many(5000))
        for line in TextReport(many, style: .plain).text.split(separator: "\n") {
            #expect(line.count <= 100, "\(line)")
            #expect(line.last != " ", "\(line)")
        }
    }

    @Test func `is coloured only where that is asked for`() throws {
        let report = try report()
        let colored = TextReport(report, style: .ansi).text
        #expect(colored.contains("\u{1b}[1;31m"))
        #expect(!TextReport(report, style: .plain).text.contains("\u{1b}"))
        let stripped = colored.replacing(/\u{1b}\[[0-9;]*m/, with: "")
        #expect(stripped == TextReport(report, style: .plain).text)
    }

    @Test func `shows no control bytes of the traffic`() throws {
        let hostile = try report(
            """
            UPDATE exchange SET target = '/' || char(27) || '[2J', route = '/' || char(27) || '[2J',
                method = 'G' || char(7), outcome = char(27) || 'x';
            UPDATE recording SET mode = char(27) || '[31m', end_reason = char(13);
            UPDATE replay_run SET label = char(27) || 'c', target = char(8);
            UPDATE server_event SET detail = char(27) WHERE kind = 'orphan';
            """
        )
        let text = TextReport(hostile, style: .plain).text
        #expect(!text.unicodeScalars.contains { $0.value < 32 && $0 != "\n" })
        #expect(text.contains("\\x1b[2J"))
    }
}
