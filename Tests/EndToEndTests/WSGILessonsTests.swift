import Foundation
import LabTestSupport
import Testing

/// What the first children had to do at their requests is done before the fork from then on.
@Suite struct WSGILessonsTests {
    /// Waits for a child's end; by then all that it tells is known.
    private func ends(_ lab: LabRecord, child: Int) -> Bool {
        lab.outputLine(with: "\"event\":\"child\",\"connection_id\":\(child),") != nil
    }

    /// Asks the application to import modules, and gives those that were there before.
    private func there(_ lab: LabRecord, _ modules: String..., child: Int) throws -> String {
        let answer = try lab.get("/?" + modules.joined(separator: ","))
        #expect(ends(lab, child: child))
        return answer
    }

    private func host(_ options: String...) throws -> LabRecord {
        try WSGIApplications.host("lateapp:app", ["--json"] + options)
    }

    @Test
    func `what a child imports late is imported in the parent once, then it is there for all`()
        throws
    {
        let lab = try host()
        let server = try lab.forkServer()
        #expect(try there(lab, "depot.late", "sched", child: 1) == "")
        for child in 2...4 {
            #expect(try there(lab, "depot.late", "sched", child: child) == "depot.late sched")
        }
        let end = lab.stop()
        #expect(end.status == 0)
        let child = try lab.sql("SELECT pid FROM child WHERE connection_id = 1")
        let told = end.errors.components(separatedBy: "\n").filter { $0.hasPrefix("late in") }
        #expect(told == ["late in \(child)", "late in \(server)"])
    }

    @Test func `the application's own modules and packages it has not loaded stay put off`() throws
    {
        let lab = try host()
        for child in 1...3 {
            #expect(try there(lab, "lateown", "apart", child: child) == "")
        }
        #expect(lab.stop().status == 0)
    }

    @Test func `an import that fails in the parent is tried once and keeps nothing from others`()
        throws
    {
        let lab = try host()
        #expect(try there(lab, "depot.childish", "depot.late", child: 1) == "")
        for child in 2...3 {
            #expect(try there(lab, "depot.childish", "depot.late", child: child) == "depot.late")
        }
        let end = lab.stop()
        #expect(end.status == 0)
        #expect(end.errors.components(separatedBy: "tried in the parent").count == 2)
        #expect(try lab.sql("SELECT count(*) FROM exchange WHERE status = 200") == "3")
    }

    @Test func `nothing is imported in the parent after a child that has a thread`() throws {
        let lab = try host()
        for child in 1...3 {
            #expect(try there(lab, "depot.busy", "depot.late", child: child) == "")
        }
        let end = lab.stop()
        #expect(end.status == 0)
        #expect(try lab.sql("SELECT count(*) FROM exchange WHERE status = 200") == "3")
    }

    @Test func `with --lazy nothing is learned`() throws {
        let lab = try host("--lazy")
        for child in 1...3 { #expect(try there(lab, "depot.late", "sched", child: child) == "") }
        #expect(lab.stop().status == 0)
    }

    /// Whether the system lets pages be pinned by an io_uring, which is how they are copied at a fork.
    private static let mayPin: Bool = {
        let question = """
            import ctypes, sys
            sys.exit(ctypes.CDLL(None).syscall(425, 1, ctypes.create_string_buffer(120)) < 0)
            """
        return (try? Tool.run("python3", "-c", question).status) == 0
    }()

    @Test(.enabled(if: mayPin, "io_uring is off here"))
    func `the pages that a child writes to are copied for the later ones, which take few faults`()
        throws
    {
        let lab = try WSGIApplications.host("flaskapp:app", ["--json"])
        // The first may have come to imports; then the second tells what it wrote to.
        for child in 1...5 {
            try lab.get("/hello")
            #expect(ends(lab, child: child))
        }
        lab.stop()
        #expect(
            try lab.sql(
                """
                SELECT max(minor_faults) FILTER (WHERE connection_id > 2)
                    < 0.5 * max(minor_faults) FILTER (WHERE connection_id = 1) FROM child
                """
            ) == "1"
        )
    }

    @Test
    func `what the application holds is the same for each child, whatever was done for speed`()
        throws
    {
        let lab = try WSGIApplications.host("ledger:app", ["--json"])
        let count = 12_000
        for child in 1...5 {
            #expect(try lab.get("/") == "\(count * (count - 1) + (count + 6) / 7)")
            #expect(ends(lab, child: child))
        }
        #expect(lab.stop().status == 0)
    }
}
