// What the fork server does about the dead, and about those that take too long.

import CLabLinux
import Glibc
import LabExchange

extension ForkServer {
    /// Signals coalesce, so one SIGCHLD may stand for many children: wait until nobody is left.
    ///
    /// `--reap once` waits once for each signal, and `never` not at all, until the recording ends:
    /// then all are collected, each with its true fate.
    mutating func reap(collectsAll: Bool = false) {
        let seen = clab_signals_seen()
        let signals = seen.children - signalsHandled
        let collects = collectsAll || queue.listener == nil && settings.reaping != .drain
        guard signals > 0 || collects else { return }
        signalsHandled = seen.children
        var budget = settings.reaping == .drain || collects ? Int.max : 0
        if settings.reaping == .once, !collects { budget = Int(signals) }
        var reaped = 0
        var status: Int32 = 0
        var usage = rusage()
        while reaped < budget {
            // Looked at before it is waited for: of a process that is gone nobody knows the group.
            let pid = clab_ended_child()
            if pid < 0, errno == EINTR { continue }
            guard pid > 0 else { break }
            let group = ledger.living[pid] == nil ? getpgid(pid) : pid
            guard clab_reap(pid, &status, &usage) == pid else { continue }
            let now = clab_monotonic_ns()
            reaped += 1
            switch ledger.ended(pid: pid, group: group) {
            case .child(let connectionID):
                // With no further SIGCHLD pending nobody died since the handler ran, so this one
                // had died before it. Otherwise that is not known, and 0 says so.
                let sigchld =
                    census.reaped(pid)
                    ?? (clab_child_signal_pending() == 0 ? seen.last_child_ns : 0)
                let isLate = tellOfDeadline(pid, connectionID, now)
                channel.frames.childReaped(
                    connectionID,
                    pid: pid,
                    waitStatus: status,
                    sigchldNs: sigchld,
                    reapedNs: now,
                    usage: ResourceUsage(usage),
                    fate: isLate ? .timedOut : clab_signalled(status) != 0 ? .signalled : .exited
                )
            case .stranger(let connectionID):
                let from = connectionID.map { "\($0)" } ?? "null"
                tell(
                    .orphan,
                    "{\"connection_id\":\(from),\"wait_status\":\(status)}",
                    pid: pid,
                    at: now
                )
            }
            channel.flushIfLarge()
        }
        workshop.lessons?.learn()
        guard signals > 0 else { return }
        tell(.sigchld, "{\"signals\":\(signals),\"reaped\":\(reaped)}", at: seen.last_child_ns)
    }

    /// Whether the child that was waited for had been ended for its time; its client was then told.
    mutating func tellOfDeadline(_ pid: Int32, _ connectionID: Int64, _ now: Int64) -> Bool {
        guard case .late(let answered)? = deadlines?.reaped(pid) else { return false }
        guard let answered else { return true }
        let head = DeadlineWatch.answer
        channel.frames.responseHead(
            connectionID,
            answered,
            startedNs: now,
            status: 504,
            reason: Response.reason(504).utf8,
            head: UnsafeBufferPointer(start: head.utf8Start, count: head.utf8CodeUnitCount)
        )
        return true
    }

    /// Ends children whose time is up; what they were doing in the kernel is kept.
    mutating func endTheLate() {
        for late in deadlines?.look() ?? [] {
            tell(
                .killed,
                """
                {"why":"child-timeout","connection_id":\(late.connectionID),\
                "wchan":"\(late.waitChannel)","syscall":"\(late.systemCall)"}
                """,
                pid: late.pid
            )
        }
    }

    /// While children are not waited for as they should be, tells how many stand.
    mutating func countZombies() {
        guard settings.reaping != .drain, queue.listener != nil else { return }
        let last = clab_signals_seen().last_child_ns
        guard census.take(of: ledger.living.keys, lastSignalNs: last) else { return }
        tell(.zombies, "{\"standing\":\(census.standing)}")
    }
}
