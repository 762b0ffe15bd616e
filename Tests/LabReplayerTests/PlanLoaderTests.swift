// A session is sent while it is still being read.

import Glibc
import LabExchange
import LabWire
import Synchronization
import Testing

@testable import LabReplayer

@Suite(.timeLimit(.minutes(1)))
struct PlanLoaderTests {
    private struct Unreadable: Error, Equatable {}

    /// Runs of connections with `each` exchanges, `perRun` connections in a run.
    private func runs(
        _ connections: Int64,
        each: Int64,
        perRun: Int64
    ) -> [[CapturedExchange]] {
        stride(from: 0, to: connections, by: Int64.Stride(perRun)).map { first in
            (first..<min(first + perRun, connections)).flatMap { connection in
                (0..<each).map { sequence in
                    let id = connection * each + sequence + 1
                    return CapturedExchange.make(
                        id,
                        connection: connection + 1,
                        target: "/\(id)",
                        answer: "yes",
                        startedNs: id
                    )
                }
            }
        }
    }

    @Test func `all of a session is sent, in order on each connection, while it is read`() throws {
        let runs = runs(60, each: 5, perRun: 4)
        let server = LoopbackServer { _ in [.send(response("yes"))] }
        var settings = try ReplaySettings.make(port: server.port)
        settings.concurrency = 7
        settings.threads = 2
        var rest = runs[...]
        let replayer = try Replayer(settings) { rest.popFirst() }
        #expect(!replayer.isWhole)
        #expect(replayer.requestsPerRound == 20)
        let run = try server.serve { try replayer.runToEnd() }
        #expect(replayer.isWhole)
        #expect(run.summary.requests == 300)
        #expect(run.summary.ok == 300)
        #expect(run.summary.mismatches == 0)
        #expect(run.summary.sessionsCompleted == 60)
        #expect(run.results.map(\.exchangeID).sorted() == Array(1...300))
        let connections = Dictionary(grouping: run.results.sorted { $0.sentNs < $1.sentNs }) {
            ($0.exchangeID - 1) / 5
        }
        for (_, results) in connections {
            #expect(results.map(\.exchangeID) == results.map(\.exchangeID).sorted())
            #expect(Set(results.map(\.connection)).count == 1)
        }
    }

