// A load that is kept: what was due when is read from the results, what was asked when from the
// target's own log.

import Glibc
import Histogram
import LabExchange
import LabWire
import Testing

@testable import LabReplayer

@Suite(.timeLimit(.minutes(1)))
struct PacingTests {
    private static let millisecond: Int64 = 1_000_000

    /// A session with captured times, in ms.
    private func captured(_ times: [(connection: Int64, at: Int64)]) -> [CapturedExchange] {
        times.enumerated().map { place, time in
            .make(
                Int64(place + 1),
                connection: time.connection,
                target: "/\(place + 1)",
                startedNs: time.at * Self.millisecond,
                endedNs: (time.at + 1) * Self.millisecond
            )
        }
    }

    @Test func `as recorded, each request is due when it was captured, and never leaves before`()
        throws
    {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let times: [(connection: Int64, at: Int64)] = [
            (1, 0), (1, 30), (1, 90), (2, 10), (2, 40), (3, 80),
        ]
        let run = try server.replay(captured(times)) {
            $0.shape.pace = .recorded
            $0.shape.speed = 2
            $0.threads = 2
        }
        #expect(run.summary.ok == 6)
        let first = try #require(run.results.map(\.intendedNs).min())
        for result in run.results {
            let at = times[Int(result.exchangeID) - 1].at * Self.millisecond / 2
            #expect(result.intendedNs - first == at)
            #expect(result.sentNs >= result.intendedNs)
        }
        // Connections are those that were captured, and each is in its order.
        for connection in 1...3 {
            let seen = server.log.filter { $0.connection == connection }.map(\.target)
            #expect([["/1", "/2", "/3"], ["/4", "/5"], ["/6"]].contains(seen))
        }
        #expect(run.summary.primary == .response)
        #expect(run.summary.series.first { $0.name == "lag" }?.spread.count == 6)
    }

