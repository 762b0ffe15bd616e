// Reports as programs read them.

import Foundation
import LabExchange
import LabReporter
import LabSession
import Testing

@Suite struct `Reports as JSON` {
    private func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }

    @Test func `a session's report`() throws {
        var report = try ReaderFixture().read { try $0.report() }
        report.path = "session.db"
        let text = try JSONReport.text(report)
        try Golden.check(text, "report-json")
        let object = try object(text)
        #expect(object["schema_version"] as? Int == 1)
        #expect(object["is_trustworthy"] as? Bool == true)
        #expect((object["findings"] as? [Any])?.count == 7)
    }

    @Test func `a run`() throws {
        let run = try ReaderFixture().read { try $0.run("after") }
        let text = try JSONReport.text(run)
        try Golden.check(text, "run-json")
        #expect(try object(text)["schema_version"] as? Int == 1)
    }

    @Test func `a list, an object per line`() throws {
        var lines = ""
        try ReaderFixture().read { try $0.forEachExchange { lines += try JSONReport.line($0) } }
        let parsed = try lines.split(separator: "\n").map { try object(String($0)) }
        #expect(parsed.map { $0["id"] as? Int } == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(parsed.map { $0["killed_its_child"] as? Bool }.filter { $0 == true }.count == 3)
    }

    @Test func `an exchange, its bytes as text where they are text`() throws {
        let detail = try ReaderFixture().read { try $0.exchange(2) }
        let text = try JSONReport.text(detail)
        try Golden.check(text, "show-json")
        let object = try object(text)
        let request = try #require(object["request_body"] as? [String: Any])
        #expect((request["content"] as? [String: Any])?["text"] as? String == "{\"name\":\"lab\"}")
        let response = try #require(object["response_body"] as? [String: Any])
        let encoded = (response["content"] as? [String: Any])?["base64"] as? String
        #expect(
            Data(base64Encoded: encoded ?? "").map { [UInt8]($0) } == detail.responseBody?.bytes
        )
    }

    @Test func `every name is in snake case`() throws {
        let report = try ReaderFixture().read { try $0.report() }
        let detail = try ReaderFixture().read { try $0.exchange(8) }
        for text in [try JSONReport.text(report), try JSONReport.text(detail)] {
            for match in text.matches(of: /"([A-Za-z0-9_]+)" :/) {
                #expect(match.1.wholeMatch(of: /[a-z][a-z0-9]*(_[a-z0-9]+)*/) != nil, "\(match.1)")
            }
        }
    }
}
