// From a free slot to a request on the wire.

import CLabLinux
import Glibc
import LabExchange

extension Worker {
    /// Sends the slot's request from its first byte.
    mutating func startRequest(_ slot: Int) {
        slots[slot].written = 0
        slots[slot].firstByteNs = 0
        slots[slot].isPartial = false
        guard slots[slot].fd < 0 else {
            slots[slot].phase = .sending
            return sendRequest(slot)
        }
        slots[slot].connection = 0
        slots[slot].connectNs = clab_monotonic_ns()
        slots[slot].sentNs = slots[slot].connectNs
        slots[slot].addressesTried = 0
        openConnection(slot)
    }

    /// Opens a connection for the slot's request, and tries to send it at once: over loopback the
    /// handshake is over when `connect` returns, and a wait for it would be a wait for nothing.
    mutating func openConnection(_ slot: Int) {
        let count = task.settings.addresses.count
        slots[slot].address = (preferredAddress + slots[slot].addressesTried) % count
        let address = addresses + slots[slot].address
        let family = Int32(address.pointee.ss_family)
        let type = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let fd = socket(family, type, 0)
        slots[slot].phase = .connecting
        guard fd >= 0 else { return connectionFailed(slot, errno) }
        slots[slot].fd = fd
        clab_no_delay(fd)
        let length = socklen_t(
            family == AF_INET
                ? MemoryLayout<sockaddr_in>.size : MemoryLayout<sockaddr_in6>.size
        )
        let code = UnsafeMutableRawPointer(address).withMemoryRebound(
            to: sockaddr.self,
            capacity: 1
        ) { connect(fd, $0, length) }
        if code == 0 || errno == EINPROGRESS {
            sendRequest(slot)
        } else {
            connectionFailed(slot, errno)
        }
    }

    /// Sends as much of the request as the socket takes.
    mutating func sendRequest(_ slot: Int) {
        let written = slots[slot].written
        let start = slots[slot].bytes.map { $0 + written }
        if written == 0 { slots[slot].sentNs = clab_monotonic_ns() }
        let count = send(
            slots[slot].fd,
            start,
            slots[slot].length - written,
            Int32(MSG_NOSIGNAL)
        )
        if count >= 0 {
            if slots[slot].phase == .connecting {
                guard !isConnectedToItself(slots[slot].fd) else {
                    return connectionFailed(slot, ECONNREFUSED)
                }
                connectionOpened(slot)
            }
            slots[slot].written = written + count
            let isWhole = written + count == slots[slot].length
            slots[slot].phase = isWhole ? .waiting : .sending
            watch(slot, forRoom: !isWhole)
            return
        }
        let code = errno
        if code == EAGAIN || code == EINTR {
            watch(slot, forRoom: true)
        } else if slots[slot].phase == .connecting {
            connectionFailed(slot, code)
        } else {
            // The server has closed, perhaps after an answer: reading tells.
            slots[slot].phase = .waiting
            watch(slot, forRoom: false)
        }
    }

    /// Registers the descriptor once; room to write is watched for only where it ran out.
    @inline(__always)
    private mutating func watch(_ slot: Int, forRoom: Bool) {
        let events = UInt32(forRoom ? CLAB_IN | CLAB_OUT : CLAB_IN)
        guard slots[slot].armed != events else { return }
        // Should the kernel have no memory for it, the request ends as a timeout.
        if slots[slot].armed == 0 {
            _ = clab_epoll_add(epoll, slots[slot].fd, events, mark(slot))
        } else {
            _ = clab_epoll_change(epoll, slots[slot].fd, events, mark(slot))
        }
        slots[slot].armed = events
    }

    /// What epoll gives back: a slot, and which of its connections.
    @inline(__always)
    private func mark(_ slot: Int) -> UInt64 {
        UInt64(slot) | UInt64(UInt32(bitPattern: slots[slot].fd)) << 32
    }

    private mutating func connectionOpened(_ slot: Int) {
        slots[slot].connection = task.control.nextConnection()
        totals.connectionsOpened += 1
        preferredAddress = slots[slot].address
    }

    /// Whether the kernel gave a connection the very port that it was to reach.
    ///
    /// That happens where nobody listens on a port of the range that connections take theirs from:
    /// TCP then opens the connection to itself, and the request would be read as its own answer.
    private func isConnectedToItself(_ fd: Int32) -> Bool {
        func name(
            _ read: (Int32, UnsafeMutablePointer<sockaddr>?, UnsafeMutablePointer<socklen_t>?)
                -> Int32
        ) -> sockaddr_in6 {
            var name = sockaddr_in6()
            var length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &name) { room in
                _ = read(fd, room.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
            }
            return name
        }
        var mine = name(getsockname)
        var peers = name(getpeername)
        return memcmp(&mine, &peers, MemoryLayout<sockaddr_in6>.size) == 0
    }

    /// Tries the next address; where there is none, the request has failed.
    private mutating func connectionFailed(_ slot: Int, _ code: Int32) {
        disconnect(slot)
        slots[slot].addressesTried += 1
        if slots[slot].addressesTried < task.settings.addresses.count {
            return openConnection(slot)
        }
        slots[slot].addressesTried = 0
        switch code {
        case EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EAGAIN:
            // Ours to wait out, not the target's fault: ports in TIME_WAIT come back.
            slots[slot].phase = .starved
        case ETIMEDOUT: fail(slot, .timeout, clab_monotonic_ns())
        case ECONNRESET, EPIPE: fail(slot, .reset, clab_monotonic_ns())
        default: fail(slot, .refused, clab_monotonic_ns())
        }
    }
}
