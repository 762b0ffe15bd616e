// The machine between frames and rows, without a file: what it tells, and what it leaves to a commit.

import LabExchange
import Testing

@testable import LabSession

@Suite struct `The assembler of a recording` {
    private let visit = Visit(connection: 7)

    private func assembler(mostStoredBody: Int = 100) -> RecordingAssembler {
        RecordingAssembler(firstExchangeID: 40, mostStoredBody: mostStoredBody)
    }

    @Test func `it tells of an exchange when it ends, and of a child when it is reaped`() throws {
        var assembler = assembler()
        var news: [RecordingNews] = []
        let asking = Asking(
            target: "/a",
            answer: ["four", "five5"],
            outcome: .clientClosed,
            error: "gone"
        )
        for frame in visit.whole(asking) {
            if let one = assembler.take(frame) { news.append(one) }
        }
        try #require(news.count == 2)
        guard case .exchange(let exchange) = news[0], case .child(let child) = news[1] else {
            Issue.record("\(news)")
            return
        }
        #expect(exchange.id == 40)
        #expect(exchange.connectionID == 7)
        #expect(exchange.pid == 4007)
        #expect(exchange.method == "POST")
        #expect(exchange.target == "/a")
        #expect(exchange.status == 200)
        #expect(exchange.outcome == .clientClosed)
        #expect(exchange.error == "gone")
        #expect(exchange.durationNs == 5)
        #expect(exchange.responseBytes == 9)
        #expect(child.connectionID == 7)
        #expect(child.pid == 4007)
        #expect(child.fate == .exited)
        #expect(child.usage == visit.usage)
        #expect(child.zombieAtMostNs == 2)
        #expect(child.unfinished == nil)
    }

    @Test func `an exchange that was not answered took no time`() throws {
        var assembler = assembler()
        for frame in [visit.forked, visit.started, visit.frames()[0]] { _ = assembler.take(frame) }
        let end = Frame.exchangeEnd(
            connectionID: 7,
            sequence: 1,
            endedNs: visit.at(1, 6),
            outcome: .clientClosed,
            error: "",
            userCPUUs: 1,
            systemCPUUs: 2,
            deviations: [],
            responseDeviations: []
        )
        let last = assembler.take(end)
        guard case .exchange(let news) = last else {
            Issue.record("\(last as Any)")
            return
        }
        #expect(news.status == nil)
        #expect(news.durationNs == nil)
        let row = try #require(assembler.takeBatch().exchanges.first)
        #expect(row.responseEndedNs == nil)
        #expect(row.outcome == .clientClosed)
    }

    @Test func `a batch holds only what is new since the one before`() {
        var assembler = assembler()
        let frames = visit.frames()
        #expect(!assembler.hasNews)
        for frame in [visit.started, frames[0]] { _ = assembler.take(frame) }
        let first = assembler.takeBatch()
        #expect(first.connections.map(\.id) == [7])
        #expect(first.exchanges.map(\.id) == [40])
        #expect(!assembler.hasNews)
        #expect(assembler.takeBatch().connections.isEmpty)

        _ = assembler.take(frames[1])
        let second = assembler.takeBatch()
        #expect(second.connections.isEmpty, "nothing was heard of the child itself")
        #expect(second.exchanges.map(\.requestNs) == [visit.at(1, 3)])

        _ = assembler.take(visit.forked)
        let third = assembler.takeBatch()
        #expect(third.connections.map(\.forkedNs) == [visit.at(3)])
        #expect(third.exchanges.isEmpty)
    }

    @Test func `an exchange that begins and ends between two batches is in the second once`() {
        var assembler = assembler()
        for frame in visit.whole(Asking(), Asking(sequence: 2)) { _ = assembler.take(frame) }
        let batch = assembler.takeBatch()
        #expect(batch.exchanges.map(\.id) == [40, 41])
        #expect(batch.exchanges.map(\.outcome) == [.ok, .ok])
        #expect(batch.connections.map(\.fate) == [.exited])
        #expect(!assembler.hasNews)
    }

    @Test func `after the reap it has forgotten the connection`() {
        var assembler = assembler()
        for frame in visit.whole(Asking()) { _ = assembler.take(frame) }
        _ = assembler.takeBatch()
        assembler.end()
        #expect(!assembler.hasNews)
        #expect(assembler.counts.connections == 1)
        #expect(assembler.counts.reaped == 1)
    }

    @Test func `what waits for a commit is counted in bytes, bodies as far as they are kept`() {
        var assembler = assembler(mostStoredBody: 10)
        let frames = visit.frames(Asking(answer: [String(repeating: "x", count: 5000)]))
        for frame in [visit.forked, visit.started] + frames.dropLast() {
            _ = assembler.take(frame)
        }
        #expect(assembler.pendingBytes == 0)
        _ = assembler.take(frames[frames.count - 1])
        #expect((10..<5000).contains(assembler.pendingBytes))
        _ = assembler.takeBatch()
        #expect(assembler.pendingBytes == 0)
    }

    @Test func `of what nobody began it makes no rows`() {
        var assembler = assembler()
        for frame in visit.frames().dropFirst() { #expect(assembler.take(frame) == nil) }
        #expect(!assembler.hasNews)
        #expect(assembler.counts.exchanges == 0)
    }
}
