import LabExchange
import LabSession
import Testing

/// Replays of one session, held side by side.
@Suite struct SideBySideTests {
    /// What is given, a line each: exchange, route, and of each run the status and service time in µs.
    private func lines(_ runs: [Int64], change: String = "") throws -> [String] {
        var found: [String] = []
        try ReaderFixture(change).read { reader in
            try reader.forEachResult(ofRuns: runs) { place, _ in
                let results = place.results.map { result in
                    result.map { "\($0.status) \($0.serviceNs / 1000)" } ?? "none"
                }
                found.append(
                    "\(place.exchangeID) \(place.route): \(results.joined(separator: ", "))"
                )
            }
        }
        return found
    }

    @Test func `requests come in the order of exchanges, each with its route and all its results`()
        throws
    {
        let all = try lines([1, 2])
        #expect(all.map { $0.prefix(2) } == ["1 ", "2 ", "3 "])
        let ends = [": 200 400, 500 400", ": 200 400, 200 400", ": none, 0 100"]
        #expect(zip(all, ends).allSatisfy { $0.hasSuffix($1) }, "\(all)")
        #expect(try lines([2, 1])[2].hasSuffix(": 0 100, none"))
        // The same run may be asked for twice.
        #expect(try lines([1, 1]).allSatisfy { $0.hasSuffix(": 200 400, 200 400") })
    }

    @Test func `passes are told apart, the last of two results counts, and what is gone does not`()
        throws
    {
        let columns = """
            INSERT INTO replay_result (run_id, exchange_id, round, connection, intended_ns, sent_ns,
                done_ns, status, outcome, matches, warmup) VALUES
            """
        let all = try lines(
            [1],
            change: """
                \(columns) (1, 1, 1, 1, 0, 5000, 12000, 201, 'ok', 1, 0),
                    (1, 1, 0, 1, 0, 5000, 13000, 202, 'ok', 1, 0),
                    (1, 1, 0, 1, 0, 5000, 14000, 203, 'ok', 1, 1),
                    (1, 999999, 0, 1, 0, 5000, 14000, 204, 'ok', 1, 0);
                """
        )
        #expect(all.map { $0.split(separator: ": ").last } == ["202 8", "201 7", "200 400"])
    }

    @Test func `heads and contents are read by the rows that results name`() throws {
        var heads: [String] = []
        var contents: [Int] = []
        try ReaderFixture().read { reader in
            try reader.forEachResult(ofRuns: [2]) { place, bytes in
                guard let result = place.results[0], let head = result.headID,
                    let body = result.bodyID
                else { return }
                heads.append(String(decoding: try bytes.head(head), as: UTF8.self))
                contents.append(try bytes.content(body).bytes.count)
                heads.append(String(decoding: try bytes.head(77), as: UTF8.self))
            }
        }
        #expect(heads.count == 2 && heads[0].hasPrefix("HTTP/1.1 200 OK") && heads[1].isEmpty)
        #expect(contents.count == 1 && contents[0] > 0)
    }

    @Test func `a value of another type reads as none, and what is thrown comes through`() throws {
        struct Enough: Error {}
        let odd = "UPDATE replay_result SET status = 'many', sent_ns = 'soon', round = x'00';"
        #expect(try lines([1], change: odd).map { $0.contains(": 0 ") } == [true, true])
        #expect(throws: Enough.self) {
            try ReaderFixture().read { reader in
                try reader.forEachResult(ofRuns: [1]) { _, _ in throw Enough() }
            }
        }
    }

    @Test func `a run is found by number or label`() throws {
        try ReaderFixture().read { reader in
            let (after, first) = (try reader.storedRun("after"), try reader.storedRun("1"))
            #expect(after.id == 2 && first.id == 1 && first.keepsResults)
            #expect(throws: SessionError.self) { _ = try reader.storedRun("never") }
        }
    }
}