    @Test func `a thinking client waits after each answer`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let times: [(connection: Int64, at: Int64)] = [(1, 0), (1, 21), (1, 32), (2, 5), (2, 36)]
        let run = try server.replay(captured(times)) { $0.shape.pace = .think }
        for connection in [[1, 2, 3], [4, 5]] {
            let results = connection.compactMap { id in
                run.results.first { $0.exchangeID == Int64(id) }
            }
            for (before, after) in zip(results, results.dropFirst()) {
                let captured = times[Int(after.exchangeID) - 1].at
                let gap = captured - times[Int(before.exchangeID) - 1].at - 1
                #expect(after.intendedNs - before.doneNs == gap * Self.millisecond)
                #expect(after.sentNs >= after.intendedNs)
            }
        }
        // A closed loop, whatever its clients think.
        #expect(run.summary.primary == .service)
    }

    @Test func `sessions that find no place are dropped and counted, not delayed`() throws {
        let server = LoopbackServer { _ in [.hang] }
        let exchanges = (0..<40).map { place in
            CapturedExchange.make(Int64(place + 1), connection: Int64(place / 2))
        }
        let run = try server.replay(exchanges) {
            $0.shape.rate = LoadShape.Rate(perSecond: 1000)
            $0.shape.maxInFlight = 3
            $0.timeoutNs = 300 * Self.millisecond
        }
        // They are due within 20 ms, and the first three stay for 600.
        #expect(run.summary.sessionsStarted == 3)
        #expect(run.summary.sessionsDropped == 17)
        #expect(run.summary.dropped == 34)
        #expect(run.summary.requests == 6)
        #expect(run.progress.last?.dropped == 34)
        #expect(run.summary.byOutcome == [.timeout: 6])
        // A user who waited in vain waited all the same; the target served nobody.
        let response = try #require(run.summary.series.first)
        #expect(response.name == "response" && response.spread.count == 6)
        #expect(response.spread.maxNs ?? 0 >= 300e6)
        #expect(run.summary.series.first { $0.name == "service" }?.spread.count == 0)
        #expect(run.summary.series.contains { $0.name == "response status timeout" })
    }

    @Test func `in an open loop a connection is used again where that is asked for`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let run = try server.replay((1...10).map { .make($0, connection: $0) }) {
            $0.shape.rate = LoadShape.Rate(perSecond: 50)
            $0.connections = .shared
        }
        #expect(run.summary.ok == 10)
        // One after the other: on a machine that stands still some may be under way together.
        #expect(run.summary.connectionsOpened < 10)
        #expect(run.summary.sessionsCompleted == 10)
    }

    @Test func `a server that stands still is charged to all who wait for it`() throws {
        let stall: Int64 = 400 * Self.millisecond
        let server = LoopbackServer { seen in
            seen.target == "/50"
                ? [.stall(stall), .send(response("hello"))]
                : [.send(response("hello"))]
        }
        // One session: 1000 requests, due 1 ms apart.
        let exchanges = captured((1...1000).map { (1, Int64($0)) })
        let run = try server.replay(exchanges) {
            $0.shape.rate = LoadShape.Rate(perSecond: 1000, unit: .requests)
        }
        #expect(run.summary.ok == 1000)
        let first = try #require(run.results.map(\.intendedNs).min())
        for result in run.results {
            #expect(result.intendedNs - first == (result.exchangeID - 1) * Self.millisecond)
        }
        // wrk2's method, by hand: what was due while it stood still waited for the rest of it.
        let stalled = try #require(run.results.first { $0.exchangeID == 50 })
        let end = stalled.doneNs
        for result in run.results where result.exchangeID > 50 && result.intendedNs < end {
            #expect(result.doneNs >= end)
        }
        let waits = run.results.map { $0.doneNs - $0.intendedNs }.sorted()
        let expected = Double(waits[989])
        let series = run.summary.series
        let printed = try #require(series.first?.spread.percentile(99))
        // The 990th of a thousand, to the width of its bucket.
        #expect(abs(printed - expected) <= expected / 1000 + 1000)
        #expect(expected > Double(stall) * 0.9)
        // The server's own time shows one slow request: that is what a closed loop prints.
        let service = try #require(series.first { $0.name == "service" }?.spread)
        #expect(try #require(service.percentile(99)) < expected / 2)
        #expect(try #require(service.maxNs) >= Double(stall))
        #expect(run.summary.lateBehindAnswer > 300)
    }

    @Test(arguments: [0, 1, 7, 30])
    func `the warm-up is sent and stored, and counted nowhere else`(warmup: Int) throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let run = try server.replay((1...3).map { .make($0, connection: $0) }) {
            $0.requests = 20
            $0.warmupRequests = warmup
            $0.threads = 2
        }
        #expect(server.log.count == 20 + warmup)
        #expect(run.results.count == 20 + warmup)
        #expect(run.results.filter(\.isWarmup).count == warmup)
        #expect(run.summary.requests == 20)
        #expect(run.summary.warmup == warmup)
        #expect(run.summary.histogram.totalCount == 20)
        #expect(run.summary.byStatus == [200: 20])
    }

    @Test func `a warm-up by time comes before the duration`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let start = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) + 50 * Self.millisecond
        let run = try server.replay([.make(1)]) {
            $0.startAtNs = start
            $0.durationNs = 40 * Self.millisecond
            $0.warmupNs = 40 * Self.millisecond
        }
        let end = start + 40 * Self.millisecond
        let counted = run.results.filter { !$0.isWarmup }.map(\.intendedNs)
        #expect(counted.count == run.summary.requests)
        #expect(counted.allSatisfy { $0 >= end })
        #expect(run.results.allSatisfy { $0.isWarmup == ($0.intendedNs < end) })
        #expect(run.summary.warmup == run.results.count - counted.count)
    }

    @Test func `passes are as many as were asked for`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let run = try server.replay((1...3).map { .make($0) }) { $0.loops = 4 }
        #expect(run.summary.ok == 12)
        #expect(run.progress.last?.planned == 12)
        #expect(run.results.map(\.round).sorted() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    }

    @Test(arguments: [false, true])
    func `nothing is sent before the time to start`(isOpen: Bool) throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        let start = Int64(now.tv_sec) * 1_000_000_000 + Int64(now.tv_nsec) + 150 * Self.millisecond
        let run = try server.replay((1...4).map { .make($0, connection: $0) }) {
            $0.startAtNs = start
            if isOpen { $0.shape.rate = LoadShape.Rate(perSecond: 1000) }
        }
        #expect(run.summary.ok == 4)
        #expect(run.results.allSatisfy { $0.sentNs >= start })
        if isOpen { #expect(run.results.map(\.intendedNs).min() == start) }
    }

    @Test func `who stops while the start is waited for sends nothing`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        var settings = try ReplaySettings.make(port: server.port)
        settings.startAtNs = .max / 2
        let replayer = Replayer(exchanges: [.make(1)], settings: settings)
        replayer.stop()
        let run = try server.serve { try replayer.runToEnd() }
        #expect(run.results.isEmpty && server.log.isEmpty)
        #expect(run.summary.wasInterrupted)
    }

    @Test func `what has not ended when grace is over is given up and counted`() throws {
        let server = LoopbackServer { _ in [.hang] }
        let run = try server.replay([.make(1)]) {
            $0.durationNs = 1
            $0.graceNs = 50 * Self.millisecond
            $0.shape.rate = LoadShape.Rate(perSecond: 1)
        }
        #expect(run.summary.abandoned == 1)
        #expect(run.summary.requests == 0)
        #expect(run.summary.targetNeverAnswered)
    }

    @Test func `a percentile needs ten values beyond it`() {
        var histogram = Histogram<UInt64>.latencies()
        for count in 1...1000 {
            histogram.record(5000)
            let spread = LatencySpread(histogram)
            #expect((spread.percentile(50) != nil) == (count >= 20))
            #expect((spread.percentile(90) != nil) == (count >= 100))
            #expect((spread.percentile(99) != nil) == (count >= 1000))
            #expect(spread.percentile(99.9) == nil)
        }
    }

    @Test func `durations are counted in the histogram's own buckets`() {
        let counts = LatencyCounts()
        defer { counts.free() }
        var expected = Histogram<UInt64>.latencies()
        var value: UInt64 = 1
        for place in 0..<20_000 {
            value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Of every size from 0 ns to an hour.
            let time = place < 4000 ? UInt64(place * 300) : (value >> 22) >> (value & 31)
            let bounded = min(time, 3_600_000_000_000)
            counts.record(Int64(time))
            expected.record(bounded)
        }
        counts.record(-5)
        expected.record(0)
        counts.record(.max)
        expected.record(3_600_000_000_000)
        var found = Histogram<UInt64>.latencies()
        counts.add(to: &found)
        #expect(found.totalCount == expected.totalCount)
        #expect(found.sparse.elementsEqual(expected.sparse, by: ==))
    }

    @Test func `the latencies that are shown meanwhile are right to an eighth`() {
        for value in [1, 7, 8, 9, 100, 12_345, 1_000_000, 987_654_321, 3_600_000_000_000] {
            var recent = RecentLatencies()
            let before = recent
            for _ in 0..<1000 { recent.record(Int64(value)) }
            let shown = Double(recent.since(before).percentile(99) ?? -1)
            #expect(shown <= Double(value) && shown > Double(value) * 0.87)
            #expect(recent.since(recent).percentile(50) == nil)
        }
    }
}
