// Ends of connections that send any bytes they like.

import Foundation

/// A TCP connection to a port of this machine.
public final class RawClient {
    private let descriptor: Int32

    /// Connects.
    public init(port: Int) throws {
        // Programs that other tests start meanwhile would hold it open, and no close would end it.
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Trouble("connect: \(String(cString: strerror(errno)))") }
        bePatient()
    }

    /// Takes a connection that was accepted.
    fileprivate init(accepted: Int32) {
        descriptor = accepted
        bePatient()
    }

    private func bePatient() {
        var patience = timeval(tv_sec: 30, tv_usec: 0)
        setsockopt(
            descriptor,
            SOL_SOCKET,
            SO_RCVTIMEO,
            &patience,
            socklen_t(MemoryLayout<timeval>.size)
        )
    }

    deinit { close(descriptor) }

    /// The port of this end, which is the connection's `peer_port` in a session.
    public var localPort: Int {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &size)
            }
        }
        return Int(UInt16(bigEndian: address.sin_port))
    }

    /// Sends text.
    public func send(_ text: String) throws { try send(Array(text.utf8)) }

    /// Sends bytes.
    public func send(_ bytes: [UInt8]) throws {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    descriptor,
                    $0.baseAddress.map { $0 + sent },
                    bytes.count - sent,
                    Int32(MSG_NOSIGNAL)
                )
            }
            guard count > 0 else { throw Trouble("send: \(String(cString: strerror(errno)))") }
            sent += count
        }
    }

    /// Says that it will send no more.
    public func endSending() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes with a reset, as a client that dies does.
    public func reset() {
        var hard = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &hard, socklen_t(MemoryLayout<linger>.size))
    }

    /// Reads until the text so far satisfies `isEnough`, or the peer closes.
    public func read(until isEnough: (String) -> Bool) -> String {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65536)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if isEnough(text) { return text }
            let got = recv(descriptor, &room, room.count, 0)
            guard got > 0 else { return text }
            bytes += room.prefix(got)
        }
    }

    /// Reads one answer that tells its length; nil where the peer ended before all of it came.
    public func readAnswer() -> String? {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 16384)
        var length: Int?
        while true {
            let got = recv(descriptor, &room, room.count, 0)
            guard got > 0 else { return nil }
            bytes += room.prefix(got)
            if length == nil { length = Self.lengthOfAnswer(bytes) }
            if let length, bytes.count >= length { return String(decoding: bytes, as: UTF8.self) }
        }
    }

    /// Of the head and the content; nil while the head is not whole.
    private static func lengthOfAnswer(_ bytes: [UInt8]) -> Int? {
        let field = Array("Content-Length: ".utf8)
        var length = 0
        var line = 0
        while let end = bytes[line...].firstIndex(of: 0x0A) {
            if end - line <= 1 { return end + 1 + length }
            if bytes[line...].starts(with: field) {
                let digits = bytes[(line + field.count)...].prefix { $0 &- 0x30 < 10 }
                length = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
            }
            line = end + 1
        }
        return nil
    }

    /// Ends its side and reads until the peer closes.
    public func readToEnd() -> String {
        read { _ in false }
    }

    /// Reads until the peer closes.
    ///
    /// - Returns: What came, and whether the peer closed: not where it reset, or kept the connection
    ///   open for longer than one has patience.
    public func bytesToClose() -> (bytes: [UInt8], isClosed: Bool) {
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = recv(descriptor, &room, room.count, 0)
            guard got > 0 else { return (bytes, got == 0) }
            bytes += room.prefix(got)
        }
    }
}

/// Listens on a free port of this machine.
func listenOnLoopback(backlog: Int32) throws -> (descriptor: Int32, port: Int) {
    // Programs that other tests start meanwhile would hold the sockets open beyond their close.
    let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) { place in
        place.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(made, $0, size) == 0 && listen(made, backlog) == 0
                && getsockname(made, $0, &size) == 0
        }
    }
    guard bound else { throw Trouble("cannot listen") }
    return (made, Int(UInt16(bigEndian: address.sin_port)))
}

/// A listening port whose connections a test serves itself, byte by byte.
public final class RawServer {
    /// The port.
    public let port: Int
    private let listener: Int32

    /// Listens; with a backlog of 0 the second connection that nobody accepts never stands.
    public init(backlog: Int32 = 16) throws {
        (listener, port) = try listenOnLoopback(backlog: backlog)
    }

    deinit { close(listener) }

    /// Waits for a connection and takes its server's end.
    public func accept() throws -> RawClient {
        let accepted = Glibc.accept(listener, nil, nil)
        _ = fcntl(accepted, F_SETFD, FD_CLOEXEC)
        guard accepted >= 0 else { throw Trouble("accept: \(String(cString: strerror(errno)))") }
        return RawClient(accepted: accepted)
    }
}
