// Children that take too long: seen, asked to end, ended, with all that they started; and their clients
// told.
//
//     over time ──▶ TERM, what it was doing is kept ──▶ a second of grace ──▶ KILL
//                                                    └─▶ waited for ──▶ 504, where nothing was sent

import CLabLinux
import Glibc
import LabExchange

/// Watches the requests of all children against one deadline.
struct DeadlineWatch {
    /// A child whose time is up.
    struct Late {
        let pid: Int32
        let connectionID: Int64
        /// What it was doing in the kernel when its time was up, as `/proc` says.
        let waitChannel: String
        let systemCall: String
    }

    private struct Watched {
        let connectionID: Int64
        let slot: Int32
        let clientNumber: Int32
        var termNs: Int64 = 0
        var wasKilled = false
        /// This process's copy of the client's socket, taken when the time was up.
        var client: Int32 = -1
    }

    private static let graceNs: Int64 = 1_000_000_000

    private let board: RequestBoard
    private let timeoutNs: Int64
    private var watched: [Int32: Watched] = [:]
    private var lastNs: Int64 = 0

    init?(timeoutNs: Int64) {
        guard timeoutNs > 0, let board = RequestBoard() else { return nil }
        self.board = board
        self.timeoutNs = timeoutNs
    }

    /// How often it looks: often enough that a tenth of the deadline is all it is late.
    var everyNs: Int64 { max(5_000_000, min(timeoutNs / 10, 200_000_000)) }

    /// A slot for a child that is about to be forked.
    func takeSlot() -> Int32? { board.take() }

    /// Where the child of a slot writes.
    func place(_ slot: Int32) -> UnsafeMutablePointer<RequestSlot> { board.place(slot) }

    /// A child was forked; in it the client's socket has the same number as here.
    mutating func forked(pid: Int32, connectionID: Int64, slot: Int32, clientNumber: Int32) {
        watched[pid] = Watched(connectionID: connectionID, slot: slot, clientNumber: clientNumber)
    }

    /// In a new child: lets go of the clients' sockets that the parent holds.
    func closeHeldClients() {
        for child in watched.values where child.client >= 0 { close(child.client) }
    }

    /// A fork failed.
    func giveBack(_ slot: Int32) { board.giveBack(slot) }

    /// Looks at all children; those whose time is up are asked to end, or ended.
    mutating func look() -> [Late] {
        let now = clab_monotonic_ns()
        guard now - lastNs >= everyNs else { return [] }
        lastNs = now
        var late: [Late] = []
        for (pid, child) in watched {
            let startedNs = board[child.slot].startedNs
            if child.termNs == 0, startedNs != 0, now - startedNs >= timeoutNs {
                late.append(
                    Late(
                        pid: pid,
                        connectionID: child.connectionID,
                        waitChannel: word("/proc/\(pid)/wchan"),
                        systemCall: word("/proc/\(pid)/syscall")
                    )
                )
                watched[pid]?.client = clab_socket_of(pid, child.clientNumber)
                watched[pid]?.termNs = now
                _ = clab_signal_child_group(pid, SIGTERM)
            } else if child.termNs != 0, !child.wasKilled, now - child.termNs >= Self.graceNs {
                watched[pid]?.wasKilled = true
                _ = clab_signal_child_group(pid, SIGKILL)
            }
        }
        return late
    }

    /// How a child that was waited for ended its last request.
    enum Ending {
        case inTime
        /// It was ended for its time; `answered` is the number of the request that the client was
        /// answered 504 here, or nil where it had been sent something.
        case late(answered: Int32?)
    }

    /// A child was waited for: what it says of its request is final.
    mutating func reaped(_ pid: Int32) -> Ending {
        guard let child = watched.removeValue(forKey: pid) else { return .inTime }
        defer { board.giveBack(child.slot) }
        guard child.termNs != 0 else { return .inTime }
        let slot = board[child.slot]
        guard child.client >= 0 else { return .late(answered: nil) }
        defer { close(child.client) }
        guard slot.startedNs != 0, slot.hasAnswer == 0 else { return .late(answered: nil) }
        _ = send(
            child.client,
            Self.answer.utf8Start,
            Self.answer.utf8CodeUnitCount,
            Int32(MSG_NOSIGNAL | MSG_DONTWAIT)
        )
        return .late(answered: slot.sequence)
    }

    /// What a client is sent in place of the answer that never came.
    static let answer: StaticString = """
        HTTP/1.1 504 Gateway Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n
        """

    private func word(_ path: String) -> String {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return "" }
        defer { close(descriptor) }
        return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { room in
            let got = read(descriptor, room.baseAddress, room.count)
            // What stands there is words and numbers; anything else must not break the JSON.
            let plain = room.prefix(max(0, got)).filter {
                $0 >= 0x20 && $0 < 0x7F && $0 != 0x22 && $0 != 0x5C
            }
            return String(decoding: plain, as: UTF8.self)
        }
    }
}
