// The file itself: who may read it, what marks it, and what is left when the recorder is killed.

import Foundation
import GRDB
import LabExchange
import LabSession
import Testing

/// The mode of a file, its permissions only.
private func mode(_ path: String) throws -> Int {
    let facts = try FileManager.default.attributesOfItem(atPath: path)
    return try #require(facts[.posixPermissions] as? Int)
}

@Suite struct `A new session file` {
    @Test(arguments: ["", "-wal", "-shm"])
    func `only its owner may read it`(suffix: String) throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take(Visit(connection: 1).whole(Asking()))
        _ = try writer.commit()
        #expect(try mode(fixture.path + suffix) == 0o600)
    }

    @Test func `it is marked as a session of this format, in WAL mode`() throws {
        let fixture = try RecordingFixture()
        #expect(try fixture.lines("PRAGMA application_id") == ["1279345235"])
        #expect(try fixture.lines("PRAGMA user_version") == ["3"])
        #expect(try fixture.lines("PRAGMA journal_mode") == ["wal"])
        let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        #expect(bytes.prefix(15) == Data("SQLite format 3".utf8))
    }

    @Test(arguments: ["", "not a session"])
    func `what is there already is not overwritten`(text: String) throws {
        let fixture = try RecordingFixture()
        let other = fixture.folder.appendingPathComponent("other.db")
        try Data(text.utf8).write(to: other)
        #expect(throws: SessionError.exists(path: other.path)) {
            try SessionFile.create(other.path)
        }
        #expect(try Data(contentsOf: other) == Data(text.utf8))
        let names = try FileManager.default.contentsOfDirectory(atPath: fixture.folder.path)
        #expect(!names.contains { $0.hasPrefix("other.db-") }, "\(names)")
    }

    @Test func `a session is not overwritten while it is written to`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take(Visit(connection: 1).whole(Asking()))
        _ = try writer.commit()
        let before = try fixture.dump()
        #expect(throws: SessionError.exists(path: fixture.path)) {
            try SessionFile.create(fixture.path)
        }
        #expect(try fixture.dump() == before)
    }

    @Test func `a link to nowhere is not followed`() throws {
        let fixture = try RecordingFixture()
        let link = fixture.folder.appendingPathComponent("link.db").path
        let target = fixture.folder.appendingPathComponent("nowhere").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: target)
        #expect(throws: SessionError.exists(path: link)) { try SessionFile.create(link) }
        #expect(!FileManager.default.fileExists(atPath: target))
    }

    @Test func `in a folder that is not there it cannot be made`() throws {
        let path = "/nonexistent/lab/session.db"
        #expect(
            throws: SessionError.failed(
                path: path,
                doing: "create",
                reason: "No such file or directory"
            )
        ) { try SessionFile.create(path) }
    }
}

@Suite struct `A recorder that is killed` {
    /// Two commits, the second with an exchange under way, and frames that no commit has seen.
    private static func recordSome(_ writer: RecordingWriter) throws {
        for connection in Int64(1)...200 {
            writer.take(Visit(connection: connection).whole(Asking(answer: ["body \(connection)"])))
        }
        _ = try writer.commit()
        let living = Visit(connection: 201)
        writer.take([living.forked, living.started] + living.frames().dropLast(2))
        _ = try writer.commit()
        writer.take(Visit(connection: 202).whole(Asking()))
    }

    private func expectAll(_ path: String) throws {
        let copy = try SessionFile.open(writing: path)
        let said = try copy.queue.read { db in
            try rowLines(db, "PRAGMA integrity_check") + rowLines(db, "PRAGMA foreign_key_check")
        }
        #expect(said == ["ok"])
        let counts = try copy.queue.read { db in
            try rowLines(
                db,
                """
                SELECT (SELECT count(*) FROM connection), (SELECT count(*) FROM child),
                    (SELECT count(*) FROM exchange), (SELECT count(*) FROM exchange
                        JOIN body ON body.id = response_body_id AND outcome = 'ok'
                        WHERE CAST(bytes AS TEXT) = 'body ' || connection_id)
                """
            )
        }
        #expect(counts == ["201 201 201 200"])
        let last = try copy.queue.read { db in
            try rowLines(
                db,
                """
                SELECT fate, outcome, ended_at FROM recording, child
                JOIN exchange USING (connection_id) WHERE connection_id = 201
                """
            )
        }
        #expect(last == ["running - -"])
    }

    @Test func `a copy of its three files after a commit holds every committed row`() throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        try Self.recordSome(writer)
        let copy = fixture.folder.appendingPathComponent("copy.db").path
        for suffix in ["", "-wal", "-shm"] {
            try FileManager.default.copyItem(atPath: fixture.path + suffix, toPath: copy + suffix)
        }
        try expectAll(copy)
        #expect(writer.hasNews, "it lived till here")
    }

    @Test func `what it committed before a SIGKILL is there, and can be added to`() async throws {
        let folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("lab-killed-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("session.db").path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let file = try SessionFile.create(path)
            let facts = RecordingFacts(
                startedAt: "2026-11-25T15:53:56.250Z",
                anchorNs: 1,
                host: "127.0.0.1",
                port: 8888,
                mode: "builtin",
                upstream: nil,
                reap: "drain",
                commandLine: "lab record",
                labVersion: "0.1.0"
            )
            let writer = try RecordingWriter(file, facts, mostStoredBody: 1 << 20)
            try Self.recordSome(writer)
            kill(getpid(), SIGKILL)
        }
        try expectAll(path)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(Set(names).isSubset(of: ["session.db", "session.db-wal", "session.db-shm"]))
    }
}

@Suite struct `A file system that is full` {
    /// Lets the file grow by so many pages and no further.
    private func allow(_ pages: Int, in fixture: RecordingFixture) throws {
        try fixture.file.queue.writeWithoutTransaction { db in
            let size = try Int.fetchOne(db, sql: "PRAGMA page_count") ?? 0
            try db.execute(sql: "PRAGMA max_page_count = \(size + pages)")
        }
    }

    @Test func `a commit that finds no room writes nothing, and the next one writes it all`() throws
    {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        writer.take(Visit(connection: 1).whole(Asking()))
        _ = try writer.commit()
        let before = try fixture.dump()
        try allow(2, in: fixture)
        let large = String(repeating: "large ", count: 10_000)
        writer.take(Visit(connection: 2).whole(Asking(answer: ["small"])))
        writer.take(Visit(connection: 3).whole(Asking(answer: [large])))
        #expect(throws: SessionError.full(path: fixture.path)) { try writer.commit() }
        #expect(writer.unwrittenExchanges == 2)
        #expect(try fixture.dump() == before)
        writer.take(Visit(connection: 4).whole(Asking(answer: ["small"])))
        try allow(1000, in: fixture)
        #expect(try !writer.commit())
        #expect(writer.unwrittenExchanges == 0)
        let whole = try RecordingFixture()
        let other = try whole.record()
        for (connection, answer) in [(1, "Hello, World!"), (2, "small"), (3, large), (4, "small")] {
            other.take(Visit(connection: Int64(connection)).whole(Asking(answer: [answer])))
        }
        _ = try other.commit()
        let exchanges = """
            SELECT e.id, outcome, status, error, size, CAST(bytes AS TEXT)
            FROM exchange e LEFT JOIN body ON body.id = response_body_id ORDER BY e.id
            """
        #expect(try fixture.lines(exchanges) == whole.lines(exchanges))
        #expect(try fixture.lines("SELECT * FROM child") == whole.lines("SELECT * FROM child"))
        #expect(try fixture.lines("SELECT count(*) FROM body") == ["3"])
    }
}
