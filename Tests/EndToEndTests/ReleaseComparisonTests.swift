import Foundation
import LabTestSupport
import Testing

/// Two real releases of a real application, compared: `Scripts/compare-releases`, and its page Releases.md.
@Suite struct ReleaseComparisonTests {
    private static let releases = Place.package.appendingPathComponent("Scripts/releases").path

    /// What the script's judge says of a comparison, held against a table of differences.
    private func judge(_ comparison: String, _ table: String) throws -> String {
        let end = try Tool.run(
            "jq",
            "-r",
            "--rawfile",
            "table",
            table,
            "-f",
            Self.releases + "/judge.jq",
            comparison
        )
        #expect(end.status == 0, "\(end.errors)")
        return end.output
    }

    @Test func `Werkzeug 2.2.3 and 3.1.9 differ as their sources say, and in nothing else`() throws
    {
        let folder = try Place.temporary()
        let end = try Tool(
            [Place.package.appendingPathComponent("Scripts/compare-releases").path, "werkzeug"],
            environment: ["LAB_PRODUCTS": Place.products.path, "COMPARISONS": folder.path]
        ).finish()
        #expect(end.status == 0, "\(end.output) \(end.errors)")
        #expect(end.output.contains("werkzeug: regression, exit code 1"))
        #expect(end.output.contains("4 × Links of url_for"))
        #expect(end.output.contains("1 × request.url"))

        // The control: a cause that is not known, noise that is not, and a cause that there is not.
        let found = folder.appendingPathComponent("werkzeug.json").path
        let table = try String(
            contentsOfFile: Self.releases + "/werkzeug/differences.tsv",
            encoding: .utf8
        )
        let rows = table.split(separator: "\n").filter {
            !$0.contains("request.url") && !$0.contains("UUID")
        }
        let changed = rows + ["GET /ip\tbody.origin\tvalue\tcause\tnobody"]
        let files = try Programs(["table.tsv": changed.joined(separator: "\n")])
        let told = try judge(found, files.path("table.tsv"))
        #expect(told.contains("! not explained: GET /get :: body.url :: value"))
        #expect(told.contains("! not explained: GET /uuid :: body.uuid :: value"))
        #expect(told.contains("! nothing shows it: nobody"))
        #expect(told.split(separator: "\n").filter { $0.hasPrefix("!") }.count == 3, "\(told)")
    }
}
