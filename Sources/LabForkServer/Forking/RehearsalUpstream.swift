// An upstream for the rehearsal of a reverse proxy, whose children talk to two sockets and not to one.

import CLabLinux
import Glibc
import LabWire

/// A server on a loopback port that gives every request the same answer.
///
/// It is a process, for the one that rehearses waits for its answers; that ends it with ``end()``.
struct RehearsalUpstream {
    private static let answer: StaticString = """
        HTTP/1.1 200 OK\r\nServer: rehearsal\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n\
        Content-Type: text/plain\r\nContent-Length: 13\r\n\r\nHello, World!
        """

    /// Where it listens.
    let address: Authority
    private let pid: Int32

    /// Starts it; nil where the system refuses what it needs.
    init?() {
        guard let (loopback, length) = socketAddress(Authority(host: "127.0.0.1", port: 0)) else {
            return nil
        }
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { return nil }
        defer { close(listener) }
        var bound = loopback
        var size = length
        let listens = withUnsafeMutablePointer(to: &bound) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 8) == 0
                    && getsockname(listener, $0, &size) == 0
            }
        }
        guard listens else { return nil }
        address = Authority(host: "127.0.0.1", port: Int(peerText(bound).port))
        let parent = getpid()
        pid = fork()
        guard pid >= 0 else { return nil }
        guard pid == 0 else { return }
        clab_signals_reset()
        _ = clab_die_with_parent()
        if getppid() != parent { _exit(0) }
        while Self.serveOne(listener) {}
        _exit(0)
    }

    /// Answers what comes on the next connection; says whether there was one.
    private static func serveOne(_ listener: Int32) -> Bool {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return errno == EINTR }
        withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { room in
            // A rehearsed request comes in one piece.
            while recv(client, room.baseAddress, room.count, 0) > 0 {
                let sent = send(
                    client,
                    answer.utf8Start,
                    answer.utf8CodeUnitCount,
                    Int32(MSG_NOSIGNAL)
                )
                if sent < 0 { return }
            }
        }
        close(client)
        return true
    }

    /// Ends it, and waits for it.
    func end() {
        kill(pid, SIGKILL)
        while waitpid(pid, nil, 0) < 0, errno == EINTR {}
    }
}
