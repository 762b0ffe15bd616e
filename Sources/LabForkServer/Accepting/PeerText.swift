// A socket's address as text.

import CLabLinux
import Glibc
import LabWire

/// The address, IPv6 without brackets and IPv4 never in its disguise, and the port.
func peerText(_ peer: sockaddr_storage) -> (address: [UInt8], port: UInt16) {
    var peer = peer
    return withUnsafePointer(to: &peer) { storage in
        switch Int32(storage.pointee.ss_family) {
        case AF_INET:
            return storage.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                (ipv4Text($0.pointee.sin_addr.s_addr), UInt16(bigEndian: $0.pointee.sin_port))
            }
        case AF_INET6:
            return storage.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) {
                (ipv6Text($0.pointee.sin6_addr), UInt16(bigEndian: $0.pointee.sin6_port))
            }
        default:
            return ([], 0)
        }
    }
}

private func ipv4Text(_ address: in_addr_t) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(16)
    withUnsafeBytes(of: address) { bytes in
        for (index, byte) in bytes.enumerated() {
            if index > 0 { text.append(UInt8(ascii: ".")) }
            text.append(decimal: byte)
        }
    }
    return text
}

private func ipv6Text(_ address: in6_addr) -> [UInt8] {
    var address = address
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { room in
        guard inet_ntop(AF_INET6, &address, room.baseAddress, socklen_t(room.count)) != nil else {
            return []
        }
        let text = room.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let mapped: StaticString = "::ffff:"
        let isMapped = text.prefix(7).equals(mapped) && text.contains(UInt8(ascii: "."))
        return isMapped ? Array(text.dropFirst(7)) : text
    }
}
