import Foundation
import LabTestSupport
import Testing

/// What applications are told here and elsewhere: `Scripts/compare-environ`, and its table in Environ.md.
@Suite struct EnvironComparisonTests {
    private func compare(_ reasons: String...) throws -> Finished {
        let script = Place.package.appendingPathComponent("Scripts/compare-environ.py").path
        return try Tool(
            ["/usr/bin/python3", script] + reasons,
            environment: ["LAB": Place.lab]
        ).finish()
    }

    @Test
    func
        `every difference from mod_cgi, mod_wsgi and gunicorn has a reason, and stands in the guide`()
        throws
    {
        let end = try compare()
        #expect(end.status == 0, "\(end.errors)")
        #expect(end.output.contains("| `REMOTE_HOST` | `127.0.0.1` | – |"))
    }

    @Test func `a difference without a reason fails, and so does a reason without a difference`()
        throws
    {
        let reasons = try String(
            contentsOf: Place.package.appendingPathComponent("Scripts/environ-differences.tsv"),
            encoding: .utf8
        )
        let lines = reasons.split(separator: "\n").filter { !$0.contains("\tREMOTE_HOST\t") }
        let changed = lines + ["Apache mod_cgi\tHTTP_PROXY\t*\tnone"]
        let files = try Programs(["reasons.tsv": changed.joined(separator: "\n")])
        let end = try compare(files.path("reasons.tsv"))
        #expect(end.status == 1)
        #expect(end.errors.contains("no reason: Apache mod_cgi, plain: REMOTE_HOST"))
        #expect(end.errors.contains("no such difference: Apache mod_cgi, HTTP_PROXY, *"))
    }
}
