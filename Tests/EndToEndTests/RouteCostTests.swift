import LabTestSupport
import Testing

/// Which route costs what: `lab report` over a real recording.
@Suite struct RouteCostTests {
    @Test
    func `the report names the route that burns, that grows, that dies, and that leaves orphans`()
        throws
    {
        let lab = try LabRecord()
        for path in ["/", "/spin/50", "/allocate/20", "/crash/11", "/spawn-orphan"] {
            _ = try Tool.run("curl", "-s", lab.url(path))
        }
        // An orphan is on record once it has ended.
        while try lab.sql("SELECT count(*) FROM server_event WHERE kind = 'orphan'") == "0" {}
        lab.stop()
        let report = try Tool.run(Place.lab, "report", lab.session).output
        let rows = report.split(separator: "\n").drop { $0 != "Cost by route" }
        func row(_ name: String) throws -> [Substring] {
            let line = try #require(rows.first { $0.hasPrefix("  GET \(name) ") }, "\(report)")
            return line.dropFirst("  GET \(name)".count).split(separator: "  ")
                .map { $0.drop { $0 == " " } }
        }
        // count, CPU each, CPU in all, faults each, memory, deaths, orphans
        #expect(try row("/spin/{id}")[1].contains("ms"))
        #expect(try row("/allocate/{id}")[4].hasSuffix("MiB"))
        #expect(try !row("/")[4].hasSuffix("MiB"))
        #expect(try [row("/crash/{id}")[5], row("/")[5]] == ["1", "0"])
        #expect(try [row("/spawn-orphan")[6], row("/")[6]] == ["1", "0"])
        #expect(report.contains("adopted and reaped: GET /spawn-orphan."))
    }
}
