// What each worker of a run is given, and how they start.

import CLabLinux
import Glibc

/// What the workers of a run share.
struct WorkerTask: Sendable {
    let loader: PlanLoader
    let correlation: CorrelationPlan
    let settings: ReplaySettings
    let schedule: Schedule
    let control: ReplayControl
    let queue: ResultQueue
    /// The instant at which the schedule starts.
    let startNs: Int64
    /// The instant from which requests count: those that are due before it belong to the warm-up.
    var measuredNs: Int64 {
        guard settings.warmupNs > 0 else { return .min }
        let (instant, isOver) = startNs.addingReportingOverflow(settings.warmupNs)
        return isOver ? .max : instant
    }
    /// The instant after which no request starts.
    let deadlineNs: Int64

    /// Starts a thread per worker; where one cannot be had, ends those that run.
    func start() throws(ReplayError) -> [PosixThread] {
        var threads: [PosixThread] = []
        do throws(ReplayError) {
            for index in 0..<settings.usedThreads { threads.append(try startWorker(index)) }
            return threads
        } catch {
            control.ask(.abort)
            queue.close()
            threads.forEach { $0.join() }
            throw error
        }
    }

    private func startWorker(_ index: Int) throws(ReplayError) -> PosixThread {
        // Made here, where its failure can be told; the worker closes it.
        let epoll = clab_epoll_create()
        guard epoll >= 0 else {
            let reason = String(cString: strerror(errno))
            throw .cannotStart(what: "epoll descriptor", reason: reason)
        }
        do throws(ReplayError) {
            return try PosixThread {
                var worker = Worker(self, index: index, epoll: epoll)
                worker.run()
            }
        } catch {
            close(epoll)
            throw error
        }
    }
}
