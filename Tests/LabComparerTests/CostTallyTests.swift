// What the processes of a server leave behind, by the round.

import Testing

@testable import LabComparer

struct CostTallyTests {
    private func found(_ candidate: ServerCost, rounds: Int = 5) -> [String] {
        var tally = CostTally()
        for _ in 0..<rounds { tally.add(ServerCost(), candidate, ServerCost()) }
        return tally.findings(alpha: 0.01).filter(\.isRegression).map(\.what)
    }

    @Test func `processes that outlive their parent are told`() {
        #expect(found(ServerCost(orphans: 1)) == ["orphans"])
        #expect(found(ServerCost(zombies: 2)) == ["zombies"])
        #expect(found(ServerCost()).isEmpty)
    }

    @Test func `a server that died is named by its death alone, whoever it left`() {
        #expect(found(ServerCost(zombies: 1, orphans: 1, death: "SIGABRT")) == ["deaths"])
    }
}
