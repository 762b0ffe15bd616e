// A target's name -> the addresses to connect to, looked up once, before the first request.

import Glibc
public import LabWire

/// An address that a connection can be opened to.
public struct ReplayAddress: Sendable, Equatable {
    /// A `sockaddr` of some family, as the resolver gave it.
    let bytes: [UInt8]

    /// Copies the address to `storage`, as `connect` wants it.
    func copy(to storage: UnsafeMutablePointer<sockaddr_storage>) {
        let room = MemoryLayout<sockaddr_storage>.size
        UnsafeMutableRawBufferPointer(start: storage, count: room)
            .copyBytes(from: bytes.prefix(room))
    }
}

extension ReplayAddress {
    /// Whether it is this machine's own loopback: 127.0.0.0/8, `::1`, and the former mapped into IPv6.
    public var isLoopback: Bool {
        var storage = sockaddr_storage()
        copy(to: &storage)
        switch Int32(storage.ss_family) {
        case AF_INET:
            return withUnsafeBytes(of: &storage) {
                $0.load(as: sockaddr_in.self).sin_addr.s_addr.bigEndian >> 24 == 127
            }
        case AF_INET6:
            let address = withUnsafeBytes(of: &storage) {
                $0.load(as: sockaddr_in6.self).sin6_addr
            }
            return withUnsafeBytes(of: address) { all in
                let isOne = all[..<15].allSatisfy { $0 == 0 } && all[15] == 1
                let isMapped =
                    all[..<10].allSatisfy { $0 == 0 } && all[10] == 0xFF && all[11] == 0xFF
                return isOne || isMapped && all[12] == 127
            }
        default: return false
        }
    }
}

extension ReplaySettings {
    /// Whether all that is sent stays on this machine.
    public var staysHere: Bool { addresses.allSatisfy(\.isLoopback) }

    /// Looks up the addresses of `target`, in the order in which the system prefers them.
    ///
    /// - Throws: ``ReplayError/cannotResolve(host:reason:)``.
    public static func resolve(_ target: Authority) throws(ReplayError) -> [ReplayAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(target.host, String(target.port), &hints, &found)
        guard code == 0 else {
            let reason =
                code == EAI_SYSTEM
                ? strerror(errno)
                : UnsafeMutablePointer(
                    mutating: gai_strerror(code)
                )
            throw .cannotResolve(
                host: target.host,
                reason: reason.map { String(cString: $0) } ?? "error \(code)"
            )
        }
        defer { freeaddrinfo(found) }
        var addresses: [ReplayAddress] = []
        var next = found
        while let entry = next {
            if let address = entry.pointee.ai_addr {
                let bytes = UnsafeRawBufferPointer(
                    start: address,
                    count: Int(entry.pointee.ai_addrlen)
                )
                addresses.append(ReplayAddress(bytes: Array(bytes)))
            }
            next = entry.pointee.ai_next
        }
        return addresses
    }
}
