// An upstream that answers exactly what a test tells it to.

import Foundation
import Synchronization

/// A server on a free port: for each connection it reads one request head, sends its script, and closes.
public final class ScriptedServer: Sendable {
    /// The port.
    public let port: Int
    private let listener: Int32
    private let heard = Mutex<[String]>([])
    private let resets: Bool

    /// Starts it, with a function that gives the bytes to send for a request's head.
    ///
    /// With `resets` it ends each connection as a server that dies does.
    public init(resets: Bool = false, answer: @escaping @Sendable (String) -> String) throws {
        self.resets = resets
        (listener, port) = try listenOnLoopback(backlog: 128)
        Thread.detachNewThread { [self] in serve(answer) }
    }

    /// The request heads that came so far.
    public var requests: [String] { heard.withLock { $0 } }

    /// A port on which nobody listens.
    public static func freePort() throws -> Int {
        let server = try ScriptedServer { _ in "" }
        server.stop()
        return server.port
    }

    /// Stops listening.
    public func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve(_ answer: @Sendable (String) -> String) {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { return }
            _ = fcntl(client, F_SETFD, FD_CLOEXEC)
            var bytes: [UInt8] = []
            var room = [UInt8](repeating: 0, count: 65536)
            while !String(decoding: bytes, as: UTF8.self).contains("\r\n\r\n") {
                let got = recv(client, &room, room.count, 0)
                guard got > 0 else { break }
                bytes += room.prefix(got)
            }
            let head = String(decoding: bytes, as: UTF8.self)
            heard.withLock { $0.append(head) }
            let reply = Array(answer(head).utf8)
            _ = reply.withUnsafeBytes {
                send(client, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if resets {
                var hard = linger(l_onoff: 1, l_linger: 0)
                // What was sent is delivered first: the peer's stack has it before the reset goes out.
                var left: Int32 = 1
                while left > 0, ioctl(client, UInt(TIOCOUTQ), &left) == 0 {}
                setsockopt(
                    client,
                    SOL_SOCKET,
                    SO_LINGER,
                    &hard,
                    socklen_t(MemoryLayout<linger>.size)
                )
                close(client)
                continue
            }
            shutdown(client, Int32(SHUT_WR))
            // Read to the end, so that the close is no reset.
            while recv(client, &room, room.count, 0) > 0 {}
            close(client)
        }
    }
}
