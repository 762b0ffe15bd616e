import LabSession
import Testing

/// What a route costs: see the drawing in `ReaderFixture`.
@Suite struct RouteCostTests {
    private func cost(_ route: String, _ change: String = "") throws -> RouteCost {
        let costs = try ReaderFixture(change).read { try $0.report().costs }
        return try #require(costs.first { $0.route == route }, "\(costs.map(\.route))")
    }

    @Test func `a child that died leaves its CPU time to the route that it died in`() throws {
        let spin = try cost("/spin/{id}")
        #expect((spin.count, spin.cpuUs, spin.deaths) == (1, 4_901_000, 1))
        #expect((spin.ownChildren, spin.minorFaults, spin.rssGrowthKib) == (1, 36_900, 147_456))
        let left = try cost("/exit/{id}")
        #expect((left.deaths, left.cpuUs) == (1, 1600))
    }

    @Test func `of a child that served several routes only the CPU time can be told apart`() throws
    {
        let echo = try cost("/echo")
        #expect((echo.count, echo.cpuUs, echo.ownChildren, echo.minorFaults) == (1, 330, 0, 0))
        #expect(echo.rssGrowthKib == nil)
    }

    @Test func `a child that served one route often lets it have all that it cost`() throws {
        let same = "UPDATE exchange SET method = 'GET', route = '/a' WHERE connection_id = 1"
        let cost = try cost("/a", same)
        #expect((cost.count, cost.ownChildren, cost.ownExchanges) == (3, 1, 3))
        #expect((cost.cpuUs, cost.minorFaults, cost.rssGrowthKib) == (830, 210, 1024))
        #expect((cost.deaths, cost.orphans) == (0, 0))
    }

    @Test func `an orphan is its route's`() throws {
        #expect(try cost("/crash/{id}").orphans == 1)
        #expect(try cost("/exit/{id}").orphans == 0)
    }

    @Test func `the route with the most CPU time comes first`() throws {
        let costs = try ReaderFixture().read { try $0.report().costs.map(\.cpuUs) }
        #expect(costs == costs.sorted(by: >))
        #expect(costs.first == 4_901_000)
    }
}
