// The recorder's loop: wait, take frames, commit, watch the clock and the signals.

import CLabLinux
import Glibc
import LabExchange
import LabForkServer
import LabSession

/// One recording, from its first frame to its summary.
final class RecordingLoop {
    /// What ends a recording by itself, and how long its end may take.
    struct Limits {
        var requests: Int?
        var durationNs: Int64?
        var drainNs: Int64
        /// Whether the server itself serves, and can't be told anything while it does.
        var isSerial: Bool
    }

    /// The session is written at least this often; a `kill -9` loses no more.
    private static let commitEveryNs: Int64 = 25_000_000
    /// After a small batch the loop naps, so that under load one wake-up takes many datagrams.
    ///
    /// The queue holds far more than comes in this time.
    private static let napNs = 2_000_000
    /// How often the fork server is told to end at once: a signal that comes while the one before
    /// is still on its way is lost.
    private static let insistEveryNs: Int64 = 50_000_000

    private let server: ForkServerProcess
    private let writer: RecordingWriter
    private let path: String
    private let startedNs: Int64
    private let limits: Limits
    private let printer: RecordPrinter
    private var lastCommitNs: Int64 = 0
    private var endReason: String?
    private var drainDeadlineNs: Int64 = .max
    private var insists = false
    private var stopsTold = 0
    private var writeError: SessionError?

    init(
        server: ForkServerProcess,
        writer: RecordingWriter,
        path: String,
        startedNs: Int64,
        limits: Limits,
        printer: RecordPrinter
    ) {
        self.server = server
        self.writer = writer
        self.path = path
        self.startedNs = startedNs
        self.limits = limits
        self.printer = printer
    }

    /// Records until it is told to stop, a limit is reached, or the fork server is gone.
    ///
    /// - Throws: ``Failure`` where something was lost.
    func run() throws {
        lastCommitNs = clab_monotonic_ns()
        while true {
            let arrival = server.wait(timeoutNs: timeout())
            watchSignals()
            watchLimits()
            if arrival == .frames {
                guard let count = receive() else { break }
                if count < 16 { nap() }
            }
            if writer.isFull || clab_monotonic_ns() - lastCommitNs >= Self.commitEveryNs {
                commit()
            }
            printer.progress(writer.counts)
            printer.flush()
        }
        try end()
    }

    private func timeout() -> Int64 {
        let now = clab_monotonic_ns()
        var until = now + 250_000_000
        if writer.hasNews, writeError == nil { until = lastCommitNs + Self.commitEveryNs }
        if let durationNs = limits.durationNs, endReason == nil {
            until = min(until, startedNs + durationNs)
        }
        return max(0, min(until, drainDeadlineNs) - now)
    }

    private func nap() {
        var time = timespec(tv_sec: 0, tv_nsec: Self.napNs)
        nanosleep(&time, nil)
    }

    /// Takes what has arrived; nil at the end, or where what came can't be understood.
    private func receive() -> Int? {
        do {
            return try server.receive { frame in
                if let news = writer.take(frame) { printer.tell(news) }
                if writer.isFull { commit() }
            }
        } catch {
            complain("\(error)")
            server.killNow()
            return nil
        }
    }

    private func commit() {
        lastCommitNs = clab_monotonic_ns()
        // Once writing has failed it is tried again at the end only; till then rows wait in memory.
        guard writeError == nil, writer.hasNews else { return }
        do throws(SessionError) {
            if try writer.commit() { failed(.full(path: path), "what was answered so far is kept") }
        } catch {
            failed(error, "what is not written yet is tried once more at its end")
        }
    }

    /// The session can take no more: stop accepting, and say so at once.
    private func failed(_ error: SessionError, _ consequence: String) {
        writeError = error
        complain("\(error.description) The recording ends; \(consequence).")
        stop("write failed")
    }

    private func watchSignals() {
        let stops = server.stopsSeen
        guard stops > stopsTold else { return }
        if stopsTold == 0 { stop("signal") }
        if stops > 1 {
            endReason = "interrupted"
            server.stop()
            server.killNow()
        }
        stopsTold = stops
    }

    private func watchLimits() {
        let now = clab_monotonic_ns()
        if endReason == nil {
            if let most = limits.requests, writer.counts.exchanges >= most { stop("requests") }
            if let most = limits.durationNs, now - startedNs >= most { stop("duration") }
        } else if now >= drainDeadlineNs {
            // Once more means: end at once. The children that are killed are on record as such.
            drainDeadlineNs = now + Self.insistEveryNs
            if limits.isSerial {
                complain("The request being served did not finish in time; the server is killed.")
                drainDeadlineNs = .max
                server.killNow()
            } else {
                if !insists { complain("Some children did not finish in time; they are killed.") }
                insists = true
                server.stop()
            }
        }
    }

    private func stop(_ reason: String) {
        guard endReason == nil else { return }
        endReason = reason
        drainDeadlineNs = clab_monotonic_ns() + limits.drainNs
        server.stop()
    }

    private func end() throws {
        let status = server.waitStatus()
        let isLost = endReason == nil
        printer.clear()
        do throws(SessionError) {
            try writer.end(
                reason: endReason ?? "server lost",
                at: Moment.now.wall,
                serverStatus: status
            )
        } catch {
            if writeError == nil { complain(error.description) }
            writeError = error
        }
        printer.summary(writer.counts, path: path, durationNs: clab_monotonic_ns() - startedNs)
        if writer.unwrittenExchanges > 0 {
            complain(
                "\(writer.unwrittenExchanges) of these exchanges could not be written to '\(path)' "
                    + "and are lost."
            )
        }
        if endReason == "interrupted" { throw ExitNow(ExitStatus.interrupted) }
        if writeError != nil { throw ExitNow(ExitStatus.couldNot) }
        if !isLost, let fault = try writer.fault() {
            throw Failure(
                "The accounts of '\(path)' do not add up: \(fault). See: lab check '\(path)'",
                code: ExitStatus.untrusted
            )
        }
        if isLost {
            throw Failure(
                "The fork server is gone (\(Self.describe(status))); what it had told is kept in "
                    + "'\(path)', and children whose end was not seen are marked unknown."
            )
        }
    }

    private static func describe(_ status: Int32) -> String {
        clab_signalled(status) != 0
            ? "ended by signal \(clab_term_signal(status))" : "exit code \(clab_exit_code(status))"
    }
}
