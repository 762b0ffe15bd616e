// Exchanges one at a time, with and without a condition.

import LabSession
import Testing

@Suite struct `Listing exchanges` {
    private func ids(_ expression: String?) throws -> [Int64] {
        var ids: [Int64] = []
        try ReaderFixture().read { reader in
            try reader.forEachExchange(where: expression) { ids.append($0.id) }
        }
        return ids
    }

    @Test(
        arguments: [
            (nil, [1, 2, 3, 4, 5, 6, 7, 8, 9]),
            ("status >= 400", [8]),
            ("method = 'POST' OR route = '/blob'", [2, 3]),
            ("total_ms > 0.9 -- and so on", [2, 7]),
            ("term_signal = 11", [4]),
            ("outcome IS NULL", [6]),
            ("fate = 'exited' AND sequence > 1", [2, 3]),
            ("environ LIKE '%HTTP_ACCEPT%'", [1]),
            ("CAST(request_body AS TEXT) LIKE '%lab%'", [2]),
            ("zombie_at_least_ms > 1000", [8]),
            ("0", []),
        ] as [(String?, [Int64])]
    )
    func `a condition chooses`(expression: String?, expected: [Int64]) throws {
        #expect(try ids(expression) == expected)
    }

    @Test(arguments: [
        ("foo > 1", "no such column: foo"),
        ("status >", "near \")\": syntax error"),
        ("1); DELETE FROM exchange; --", "more than one statement"),
        ("json_extract('[', '$')", "malformed JSON"),
        ("", "near \")\": syntax error"),
    ])
    func `a bad condition is an error that quotes SQLite and names the columns`(
        expression: String,
        reason: String
    ) throws {
        let error = try #require(throws: ExpressionError.self) { try ids(expression) }
        #expect(error.reason == reason)
        #expect(error.description.contains("total_ms"))
    }

    @Test func `every column that is named may be used`() throws {
        for column in ExpressionError.columns {
            #expect(try ids("\(column) IS NULL OR 1").count == 9, "\(column)")
        }
    }

    @Test func `what the caller throws comes through as it is`() throws {
        struct Enough: Error {}
        #expect(throws: Enough.self) {
            try ReaderFixture().read { try $0.forEachExchange { _ in throw Enough() } }
        }
    }
}
