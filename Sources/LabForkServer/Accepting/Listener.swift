// The listening socket, bound by the recorder so that "port in use" is its own clear error.

import CLabLinux
import Glibc
public import LabWire

/// Why nothing can be listened on.
public enum ListenError: Error, CustomStringConvertible {
    /// Another process has the port.
    case portInUse(Authority)
    /// The host is no address and no name that is known.
    case noSuchHost(String)
    /// The system refused.
    case failed(Authority, reason: String)

    /// A sentence.
    public var description: String {
        switch self {
        case .portInUse(let place):
            "Cannot listen on \(place.host) port \(place.port): another process has it. "
                + "Stop that one, or give another port with --port (0 takes a free one)."
        case .noSuchHost(let host):
            "Cannot listen on '\(host)': it is no address of this machine and no name that is known. "
                + "Give an address with --host, such as 127.0.0.1."
        case .failed(let place, let reason):
            "Cannot listen on \(place.host) port \(place.port): \(reason). Give another --host or --port."
        }
    }
}

/// A bound socket that listens.
public struct Listener: Sendable {
    /// The descriptor; the caller owns it.
    public let descriptor: Int32
    /// What it is bound to, the port that was taken for 0 included.
    public let bound: Authority
    /// Whether only this machine can reach it.
    public let isLoopback: Bool

    /// Binds and listens.
    ///
    /// - Parameters:
    ///   - host: An address of this machine, or a name of it.
    ///   - port: The port; 0 takes a free one.
    ///   - backlog: How many connections may wait to be accepted; the system may allow fewer.
    /// - Throws: ``ListenError``.
    public init(host: String, port: Int, backlog: Int) throws(ListenError) {
        let wanted = Authority(host: host, port: port)
        guard let address = numericAddresses(of: wanted).first,
            let (storage, length) = socketAddress(address)
        else { throw .noSuchHost(host) }
        let made = socket(
            Int32(storage.ss_family),
            Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue),
            0
        )
        guard made >= 0 else { throw .failed(wanted, reason: String(cString: strerror(errno))) }
        var on: Int32 = 1
        setsockopt(made, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        // Accepted sockets inherit it; answers are written whole, so Nagle only delays them.
        clab_no_delay(made)
        var copy = storage
        let isBound = withUnsafePointer(to: &copy) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(made, $0, length) }
        }
        guard isBound == 0, listen(made, Int32(clamping: backlog)) == 0 else {
            let error = errno
            close(made)
            if error == EADDRINUSE { throw .portInUse(wanted) }
            if error == EADDRNOTAVAIL { throw .noSuchHost(host) }
            throw .failed(wanted, reason: String(cString: strerror(error)))
        }
        var taken = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        _ = withUnsafeMutablePointer(to: &taken) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(made, $0, &size) }
        }
        let (text, takenPort) = peerText(taken)
        descriptor = made
        bound = Authority(host: String(decoding: text, as: UTF8.self), port: Int(takenPort))
        isLoopback = text.starts(with: Array("127.".utf8)) || text == Array("::1".utf8)
    }
}

/// The numeric addresses of a host, in the resolver's order; empty where the name is not known.
public func numericAddresses(of authority: Authority) -> [Authority] {
    if socketAddress(authority) != nil { return [authority] }
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(authority.host, nil, &hints, &found) == 0 else { return [] }
    defer { freeaddrinfo(found) }
    var addresses: [Authority] = []
    var next = found
    while let entry = next {
        var storage = sockaddr_storage()
        memcpy(&storage, entry.pointee.ai_addr, Int(entry.pointee.ai_addrlen))
        let (text, _) = peerText(storage)
        addresses.append(
            Authority(host: String(decoding: text, as: UTF8.self), port: authority.port)
        )
        next = entry.pointee.ai_next
    }
    return addresses
}
