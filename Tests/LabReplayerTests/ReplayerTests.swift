import Histogram
import LabExchange
import LabWire
import Synchronization
import Testing

@testable import LabReplayer

@Suite(.timeLimit(.minutes(1)))
struct ReplayerTests {
    @Test func `the order of a connection is kept while eight are sent at once`() throws {
        let server = LoopbackServer { seen in
            // The first requests of eight connections wait for each other: fewer at once, and
            // they would wait until the replay's time is over.
            let isFirst = seen.target.hasSuffix("/0")
            return (isFirst ? [.gather(8)] : []) + [.send(response("hello"))]
        }
        var exchanges: [CapturedExchange] = []
        for connection in 0..<16 {
            for place in 0..<6 {
                exchanges.append(
                    .make(
                        Int64(exchanges.count + 1),
                        connection: Int64(connection),
                        target: "/\(connection)/\(place)"
                    )
                )
            }
        }
        let run = try server.replay(exchanges) {
            $0.concurrency = 8
            $0.threads = 2
        }
        #expect(run.summary.ok == 96)
        #expect(run.summary.mismatches == 0)
        #expect(run.results.count == 96)
        #expect(run.summary.connectionsOpened == 16)
        #expect(server.log.allSatisfy { !$0.isPipelined })
        for connection in 0..<16 {
            let seen = server.log.filter { $0.target.hasPrefix("/\(connection)/") }
            #expect(seen.map(\.target) == (0..<6).map { "/\(connection)/\($0)" })
            #expect(Set(seen.map(\.connection)).count == 1)
        }
    }

    @Test func `captured connections start in captured order`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let run = try server.replay((1...9).map { .make($0, connection: $0, target: "/\($0)") }) {
            $0.concurrency = 1
        }
        #expect(server.log.map(\.target) == (1...9).map { "/\($0)" })
        #expect(run.results.map(\.exchangeID) == Array(1...9))
        #expect(run.summary.connectionsOpened == 9)
    }

    @Test(arguments: [1, 7, 16, 23])
    func `exactly as many requests are sent as were asked for`(requests: Int) throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let exchanges: [CapturedExchange] = [
            .make(1, connection: 1), .make(2, connection: 1), .make(3, connection: 2),
        ]
        let run = try server.replay(exchanges) {
            $0.requests = requests
            $0.concurrency = 8
            $0.threads = 2
        }
        #expect(server.log.count == requests)
        #expect(run.results.count == requests)
        #expect(run.summary.requests == requests)
        #expect(run.progress.last?.planned == requests)
        #expect(run.progress.last?.done == requests)
        let rounds = run.results.map(\.round)
        #expect(rounds.max() == Int32((requests - 1) / 3))
        let sent = Dictionary(grouping: run.results) { $0.round }
        #expect(sent.filter { $0.key < (requests - 1) / 3 }.allSatisfy { $0.value.count == 3 })
    }

    @Test func `two captured connections fill eight places when the session repeats`() throws {
        let server = LoopbackServer { _ in [.gather(8), .send(response("hello"))] }
        let run = try server.replay([.make(1, connection: 1), .make(2, connection: 2)]) {
            $0.requests = 24
            $0.concurrency = 8
        }
        #expect(run.summary.ok == 24)
        #expect(Set(run.results.map(\.round)) == Set(0..<12))
    }

    @Test func `the session repeats until the time is over`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let run = try server.replay([.make(1)]) { $0.durationNs = 50_000_000 }
        #expect(run.summary.ok > 1)
        #expect(run.summary.requests == run.results.count)
        #expect((run.progress.last?.elapsedNs ?? 0) >= 50_000_000)
        #expect(!run.summary.wasInterrupted)
        #expect(run.progress.last?.planned == nil)
    }

    @Test func `instants follow each other`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let run = try server.replay((1...5).map { .make($0) })
        for result in run.results {
            #expect(result.intendedNs <= result.sentNs)
            #expect(result.sentNs <= result.firstByteNs)
            #expect(result.firstByteNs <= result.doneNs)
        }
        for (before, after) in zip(run.results, run.results.dropFirst()) {
            #expect(after.intendedNs == before.doneNs)
        }
        #expect(run.summary.histogram.totalCount == 5)
    }

    @Test func `stopping lets what is in flight finish, and keeps what was done`() throws {
        let replayer = Mutex<Replayer?>(nil)
        let server = LoopbackServer { seen in
            if seen.place == 10 { replayer.withLock { $0?.stop() } }
            return [.send(response("hello"))]
        }
        let made = Replayer(
            exchanges: (1...100).map { .make($0) },
            settings: try .make(port: server.port)
        )
        replayer.withLock { $0 = made }
        let run = try server.serve { try made.runToEnd() }
        #expect(run.results.map(\.exchangeID) == Array(1...10))
        #expect(run.summary.ok == 10)
        #expect(run.summary.abandoned == 0)
        #expect(run.summary.wasInterrupted)
    }

    @Test func `aborting gives up on what is in flight, and keeps what was done`() throws {
        let replayer = Mutex<Replayer?>(nil)
        let server = LoopbackServer { seen in
            guard seen.place == 5 else { return [.send(response("hello"))] }
            replayer.withLock { $0?.abort() }
            return [.hang]
        }
        let made = Replayer(
            exchanges: (1...100).map { .make($0) },
            settings: try .make(port: server.port)
        )
        replayer.withLock { $0 = made }
        let run = try server.serve { try made.runToEnd() }
        #expect(run.results.map(\.exchangeID) == Array(1...4))
        #expect(run.summary.abandoned == 1)
        #expect(run.progress.last?.sent == 5)
        #expect(run.summary.wasInterrupted)
    }

    private struct DiskFull: Error {}

    @Test func `an error of the one who takes results ends the replay`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        var settings = try ReplaySettings.make(port: server.port)
        settings.durationNs = 60_000_000_000
        let replayer = Replayer(exchanges: [.make(1)], settings: settings)
        #expect(throws: DiskFull.self) {
            try server.serve {
                try replayer.run(onResults: { _ in throw DiskFull() }, onProgress: { _ in })
            }
        }
    }

    @Test func `a session without anything to send ends at once`() throws {
        let settings = try ReplaySettings.make(port: 9)
        let run = try Replayer(exchanges: [], settings: settings).runToEnd()
        #expect(run.summary.requests == 0)
        #expect(!run.summary.targetNeverAnswered)
    }

    @Test func `settings without an address are refused with a sentence`() throws {
        let settings = ReplaySettings(
            target: Authority(host: "nowhere", port: 81),
            addresses: [],
            keepsHopByHop: false
        )
        let error = #expect(throws: ReplayError.self) {
            try Replayer(exchanges: [], settings: settings).runToEnd()
        }
        #expect(error == .noAddress(target: "nowhere:81"))
    }

    @Test func `more connections than descriptors are refused before any is opened`() throws {
        var settings = try ReplaySettings.make(port: 9)
        settings.concurrency = 1 << 40
        #expect(throws: ReplayError.self) {
            try Replayer(exchanges: [], settings: settings).runToEnd()
        }
    }
}
