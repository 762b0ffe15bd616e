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

extension ReplaySettings {
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
