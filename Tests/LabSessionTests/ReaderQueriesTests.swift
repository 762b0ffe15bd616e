// The queries that the documentation gives for sqlite3, run as they stand there.

import Foundation
import GRDB
import LabSession
import Testing

@Suite struct `The documented queries` {
    /// The SQL blocks of the page, in order.
    private static func queries() throws -> [String] {
        let page = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../Sources/LabSession/Documentation.docc/SessionFormat.md")
        return try String(contentsOf: page, encoding: .utf8).components(separatedBy: "```sql\n")
            .dropFirst().compactMap { $0.components(separatedBy: "```").first }
    }

    private func rows(_ query: Int) throws -> [[String]] {
        let sql = try #require(try Self.queries().dropFirst(query).first)
        let fixture = try ReaderFixture()
        defer { fixture.remove() }
        let file = try SessionFile.open(reading: fixture.path)
        return try file.queue.read { db in
            try Row.fetchAll(db, sql: sql).map { row in
                row.databaseValues.map { value in
                    switch value.storage {
                    case .null: "NULL"
                    case .int64(let number): "\(number)"
                    case .double(let number): "\(number)"
                    case .string(let text): text
                    case .blob: "BLOB"
                    }
                }
            }
        }
    }

    @Test func `the ten slowest requests`() throws {
        let slowest = try rows(0)
        #expect(slowest.first == ["7", "GET", "/bytes/100000", "200", "18.5", "1.0"])
        #expect(slowest.count == 9)
    }

    @Test func `the environ of one`() throws {
        let environ = try rows(1)
        #expect(environ.first == ["REQUEST_METHOD", "GET"])
        #expect(environ.contains(["HTTP_ACCEPT", "*/*"]))
        #expect(environ.contains(["wsgi.version", "[1,0]"]))
        #expect(environ.contains(["wsgi.multithread", "false"]))
    }

    @Test func `which child died of which signal, and what it was serving`() throws {
        #expect(
            try rows(2) == [
                ["4002", "11", "4", "GET", "/crash/11"], ["4008", "9", "9", "GET", "/spin/9000"],
            ]
        )
    }

    @Test func `how long each zombie lived`() throws {
        let zombies = try rows(3)
        #expect(zombies.first == ["4007", "2500.0", "2500.4", "exited"])
        #expect(zombies.count == 6)
        #expect(zombies.contains(["4006", "NULL", "NULL", "unreaped"]))
    }

    @Test func `the timeline tells forks, exits, signals and reaps in order`() throws {
        let fixture = try ReaderFixture()
        defer { fixture.remove() }
        let file = try SessionFile.open(reading: fixture.path)
        let events = try file.queue.read { db in
            try String.fetchAll(db, sql: "SELECT event FROM timeline WHERE at_ms < 110")
        }
        #expect(events == ["fork", "exit", "sigchld", "reap"])
    }
}
