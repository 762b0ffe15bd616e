// Is anybody there? A server is ready once it has answered something.

import CLabLinux
import Glibc

/// A port of this machine, asked whether a server answers there.
struct Readiness {
    let port: Int

    /// A port that was free a moment ago, on the loopback address.
    static func freePort() -> Int? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return nil }
        defer { close(socket) }
        var address = loopback(port: 0)
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = withUnsafeMutablePointer(to: &address) { raw in
            raw.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, size) == 0 && getsockname(socket, $0, &size) == 0
            }
        }
        return isBound ? Int(UInt16(bigEndian: address.sin_port)) : nil
    }

    private static func loopback(port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Whether a server answers a HEAD request, with whatever.
    func answers(withinNs timeout: Int64) -> Bool {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return false }
        defer { close(socket) }
        var address = Self.loopback(port: port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isConnected = withUnsafePointer(to: &address) { raw in
            raw.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, size) == 0 }
        }
        guard isConnected else { return false }
        let request = Array(
            "HEAD / HTTP/1.1\r\nHost: 127.0.0.1:\(port)\r\nConnection: close\r\n\r\n".utf8
        )
        guard send(socket, request, request.count, Int32(MSG_NOSIGNAL)) > 0 else {
            return false
        }
        var poll = clab_poll(fd: socket, events: Int16(CLAB_IN), revents: 0)
        guard clab_poll(&poll, 1, max(0, timeout)) > 0 else { return false }
        // A server that closes without a word to HEAD is there all the same.
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, 0) >= 0
    }
}
