import CLabLinux
import LabExchange
import Testing

@testable import LabReplayer

@Suite(.timeLimit(.minutes(1)))
struct ResultQueueTests {
    private let huge = 1 << 30

    private func chunk(_ id: Int64) -> [ReplayResult] {
        [
            ReplayResult(
                exchangeID: id,
                round: 0,
                connection: 1,
                intendedNs: 0,
                sentNs: 0,
                firstByteNs: 0,
                doneNs: 0,
                status: 200,
                outcome: .ok,
                matches: true,
                differingBody: nil
            )
        ]
    }

    @Test func `all chunks come in order, then the end, though the queue is full all the time`()
        throws
    {
        let queue = ResultQueue(workers: 1)
        let giver = try PosixThread { [huge] in
            for id in 1...100 { queue.give(chunk(Int64(id)), cost: huge) }
            queue.end(WorkerTotals(isOpen: false), ofWorker: 0)
        }
        var ids: [Int64] = []
        while case .results(let results) = queue.take(until: .max) {
            ids += results.map(\.exchangeID)
        }
        giver.join()
        #expect(ids == Array(1...100))
    }

    @Test func `a closed queue holds nobody up`() throws {
        let queue = ResultQueue(workers: 1)
        let giver = try PosixThread { [huge] in
            for id in 1...3 { queue.give(chunk(Int64(id)), cost: huge) }
        }
        queue.close()
        giver.join()
    }

    @Test func `the one who waits is told the time`() {
        let queue = ResultQueue(workers: 1)
        guard case .time = queue.take(until: clab_monotonic_ns()) else {
            Issue.record("nothing was given, and no time was told")
            return
        }
    }

    @Test func `counts are those of all workers`() {
        let queue = ResultQueue(workers: 2)
        queue.publish(.init(sent: 5, done: 4, ok: 3, mismatches: 2), ofWorker: 0)
        queue.publish(.init(sent: 50, done: 40, ok: 30, mismatches: 20), ofWorker: 1)
        let progress = queue.progress
        #expect(progress.sent == 55)
        #expect(progress.done == 44)
        #expect(progress.ok == 33)
        #expect(progress.errors == 11)
        #expect(progress.mismatches == 22)
    }
}