    @Test func `sessions that start by the clock are read while others are sent`() throws {
        for change: (inout ReplaySettings) -> Void in [
            { $0.shape.pace = .recorded }, { $0.shape.rate = .init(perSecond: 2000) },
            { $0.shape.rate = .init(perSecond: 4000, unit: .requests) },
            { settings in
                // More than may be under way: some are dropped, and none is waited for.
                settings.shape.rate = .init(perSecond: 1e6)
                settings.shape.maxInFlight = 3
            },
        ] {
            var rest = runs(60, each: 2, perRun: 5)[...]
            let server = LoopbackServer { _ in [.send(response("yes"))] }
            var settings = try ReplaySettings.make(port: server.port)
            settings.threads = 2
            change(&settings)
            let replayer = try Replayer(settings) { rest.popFirst() }
            #expect(!replayer.isWhole)
            let run = try server.serve { try replayer.runToEnd() }
            #expect(run.summary.requests + run.summary.dropped == 120)
            #expect(run.summary.ok == run.summary.requests)
            #expect(run.summary.sessionsCompleted + run.summary.sessionsDropped == 60)
            if settings.shape.maxInFlight > 60 { #expect(run.summary.dropped == 0) }
        }
    }

    @Test(arguments: [1, 3, 7])
    func `sessions start when they do if all are known before`(perChapter: Int) throws {
        var settings = try ReplaySettings.make(port: 1)
        settings.shape.pace = .recorded
        settings.shape.maxGapNs = 40
        let exchanges: [CapturedExchange] = (0..<20).map { number in
            let at = Int64(number * number)
            return .make(
                Int64(number + 1),
                connection: Int64(number),
                startedNs: at,
                endedNs: at + 5
            )
        }
        let whole = SessionTable(ReplayPlan(exchanges, settings).draft, settings)
        let plan = ReplayPlan(settings)
        let table = SessionTable(settings)
        for first in stride(from: 0, to: exchanges.count, by: perChapter) {
            plan.add(Array(exchanges[first..<min(first + perChapter, exchanges.count)]))
            _ = table.add(plan.draft)
            plan.forgetDraft()
        }
        #expect(table.sessions.map(\.startNs) == whole.sessions.map(\.startNs))
        #expect(table.steps.map(\.request) == whole.steps.map(\.request))
        #expect(table.passNs == whole.passNs)
    }

    /// Connections that are open together, each one's requests between those of others, in runs of three.
    private func interleaved(_ connections: Int64, each: Int64) -> [[CapturedExchange]] {
        let all: [[CapturedExchange]] = (0..<connections).map { connection in
            (0..<each).map { sequence in
                .make(
                    connection * each + sequence + 1,
                    connection: connection + 1,
                    target: "/\(connection * each + sequence + 1)",
                    answer: "yes",
                    startedNs: connection * 100 + sequence * (connection % 4 * 90 + 70)
                )
            }
        }
        return stride(from: 0, to: all.count, by: 3).map {
            Array(all[$0..<min($0 + 3, all.count)].joined())
        }
    }

    @Test(arguments: [nil, 1, 2] as [Int?])
    func `requests at a rate are due when they are if all are known before`(shard: Int?) throws {
        var settings = try ReplaySettings.make(port: 1)
        settings.shape.rate = .init(perSecond: 1000, unit: .requests, arrival: .poisson, seed: 7)
        settings.shard = shard.flatMap { Shard(index: $0, count: 2) }
        let runs = interleaved(20, each: 6)
        let whole = SessionTable(ReplayPlan(Array(runs.joined()), settings).draft, settings)
        #expect((shard == nil) == (whole.sessions.count == 20))
        let plan = ReplayPlan(settings)
        let table = SessionTable(settings)
        var published: [Int] = []
        for run in runs {
            plan.add(run)
            _ = table.add(plan.draft)
            plan.forgetDraft()
            table.publish()
            published.append(table.published)
            // Who is published starts when it is to, and nothing else is due before what is said.
            for (known, session) in zip(whole.sessions, table.sessions.prefix(table.published)) {
                #expect(session.startNs == known.startNs)
                #expect(session.startNs < table.nothingBeforeNs)
            }
            for (known, step) in zip(whole.steps, table.steps) where step.offsetNs != Step.untimed {
                #expect(step.offsetNs == known.offsetNs)
            }
        }
        // It is sent from while it is read.
        #expect(published.contains { $0 > 0 && $0 < whole.sessions.count })
        table.end()
        #expect(table.sessions.map(\.startNs) == whole.sessions.map(\.startNs))
        #expect(table.steps.map(\.offsetNs) == whole.steps.map(\.offsetNs))
        #expect(table.passNs == whole.passNs)
    }

    @Test func `a connection that outlives what was read waits for its turn, and keeps it`() throws
    {
        let runs = interleaved(20, each: 6)
        func dues(_ replayer: (ReplaySettings) throws -> Replayer) throws -> [Int64: Int64] {
            let server = LoopbackServer { _ in [.send(response("yes"))] }
            var settings = try ReplaySettings.make(port: server.port)
            settings.shape.rate = .init(perSecond: 2000, unit: .requests)
            let replayer = try replayer(settings)
            let run = try server.serve { try replayer.runToEnd() }
            #expect(run.summary.ok == 120 && run.summary.dropped == 0)
            let first = run.results.map(\.intendedNs).min() ?? 0
            return Dictionary(
                uniqueKeysWithValues: run.results.map { ($0.exchangeID, $0.intendedNs - first) }
            )
        }
        let whole = try dues { Replayer(exchanges: Array(runs.joined()), settings: $0) }
        var rest = runs[...]
        let read = try dues { settings in
            let replayer = try Replayer(settings) { rest.popFirst() }
            #expect(!replayer.isWhole)
            return replayer
        }
        #expect(read == whole)
    }

    @Test func `sessions of one instant, more than are read ahead, do not wait for each other`()
        throws
    {
        // None of them has its turn before all are read, so nobody begins one meanwhile.
        let large = StoredBody.make(String(repeating: "x", count: 1 << 20))
        let server = LoopbackServer { _ in [.send(response("yes"))] }
        var settings = try ReplaySettings.make(port: server.port)
        settings.shape.rate = .init(perSecond: 1000, unit: .requests)
        var read: Int64 = 0
        let replayer = try Replayer(settings) {
            read += 1
            // The first one is earlier: the others are read while it is sent.
            return read > 40
                ? nil
                : [
                    .make(
                        read,
                        connection: read,
                        method: "POST",
                        fields: "Content-Length: \(large.size)\r\n",
                        content: large,
                        startedNs: read == 1 ? 1 : 2
                    )
                ]
        }
        #expect(!replayer.isWhole)
        let run = try server.serve { try replayer.runToEnd() }
        #expect(run.summary.requests == 40)
    }

    @Test func `of a load with an end no more is read than it comes to`() throws {
        var read = 0
        let server = LoopbackServer { _ in [.send(response("yes"))] }
        var settings = try ReplaySettings.make(port: server.port)
        settings.requests = 40
        let large = StoredBody.make(String(repeating: "x", count: 1 << 20))
        let replayer = try Replayer(settings) {
            read += 1
            guard read < 1000 else { return nil }
            return [
                .make(
                    Int64(read),
                    connection: Int64(read),
                    method: "POST",
                    fields: "Content-Length: \(large.size)\r\n",
                    content: large
                )
            ]
        }
        #expect(replayer.plannedRequests == 40)
        let run = try server.serve { try replayer.runToEnd() }
        #expect(run.summary.requests == 40)
        #expect(read < 80)
    }

    @Test func `a session that is sent twice is read once`() throws {
        var rest = runs(6, each: 2, perRun: 2)[...]
        let server = LoopbackServer { _ in [.send(response("yes"))] }
        var settings = try ReplaySettings.make(port: server.port)
        settings.loops = 3
        let replayer = try Replayer(settings) { rest.popFirst() }
        let run = try server.serve { try replayer.runToEnd() }
        #expect(run.summary.requests == 36)
        #expect(run.summary.mismatches == 0)
        #expect(run.results.filter { $0.round == 2 }.count == 12)
    }

    @Test func `requests end where they are to, though more is to be read`() throws {
        var rest = runs(50, each: 3, perRun: 2)[...]
        let server = LoopbackServer { _ in [.send(response("yes"))] }
        var settings = try ReplaySettings.make(port: server.port)
        settings.requests = 10
        settings.loops = 1
        let replayer = try Replayer(settings) { rest.popFirst() }
        let run = try server.serve { try replayer.runToEnd() }
        #expect(run.summary.requests == 10)
    }

    @Test func `runs in which nothing can be sent are passed over`() throws {
        let tunnels = (1...3).map { CapturedExchange.make($0, outcome: .tunnel) }
        var rest = [tunnels, tunnels, [.make(4, connection: 2)], tunnels][...]
        var settings = try ReplaySettings.make(port: 1)
        settings.concurrency = 1
        let replayer = try Replayer(settings) { rest.popFirst() }
        #expect(replayer.requestsPerRound == 1)
        try replayer.loadAll()
        #expect(replayer.isWhole)
        #expect(replayer.skipped.map(\.count) == [9])
    }

    @Test func `a schedule that needs all sessions is made of all`() throws {
        for change: (inout ReplaySettings) -> Void in [
            { $0.sessions = .client(gapNs: 1) },
            { $0.correlation = .automatic },
        ] {
            var rest = runs(6, each: 2, perRun: 2)[...]
            var settings = try ReplaySettings.make(port: 1)
            change(&settings)
            let replayer = try Replayer(settings) { rest.popFirst() }
            #expect(replayer.isWhole)
            #expect(replayer.requestsPerRound == 12)
        }
    }

    @Test func `a session that cannot be read to its end fails, with the results until there`()
        throws
    {
        var rest = runs(6, each: 2, perRun: 2)[...]
        let server = LoopbackServer { _ in [.send(response("yes"))] }
        let replayer = try Replayer(.make(port: server.port)) {
            guard let run = rest.popFirst(), run[0].id < 5 else { throw Unreadable() }
            return run
        }
        var results: [ReplayResult] = []
        #expect(throws: Unreadable()) {
            try server.serve {
                _ = try replayer.run(onResults: { results += $0 }, onProgress: { _ in })
            }
        }
        #expect(results.map(\.exchangeID).sorted() == [1, 2, 3, 4])
    }

