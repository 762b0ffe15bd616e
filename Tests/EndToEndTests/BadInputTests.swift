import Foundation
import LabTestSupport
import Testing

/// Bad input gets a sentence that says what failed, on what, and what to do; and its exit code.
@Suite struct BadInputTests {
    @Test func `a port in use`() throws {
        let lab = try LabRecord()
        let folder = try Place.temporary()
        let end = try Tool.run(Place.lab, "record", "--port", "\(lab.port)", in: folder)
        lab.stop()
        #expect(end.status == 2)
        #expect(
            end.errors
                == "lab: Cannot listen on 127.0.0.1 port \(lab.port): another process has it. "
                + "Stop that one, or give another port with --port (0 takes a free one).\n"
        )
        // And no empty session is left to stand in the way of the next try.
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test(arguments: [["report"], ["list"], ["show", "1"], ["replay"]])
    func `a session that is missing, empty, none, or too new`(command: [String]) throws {
        let folder = try Place.temporary()
        func said(_ name: String) throws -> Finished {
            let words =
                [Place.lab, command[0], folder.appendingPathComponent(name).path]
                + command.dropFirst()
            return try Tool(words).finish()
        }
        try Data().write(to: folder.appendingPathComponent("empty.db"))
        try Data("some text that is long enough to be looked at".utf8).write(
            to: folder.appendingPathComponent("text.db")
        )
        try Tool.run(
            "sqlite3",
            folder.appendingPathComponent("other.db").path,
            "CREATE TABLE t (x)"
        )
        let newer = folder.appendingPathComponent("newer.db").path
        try LabRecord(session: newer).stop()
        try Tool.run("sqlite3", newer, "PRAGMA user_version = 9")
        for (name, words) in [
            ("missing.db", "there is no such file"), ("empty.db", "the file is empty"),
            ("text.db", "it is not a lab session"), ("other.db", "it is not a lab session"),
            ("newer.db", "its format is 9; this lab reads up to 3"),
        ] {
            let end = try said(name)
            #expect(end.status == 2, "\(name)")
            #expect(end.errors.contains(words), "\(name): \(end.errors)")
            #expect(end.errors.contains(name), "\(name): \(end.errors)")
        }
    }

    @Test func `a session without a request can't be replayed`() throws {
        let lab = try LabRecord()
        lab.stop()
        let end = try Tool.run(Place.lab, "replay", lab.session)
        #expect(end.status == 2)
        #expect(end.errors.contains("holds no request that can be sent again"))
    }

    @Test func `a target that refuses`() throws {
        let lab = try LabRecord()
        _ = try lab.get("/")
        lab.stop()
        let end = try Tool.run(Place.lab, "replay", lab.session)
        #expect(end.status == 2)
        #expect(
            end.errors.contains("The target http://127.0.0.1:\(lab.port) never answered: 1 refused")
        )
        #expect(try lab.sql("SELECT outcome, matches FROM replay_result") == "refused|0")
    }

    @Test(arguments: [
        ["record", "--port", "70000"], ["record", "--upstream", "https://a"],
        ["record", "--requests", "0"],
        ["record", "--header-timeout", "soon"], ["replay", "--concurrency", "0"], ["show"],
        ["show", "x"],
        ["replay", "x.db", "--target", "http://a/b"], ["nonsense"],
    ])
    func `bad usage`(words: [String]) throws {
        let lab = try LabRecord()
        _ = try lab.get("/")
        lab.stop()
        let end = try Tool([Place.lab] + words.map { $0 == "x.db" ? lab.session : $0 }).finish()
        #expect(end.status == 64)
        #expect(!end.errors.isEmpty)
    }

    @Test(.enabled(if: getuid() == 0, "mounting a small file system needs root"))
    func `a full disk ends the recording with a sentence and loses nothing that was answered`()
        throws
    {
        let folder = try Place.temporary()
        try #require(
            try Tool.run("mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder.path).status == 0
        )
        defer { _ = try? Tool.run("umount", folder.path) }
        let lab = try LabRecord(session: folder.appendingPathComponent("session.db").path)
        let load = try Tool.run("ab", "-q", "-r", "-n", "20000", "-c", "8", lab.url("/"))
        let end = lab.finish()
        #expect(end.status == 2)
        #expect(end.errors.contains("no space is left on its file system"))
        #expect(try lab.sql("PRAGMA integrity_check") == "ok")
        let stored = try #require(
            Int(try lab.sql("SELECT count(*) FROM exchange WHERE outcome = 'ok'"))
        )
        let answered = try #require(
            load.output.split(separator: "\n").first {
                $0.contains("Complete requests") || $0.contains("Total of")
            }
            .flatMap { $0.split(separator: " ").compactMap { Int($0) }.first }
        )
        #expect(stored > 0)
        #expect(
            end.errors.contains("recorded \(stored) exchanges"),
            "\(stored) stored: \(end.errors)"
        )
        #expect(!end.errors.contains("are lost"), "\(answered) answered")
    }
}
