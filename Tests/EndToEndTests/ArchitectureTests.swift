import Foundation
import LabTestSupport
import Testing

/// What the design promises of the executables and the processes, checked on them.
@Suite struct ArchitectureTests {
    @Test func `the fork server is static and lab is not`() throws {
        let server = Place.products.appendingPathComponent("lab-forkserver").path
        #expect(try Tool.run("ldd", server).errors.contains("not a dynamic executable"))
        #expect(try Tool.run("ldd", Place.lab).output.contains("libsqlite3"))
    }

    @Test func `the fork server holds no Foundation and no SQLite`() throws {
        let server = Place.products.appendingPathComponent("lab-forkserver").path
        let symbols = try Tool.run("nm", "--defined-only", server).output
        #expect(!symbols.contains("Foundation"))
        #expect(!symbols.contains("sqlite3_open"))
        // The negative control: such a search does find what is there.
        #expect(symbols.contains("clab_reap"))
    }

    @Test
    func `after ten thousand connections the fork server holds no descriptor and no memory more`()
        throws
    {
        let lab = try LabRecord()
        let server = try lab.forkServer()
        func facts() throws -> (descriptors: Int, residentKiB: Int) {
            let descriptors = try FileManager.default.contentsOfDirectory(
                atPath: "/proc/\(server)/fd"
            ).count
            let status = try String(contentsOfFile: "/proc/\(server)/status", encoding: .utf8)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmRSS") })
            return (
                descriptors, try #require(line.split(separator: " ").compactMap { Int($0) }.first)
            )
        }
        // The ledger and the allocator find their size first.
        _ = try Tool.run("ab", "-q", "-n", "5000", "-c", "64", lab.url("/"))
        let before = try facts()
        #expect(
            try Tool.run("ab", "-q", "-n", "10000", "-c", "64", lab.url("/")).output.contains(
                "Failed requests:        0"
            )
        )
        // Connections that ab has closed may still be dying; the last of them is reaped in the summary.
        var after = try facts()
        while after.descriptors != before.descriptors { after = try facts() }
        #expect(abs(after.residentKiB - before.residentKiB) <= 256)
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql(
                "SELECT count(*) FROM exchange WHERE outcome = 'ok' AND environ IS NOT NULL"
            ) == "15000"
        )
        // ab opens a few connections at its end on which it sends nothing: children, and no exchanges.
        #expect(
            try lab.sql(
                "SELECT count(*) >= 15000, sum(reaped_ns IS NULL OR fate <> 'exited' OR exit_code <> 0) FROM child"
            )
                == "1|0"
        )
    }

    /// Whether the system gives huge pages to who asks for them.
    private static var hasHugePages: Bool {
        let path = "/sys/kernel/mm/transparent_hugepage/enabled"
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? "[never]"
        return !text.contains("[never]")
    }

    @Test(.enabled(if: hasHugePages))
    func `the fork server's text is no file's, so that no child faults on it`() throws {
        let lab = try LabRecord()
        // It is moved before the first request is served.
        try lab.get("/")
        let maps = try String(contentsOfFile: "/proc/\(lab.forkServer())/maps", encoding: .utf8)
        let text = try #require(maps.split(separator: "\n").first { $0.contains(" r-xp ") })
        lab.stop()
        #expect(!text.contains("lab-forkserver"), "\(text)")
    }

    /// As far as whole huge pages can take it, which depends on where the system puts the library.
    @Test(.enabled(if: hasHugePages))
    func `nor is the text of the Python that it hosts`() throws {
        let lab = try WSGIApplications.host("flaskapp:app")
        try lab.get("/hello")
        let maps = try Tool.run("cat", "/proc/\(lab.forkServer())/maps").output
        lab.stop()
        /// Where the file is mapped side by side.
        var runs: [Range<Int>] = []
        for line in maps.split(separator: "\n") where line.contains("libpython") {
            let ends = line.prefix { $0 != " " }.split(separator: "-").compactMap {
                Int($0, radix: 16)
            }
            if line.contains(" rw-p ") { continue }
            let before = runs.last.map(\.upperBound) == ends[0] ? runs.removeLast() : nil
            runs.append((before?.lowerBound ?? ends[0])..<ends[1])
        }
        #expect(!runs.isEmpty)
        let huge = 2 << 20
        for run in runs {
            #expect((run.lowerBound + huge - 1) / huge * huge + huge > run.upperBound, "\(maps)")
        }
    }

    @Test func `zombies do not outlive the loop`() throws {
        let lab = try LabRecord()
        let server = try lab.forkServer()
        _ = try Tool.run("ab", "-q", "-n", "300", "-c", "32", lab.url("/"))
        let isZombie = { (line: Substring) in line.split(separator: " ").first == "Z" }
        func zombies() throws -> Int {
            try Tool.run("ps", "-o", "state=", "--ppid", "\(server)").output
                .split(separator: "\n").filter(isZombie).count
        }
        while try zombies() > 0 {}
        lab.stop()
        #expect(try lab.sql("SELECT count(*) FROM child WHERE reaped_ns IS NULL") == "0")
    }

    @Test func `sqlite3 alone answers what one asks first`() throws {
        let lab = try LabRecord()
        _ = try lab.get("/sleep/0.05")
        _ = try Tool.run("curl", "-s", lab.url("/crash/6"))
        lab.stop()
        #expect(
            try lab.sql(
                "SELECT target FROM timing WHERE total_ms IS NOT NULL ORDER BY total_ms DESC LIMIT 10"
            ) == "/sleep/0.05"
        )
        #expect(
            try lab.sql(
                "SELECT value FROM environ WHERE exchange_id = 1 AND name = 'REQUEST_METHOD'"
            ) == "GET"
        )
        #expect(
            try lab.sql(
                "SELECT c.term_signal, e.target FROM child c JOIN exchange e USING (connection_id) WHERE c.term_signal IS NOT NULL"
            )
                == "6|/crash/6"
        )
        #expect(
            try lab.sql(
                "SELECT count(*) FROM zombie WHERE at_least_ms >= 0 AND (at_most_ms IS NULL OR at_most_ms >= at_least_ms)"
            ) == "2"
        )
        #expect(
            try lab.sql("SELECT event FROM timeline WHERE connection_id = 2 ORDER BY at_ns")
                == "fork\nreap"
        )
    }
}