    @Test func `what was sent is given back, and loading waits while enough lies ahead`() throws {
        let large = String(repeating: "x", count: 1 << 20)
        var read = 0
        let loader = PlanLoader(try .make(port: 1)) {
            read += 1
            let body = StoredBody.make(large + "\(read)")
            return [
                .make(
                    Int64(read),
                    connection: Int64(read),
                    method: "POST",
                    fields: "Content-Length: \(body.size)\r\n",
                    content: body
                )
            ]
        }
        try loader.begin()
        #expect(read == 1)
        let ready = Atomic<Int>(0)
        let thread = try PosixThread { loader.loadWhileSending() }
        // Sessions are begun and over, one after the other, while others come.
        var taken: Int32 = 0
        while taken < 200 {
            guard loader.sessions.published > Int(taken) else { continue }
            let ahead = loader.sessions.published - Int(taken)
            ready.store(max(ready.load(ordering: .relaxed), ahead), ordering: .relaxed)
            loader.enter(taken)
            loader.leave(taken)
            taken += 1
        }
        loader.stop()
        thread.join()
        // 16 MiB ahead, and the one that was read when that was reached.
        #expect(ready.load(ordering: .relaxed) <= 18)
        #expect(loader.plan.arena.residentBytes < 40 << 20)
        #expect(loader.plan.arena.count > 200 << 20)
    }
}

