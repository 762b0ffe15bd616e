// A child's connection to an upstream server, kept for its next request where both sides allow it.

import CLabLinux
import Glibc
import LabWire

/// The one connection to an upstream that a child keeps.
struct UpstreamConnection {
    /// Why there is no connection.
    enum Failure {
        case refused(String)
        case timedOut(String)
    }

    private(set) var descriptor: Int32 = -1
    private var authority: Authority?
    var reader = ResponseReader()

    /// Whether a kept connection to this authority stands and has not been closed by the other side.
    mutating func isOpen(to other: Authority) -> Bool {
        guard descriptor >= 0 else { return false }
        var poll = clab_poll(fd: descriptor, events: Int16(CLAB_IN | CLAB_RDHUP), revents: 0)
        // Anything to read before a request was sent is an end, or an answer to nobody.
        if authority == other, clab_poll(&poll, 1, 0) == 0 { return true }
        close()
        return false
    }

    /// Connects, trying each address in turn.
    mutating func connect(
        to authority: Authority,
        addresses: [Authority],
        timeoutNs: Int64
    ) -> Failure? {
        close()
        var last = Failure.refused("the name '\(authority.host)' has no address")
        let deadline = clab_monotonic_ns() + timeoutNs
        for address in addresses.isEmpty ? resolve(authority) : addresses {
            switch attempt(address, deadline) {
            case .connected(let descriptor):
                self.descriptor = descriptor
                self.authority = authority
                reader = ResponseReader()
                clab_no_delay(descriptor)
                return nil
            case .failed(let error):
                last =
                    error == ETIMEDOUT
                    ? .timedOut("connecting to \(address.text) took too long")
                    : .refused(
                        "connecting to \(address.text) failed: \(String(cString: strerror(error)))"
                    )
            }
        }
        return last
    }

    /// What came of looking for bytes.
    enum Arrival {
        case bytes, ended, reset, nothing
    }

    /// Takes what has come, and waits for nothing.
    mutating func receive() -> Arrival {
        withUnsafeTemporaryAllocation(byteCount: 64 << 10, alignment: 16) { room in
            let got = recv(descriptor, room.baseAddress, room.count, Int32(MSG_DONTWAIT))
            if got > 0 {
                reader.receive(UnsafeRawBufferPointer(rebasing: room[..<got]))
                return .bytes
            }
            if got == 0 {
                reader.receiveEnd()
                return .ended
            }
            return errno == EAGAIN || errno == EINTR ? .nothing : .reset
        }
    }

    mutating func close() {
        guard descriptor >= 0 else { return }
        Glibc.close(descriptor)
        descriptor = -1
        authority = nil
    }

    private enum Attempt {
        case connected(Int32), failed(Int32)
    }

    private func attempt(_ address: Authority, _ deadline: Int64) -> Attempt {
        guard let (storage, length) = socketAddress(address) else { return .failed(EINVAL) }
        let descriptor = socket(
            Int32(storage.ss_family),
            Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue),
            0
        )
        guard descriptor >= 0 else { return .failed(errno) }
        var copy = storage
        let result = withUnsafePointer(to: &copy) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, length)
            }
        }
        if result == 0 { return .connected(descriptor) }
        var error = errno
        if error == EINPROGRESS {
            var poll = clab_poll(fd: descriptor, events: Int16(CLAB_OUT), revents: 0)
            let left = max(0, deadline - clab_monotonic_ns())
            if clab_poll(&poll, 1, left) > 0 {
                var size = socklen_t(MemoryLayout<Int32>.size)
                getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size)
                if error == 0 { return .connected(descriptor) }
            } else {
                error = ETIMEDOUT
            }
        }
        Glibc.close(descriptor)
        return .failed(error)
    }

    /// The addresses of a name.
    ///
    /// Numbers and `localhost` need no resolver, which in a static executable works only beside the
    /// C library that it was linked with.
    private func resolve(_ authority: Authority) -> [Authority] {
        if socketAddress(authority) != nil { return [authority] }
        if authority.host == "localhost" {
            return ["127.0.0.1", "::1"].map { Authority(host: $0, port: authority.port) }
        }
        return numericAddresses(of: authority)
    }
}

/// The socket address of a numeric IPv4 or IPv6 address and a port.
func socketAddress(_ address: Authority) -> (sockaddr_storage, socklen_t)? {
    var storage = sockaddr_storage()
    var four = sockaddr_in()
    if inet_pton(AF_INET, address.host, &four.sin_addr) == 1 {
        four.sin_family = sa_family_t(AF_INET)
        four.sin_port = UInt16(address.port).bigEndian
        memcpy(&storage, &four, MemoryLayout<sockaddr_in>.size)
        return (storage, socklen_t(MemoryLayout<sockaddr_in>.size))
    }
    var six = sockaddr_in6()
    if inet_pton(AF_INET6, address.host, &six.sin6_addr) == 1 {
        six.sin6_family = sa_family_t(AF_INET6)
        six.sin6_port = UInt16(address.port).bigEndian
        memcpy(&storage, &six, MemoryLayout<sockaddr_in6>.size)
        return (storage, socklen_t(MemoryLayout<sockaddr_in6>.size))
    }
    return nil
}
