import Foundation
import LabTestSupport
import Testing

/// `Sessions/httpbin.db`, real traffic of curl and python-requests, at a fresh httpbin under gunicorn,
/// and at one that lab hosts.
@Suite struct HttpbinTests {
    // One after the other: each wants the port at which the session was recorded.
    @Test(.serialized, arguments: [[], ["--app"]])
    func `every status matches and only what is random or tells the time differs`(
        host: [String]
    ) throws {
        let script = Place.package.appendingPathComponent("Scripts/replay-httpbin").path
        let end = try Tool(
            [script] + host + ["--concurrency", "20"],
            environment: ["LAB_PRODUCTS": Place.products.path]
        ).finish()
        #expect(end.status == 0, "\(end.output) \(end.errors)")
        let sentence =
            host.isEmpty
            ? "Every status is as it was recorded" : "Every status and body is as it was recorded"
        #expect(end.output.contains(sentence))
    }

    @Test func `the kept session is what its page says`() throws {
        let folder = try Place.temporary()
        let copy = folder.appendingPathComponent("httpbin.db").path
        try FileManager.default.copyItem(
            atPath: Place.package.appendingPathComponent("Sessions/httpbin.db").path,
            toPath: copy
        )
        #expect(
            try LabRecord.sql(
                copy,
                "SELECT count(DISTINCT method || target || ifnull(request_body_id, '')) >= 60, sum(outcome <> 'ok') FROM exchange"
            ) == "1|0"
        )
        let report = try Tool.run(Place.lab, "report", copy)
        #expect(report.status == 0)
        #expect(report.output.contains("all accounted for"))
        #expect(try Tool.run(Place.lab, "show", copy, "1").output.contains("\n< HTTP/1.1 200 OK\n"))
    }
}
