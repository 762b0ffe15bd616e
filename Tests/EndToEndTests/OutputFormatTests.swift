import Foundation
import LabTestSupport
import Testing

/// What `lab replay` prints for other programs.
@Suite struct OutputFormatTests {
    private func recorded() throws -> LabRecord {
        let lab = try LabRecord()
        try Tool.run("curl", "-s", lab.url("/"), lab.url("/status/404"), lab.url("/?a=1,2&b=%22"))
        lab.stop()
        return lab
    }

    private func replay(_ lab: LabRecord, _ words: String...) throws -> Finished {
        let server = try LabRecord()
        let end = try Tool([Place.lab, "replay", lab.session, "--target", server.url("")] + words)
            .finish()
        server.stop()
        return end
    }

    @Test func `csv is a line per request, as Python reads it`() throws {
        let end = try replay(recorded(), "--format", "csv", "-n", "30")
        #expect(end.status == 0)
        let file = try Place.temporary().appendingPathComponent("results.csv")
        try Data(end.output.utf8).write(to: file)
        let script = """
            import csv, sys
            rows = list(csv.DictReader(open(sys.argv[1], newline="")))
            assert all(float(r["service_ms"]) <= float(r["response_ms"]) + .001 for r in rows)
            assert all(0 <= float(r["first_byte_ms"]) <= float(r["service_ms"]) for r in rows)
            assert min(float(r["offset_ms"]) for r in rows) >= 0
            assert not any(None in r or None in r.values() for r in rows)
            print(len(rows), sorted(set(r["target"] for r in rows)), sorted(set(r["status"] for r in rows)),
                  set(r["matches"] + r["outcome"] for r in rows))
            """
        let read = try Tool.run("python3", "-c", script, file.path)
        #expect(
            read.output
                == "30 ['/', '/?a=1,2&b=%22', '/status/404'] ['200', '404'] {'1ok'}\n",
            "\(read.errors)"
        )
    }

    @Test func `hdr is HdrHistogram's spectrum of as many values as there were answers`() throws {
        let end = try replay(recorded(), "--format", "hdr", "-n", "300")
        #expect(end.status == 0)
        let lines = end.output.split(separator: "\n")
        #expect(
            lines.first?.split(separator: " ").map(String.init)
                == ["Value", "Percentile", "TotalCount", "1/(1-Percentile)"]
        )
        let rows = lines.dropFirst().filter { !$0.hasPrefix("#") }
            .map { $0.split(separator: " ").compactMap { Double($0) } }
        #expect(rows.count > 10)
        #expect(
            zip(rows, rows.dropFirst()).allSatisfy {
                $0[0] <= $1[0] && $0[1] <= $1[1] && $0[2] <= $1[2]
            }
        )
        #expect(rows.last?.dropFirst() == [1, 300])
        #expect(lines.contains { $0.hasPrefix("#[Mean") })
        #expect(
            lines.contains {
                $0.hasPrefix("#[Max") && $0.contains("Total count    =          300]")
            }
        )
    }

    @Test(arguments: ["text", "json", "csv", "hdr"])
    func `--output writes into a file what would be printed, and prints nothing`(
        form: String
    ) throws {
        let lab = try recorded()
        let file = try Place.temporary().appendingPathComponent("results")
        try Data(repeating: 0x78, count: 100_000).write(to: file)
        let end = try replay(lab, "--format", form, "-n", "30", "--output", file.path)
        #expect(end.status == 0 && end.output.isEmpty)
        let written = try String(contentsOf: file, encoding: .utf8)
        #expect(!written.contains("xxx") && written.utf8.last == 0x0A)
        switch form {
        case "text": #expect(written.contains("requests"))
        case "json": #expect(written.hasPrefix("{") && written.contains("\"requests\":30"))
        case "csv": #expect(written.split(whereSeparator: \.isNewline).count == 31)
        default: #expect(written.contains("Total count    =           30]"))
        }
        #expect(try lab.sql("SELECT count(*) FROM replay_result") == "30")
    }

    @Test func `--output - prints, and a dry run's plan goes into the file too`() throws {
        let lab = try recorded()
        #expect(try replay(lab, "--json", "-o", "-").output.hasPrefix("{"))
        let file = try Place.temporary().appendingPathComponent("plan.json")
        let end = try replay(lab, "--dry-run", "--json", "-o", file.path)
        #expect(end.status == 0 && end.output.isEmpty)
        #expect(try String(contentsOf: file, encoding: .utf8).contains("\"planned_requests\""))
    }

    @Test func `a file that can't be written, or is a session, is told before anything is sent`()
        throws
    {
        let lab = try recorded()
        let nowhere = try replay(lab, "--output", "/nowhere/results.json")
        #expect(nowhere.status == 2)
        #expect(
            nowhere.errors.contains(
                "Cannot write '/nowhere/results.json': No such file or directory."
            )
        )
        let itself = try replay(lab, "--output", lab.session)
        #expect(itself.status == 2)
        #expect(itself.errors.contains("Will not overwrite '\(lab.session)': it is a session"))
        #expect(try lab.sql("SELECT count(*) FROM replay_run") == "0")
        #expect(try replay(lab, "--output", "/dev/full").status == 2)
    }

    @Test func `json is json, and two forms at once are bad usage`() throws {
        let lab = try recorded()
        #expect(try replay(lab, "--format", "json").output.contains("\"connections_opened\":"))
        #expect(try replay(lab, "--format", "json", "--json").status == 0)
        let end = try replay(lab, "--format", "csv", "--json")
        #expect(end.status == 64 && end.errors.contains("contradict each other"))
        #expect(try replay(lab, "--format", "xml").status == 64)
        let none = try replay(lab, "--format", "csv", "--store", "none")
        #expect(none.status == 64 && none.errors.contains("--store none does not keep"))
    }
}
