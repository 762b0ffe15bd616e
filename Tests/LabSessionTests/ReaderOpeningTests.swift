// Opening a session that is written to, one that may not be, and files that are none.

import GRDB
import Glibc
import LabSession
import Testing

@Suite struct `Opening a session to read` {
    @Test func `a reader sees what is committed while a recorder writes`() throws {
        let fixture = try ReaderFixture()
        let reader = try SessionReader(fixture.path)
        let writer = try SessionFile.open(writing: fixture.path)
        try writer.queue.inDatabase { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            try db.execute(sql: "DELETE FROM exchange WHERE id > 1")
            #expect(try reader.report().traffic.exchanges == 9)
            try db.execute(sql: "COMMIT")
        }
        #expect(try reader.report().traffic.exchanges == 1)
    }

    @Test func `a session in a folder that may not be written is read`() async {
        await #expect(processExitsWith: .success) {
            let fixture = try ReaderFixture()
            let file = try SessionFile.open(writing: fixture.path)
            try file.queue.writeWithoutTransaction { _ = try $0.checkpoint(.truncate) }
            try file.queue.close()
            chmod(fixture.path, 0o444)
            chmod(fixture.folder, 0o555)
            // Root may write anywhere: only someone else meets the refusal.
            if getuid() == 0 {
                chown(fixture.folder, 65534, 65534)
                if setuid(65534) != 0 { exit(2) }
            }
            let hasNoHelpers = access(fixture.path + "-wal", F_OK) != 0
            let count = try SessionReader(fixture.path).report().traffic.exchanges
            chmod(fixture.folder, 0o700)
            fixture.remove()
            exit(hasNoHelpers && count == 9 ? 0 : 1)
        }
    }

    @Test func `a name with the marks of an address is a name`() throws {
        let fixture = try ReaderFixture()
        let odd = fixture.folder + "/a?b#c%41 é.db"
        rename(fixture.path, odd)
        defer { for end in ["", "-wal", "-shm"] { unlink(odd + end) } }
        #expect(try SessionReader(odd).recordings().count == 1)
    }

    @Test func `files that are no sessions are errors that say so`() throws {
        let fixture = try ReaderFixture()
        let missing = fixture.folder + "/missing.db"
        #expect(throws: SessionError.missing(path: missing)) { try SessionReader(missing) }
        #expect(throws: SessionError.notASession(path: "/etc/passwd")) {
            try SessionReader("/etc/passwd")
        }
        let newer = try ReaderFixture("PRAGMA user_version = 7")
        #expect(throws: SessionError.tooNew(path: newer.path, format: 7, newestKnown: 3)) {
            try SessionReader(newer.path)
        }
        let older = try ReaderFixture("PRAGMA user_version = 1")
        #expect(throws: SessionError.tooOld(path: older.path, format: 1, oldestKnown: 3)) {
            try SessionReader(older.path)
        }
    }
}
