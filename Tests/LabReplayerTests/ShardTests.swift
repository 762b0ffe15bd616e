import LabExchange
import Testing

@testable import LabReplayer

/// Sessions shared among machines.
@Suite struct ShardTests {
    @Test(arguments: ["1/1", "2/4", "100000/100000"])
    func `I of N is a shard`(_ text: String) {
        #expect(Shard(text)?.text == text)
    }

    @Test(arguments: [
        "0/4", "5/4", "4", "1/0", "-1/4", "1/4/2", "a/b", "+1/4", "1/ 4", "1/100001", "",
    ])
    func `what is no shard is none`(_ text: String) {
        #expect(Shard(text) == nil)
    }

    @Test(arguments: [1, 2, 3, 4, 7, 64])
    func `every session belongs to one shard, and shards are of one size`(_ count: Int) throws {
        let shards = try (1...count).map { try #require(Shard(index: $0, count: count)) }
        var sizes = Array(repeating: 0, count: count)
        for session in Int64(1)...10_000 {
            let owners = shards.indices.filter { shards[$0].contains(session: session) }
            #expect(owners.count == 1)
            sizes[owners.first ?? 0] += 1
        }
        let (least, most) = (sizes.min() ?? 0, sizes.max() ?? 0)
        #expect(most - least <= 4, "\(sizes)")
    }

    @Test func `a session is whole in its shard, at the time that it has among all`() throws {
        var exchanges = (1...30).map {
            CapturedExchange.make(Int64($0), connection: Int64(($0 - 1) / 3))
        }
        for index in exchanges.indices {
            exchanges[index].startedNs = Int64(index) * 1_000_000
            exchanges[index].endedNs = exchanges[index].startedNs
        }
        var settings = try ReplaySettings.make(port: 1)
        settings.shape.pace = .recorded
        func table(_ shard: Shard?) -> SessionTable {
            settings.shard = shard
            return SessionTable(ReplayPlan(exchanges, settings).draft, settings)
        }
        func starts(_ table: SessionTable) -> [Int: Int64] {
            Dictionary(
                uniqueKeysWithValues: table.sessions.map {
                    (Int(table.steps[$0.first].request), $0.startNs)
                }
            )
        }
        let whole = table(nil)
        let parts = try (1...4).map { table(try #require(Shard(index: $0, count: 4))) }
        #expect(parts.allSatisfy { !$0.sessions.isEmpty && $0.passNs == whole.passNs })
        #expect(parts.allSatisfy { part in part.sessions.allSatisfy { $0.end - $0.first == 3 } })
        let union = parts.map(starts).reduce(into: [:]) { $0.merge($1) { $1 } }
        #expect(union == starts(whole))
        #expect(parts.reduce(0) { $0 + $1.count } == 30)
    }

    @Test func `the parts of a number of requests add up`() throws {
        for requests in [0, 1, 7, 1000] {
            let parts = try (1...4).map {
                try #require(Shard(index: $0, count: 4)).part(of: requests)
            }
            #expect(parts.reduce(0, +) == requests)
        }
    }
}
