// Workers -> the calling thread: results in chunks, one lock per chunk and not per result.

import CLabLinux
import Glibc
import LabExchange

/// A bounded queue of result chunks, with the workers' counts beside it.
final class ResultQueue: @unchecked Sendable {
    // Unchecked: every property is touched under the lock only.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var chunks: [Chunk] = []
    private var cost = 0
    private var counts: [WorkerTotals.Counts]
    private var ended: [WorkerTotals] = []
    private var isClosed = false

    private struct Chunk {
        var results: [ReplayResult]
        var cost: Int
    }

    /// What the calling thread finds.
    enum Event {
        case results([ReplayResult])
        /// The time came first.
        case time
        /// All workers have ended, and all results were taken.
        case ended([WorkerTotals])
    }

    /// How many bytes may be queued: about a million results without a body.
    ///
    /// A worker that is further ahead waits, so that memory is bounded and no result is dropped.
    /// Answers that come meanwhile are read late: their times then show the wait.
    private static let mostCost = 128 << 20

    init(workers: Int) {
        counts = Array(repeating: WorkerTotals.Counts(), count: workers)
        pthread_mutex_init(lock, nil)
        var attributes = pthread_condattr_t()
        pthread_condattr_init(&attributes)
        // Its waits end at instants of the clock that results are stamped by.
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        pthread_cond_init(changed, &attributes)
        pthread_condattr_destroy(&attributes)
    }

    deinit {
        pthread_cond_destroy(changed)
        pthread_mutex_destroy(lock)
        changed.deallocate()
        lock.deallocate()
    }

    private func locked<Value>(_ body: () -> Value) -> Value {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        return body()
    }

    /// Gives a chunk; waits while too much is queued.
    func give(_ results: [ReplayResult], cost: Int) {
        locked {
            while self.cost > Self.mostCost, !isClosed { pthread_cond_wait(changed, lock) }
            guard !isClosed else { return }
            chunks.append(Chunk(results: results, cost: cost))
            self.cost += cost
            pthread_cond_broadcast(changed)
        }
    }

    /// Publishes what a worker has counted.
    func publish(_ counts: WorkerTotals.Counts, ofWorker index: Int) {
        locked { self.counts[index] = counts }
    }

    /// Takes note that a worker has ended; it gives nothing after.
    func end(_ totals: WorkerTotals, ofWorker index: Int) {
        locked {
            counts[index] = totals.counts
            ended.append(totals)
            pthread_cond_broadcast(changed)
        }
    }

    /// Takes note that nobody takes results any more, so that no worker waits for it.
    func close() {
        locked {
            isClosed = true
            pthread_cond_broadcast(changed)
        }
    }

    /// The workers' counts, added up.
    var progress: ReplayProgress {
        locked {
            var progress = ReplayProgress()
            for one in counts {
                progress.sent += one.sent
                progress.done += one.done
                progress.ok += one.ok
                progress.errors += one.done - one.ok
                progress.mismatches += one.mismatches
                progress.dropped += one.dropped
                progress.latencies.add(one.latencies)
            }
            return progress
        }
    }

    /// The next chunk; waits for it until the instant `limit`.
    func take(until limit: Int64) -> Event {
        locked {
            var time = timespec(
                tv_sec: Int(limit / 1_000_000_000),
                tv_nsec: Int(limit % 1_000_000_000)
            )
            while chunks.isEmpty {
                if ended.count == counts.count { return .ended(ended) }
                if pthread_cond_timedwait(changed, lock, &time) == ETIMEDOUT { return .time }
            }
            let chunk = chunks.removeFirst()
            cost -= chunk.cost
            pthread_cond_broadcast(changed)
            return .results(chunk.results)
        }
    }
}