struct StableMemoryTests {
    @Test func `what was appended stays where it is while more comes`() {
        let memory = StableMemory<UInt8>()
        let base = memory.base
        let pieces = (0..<3000).map { [UInt8](repeating: UInt8($0 % 251), count: $0) }
        let places = pieces.map { memory.append(contentsOf: $0) }
        #expect(memory.base == base)
        for (place, piece) in zip(places, pieces) {
            let found = UnsafeBufferPointer(start: memory.base + place, count: piece.count)
            #expect(found.elementsEqual(piece))
        }
    }

    @Test func `only whole pages of what is released are given back`() {
        let memory = StableMemory<UInt8>()
        _ = memory.append(contentsOf: [UInt8](repeating: 7, count: 40960))
        memory.release(100..<20000)
        #expect(memory[99] == 7)
        #expect(memory[4095] == 7)
        #expect(memory[8192] == 0)
        #expect(memory[20000] == 7)
    }
}

extension StableMemory {
    /// How much of it is in memory (mincore(2)), bytes.
    fileprivate var residentBytes: Int {
        let pages = (count * MemoryLayout<Element>.stride + 4095) / 4096
        var isResident = [UInt8](repeating: 0, count: pages)
        guard mincore(base, pages * 4096, &isResident) == 0 else { return .max }
        return isResident.filter { $0 & 1 != 0 }.count * 4096
    }
}
