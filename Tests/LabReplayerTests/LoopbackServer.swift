// A server that does as it is told, for one test: a port of its own, a thread per connection, and
// a log of what it was asked. It waits on events only, unless it is told to stand still.

import Glibc
import LabWire
import Synchronization

@testable import LabReplayer

/// A scripted server on a free loopback port.
final class LoopbackServer: Sendable {
    /// A request that came.
    struct Seen: Sendable {
        /// The server's number of the connection, from 1.
        var connection: Int
        /// The request's place on it, from 1.
        var place: Int
        var head: RequestHead
        var content: [UInt8]
        /// Whether more was sent before this request was answered.
        var isPipelined: Bool
        var target: String { String(decoding: head.target, as: UTF8.self) }
    }

    /// What is done about a request; after the last step the connection goes on.
    enum Step: Sendable {
        case send(String)
        /// One `send` per byte.
        case sendBytewise(String)
        /// Waits until as many requests wait at the same time.
        case gather(Int)
        /// Stands still for so many nanoseconds: what is tested where it is used.
        case stall(Int64)
        case close
        case reset
        /// Waits until the client closes.
        case hang
    }

    private struct State: Sendable {
        var log: [Seen] = []
        var connections: [PosixThread] = []
    }

    let port: Int
    private let listener: Int32
    private let state = Mutex(State())
    private let gathering = Gathering()
    private let answer: @Sendable (Seen) -> [Step]

    init(_ answer: @escaping @Sendable (Seen) -> [Step]) {
        self.answer = answer
        (listener, port) = boundSocket()
        listen(listener, 128)
    }

    /// Serves while `body` runs; then waits until all connections are closed.
    func serve<Value>(_ body: () throws -> Value) throws -> Value {
        let accepting = try PosixThread { self.acceptAll() }
        defer {
            shutdown(listener, Int32(SHUT_RDWR))
            accepting.join()
            state.withLock { $0.connections }.forEach { $0.join() }
            close(listener)
        }
        return try body()
    }

    /// All requests, in the order in which they came.
    var log: [Seen] { state.withLock { $0.log } }

    private func acceptAll() {
        var number = 0
        while true {
            let fd = accept(listener, nil, nil)
            guard fd >= 0 else { return }
            number += 1
            let connection = number
            guard let thread = try? PosixThread({ self.serveConnection(fd, connection) }) else {
                close(fd)
                continue
            }
            state.withLock { $0.connections.append(thread) }
        }
    }

    private func serveConnection(_ fd: Int32, _ connection: Int) {
        var reader = RequestReader()
        var place = 0
        var head: RequestHead?
        var content: [UInt8] = []
        while true {
            switch reader.next() {
            case .needsBytes:
                guard receive(fd, &reader) else {
                    close(fd)
                    return
                }
            case .head(let next):
                head = next
                content = []
                // Answered before its content was read.
                guard next.target.elementsEqual("/early".utf8) else { continue }
                let seen = Seen(
                    connection: connection,
                    place: place + 1,
                    head: next,
                    content: [],
                    isPipelined: false
                )
                for step in answer(seen) where !perform(step, fd, &reader) { return }
            case .content(let run):
                content.append(contentsOf: run)
            case .end:
                guard let head else { return }
                place += 1
                var byte: UInt8 = 0
                let waits = recv(fd, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) > 0
                let seen = Seen(
                    connection: connection,
                    place: place,
                    head: head,
                    content: content,
                    isPipelined: waits || reader.hasUnread
                )
                state.withLock { $0.log.append(seen) }
                for step in answer(seen) where !perform(step, fd, &reader) { return }
            case .refused, .closed:
                close(fd)
                return
            }
        }
    }

    private func receive(_ fd: Int32, _ reader: inout RequestReader) -> Bool {
        withUnsafeTemporaryAllocation(byteCount: 16384, alignment: 1) { room in
            let count = recv(fd, room.baseAddress, room.count, 0)
            guard count > 0 else { return false }
            reader.receive(UnsafeRawBufferPointer(rebasing: room[..<count]))
            return true
        }
    }

    /// False where the connection is over.
    private func perform(_ step: Step, _ fd: Int32, _ reader: inout RequestReader) -> Bool {
        switch step {
        case .send(let text):
            sendAll(fd, Array(text.utf8))
        case .sendBytewise(let text):
            text.utf8.forEach { sendAll(fd, [$0]) }
        case .gather(let count):
            gathering.wait(for: count)
        case .stall(let time):
            var time = timespec(
                tv_sec: Int(time / 1_000_000_000),
                tv_nsec: Int(time % 1_000_000_000)
            )
            nanosleep(&time, nil)
        case .hang:
            while receive(fd, &reader) {}
            close(fd)
            return false
        case .reset:
            var linger = linger(l_onoff: 1, l_linger: 0)
            setsockopt(
                fd,
                SOL_SOCKET,
                SO_LINGER,
                &linger,
                socklen_t(MemoryLayout.size(ofValue: linger))
            )
            close(fd)
            return false
        case .close:
            close(fd)
            return false
        }
        return true
    }

    private func sendAll(_ fd: Int32, _ bytes: [UInt8]) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                send(fd, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// Requests that wait for each other.
private final class Gathering: @unchecked Sendable {
    // Unchecked: all is touched under the lock only.
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let changed = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var waiting = 0
    private var generation = 0

    init() {
        pthread_mutex_init(lock, nil)
        pthread_cond_init(changed, nil)
    }

    deinit {
        lock.deallocate()
        changed.deallocate()
    }

    func wait(for count: Int) {
        pthread_mutex_lock(lock)
        defer { pthread_mutex_unlock(lock) }
        waiting += 1
        if waiting == count {
            waiting = 0
            generation += 1
            pthread_cond_broadcast(changed)
            return
        }
        let mine = generation
        while generation == mine { pthread_cond_wait(changed, lock) }
    }
}

/// A socket that is bound to a free loopback port, and does not listen.
func boundSocket() -> (fd: Int32, port: Int) {
    let fd = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    withUnsafeMutablePointer(to: &address) {
        $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            _ = bind(fd, $0, length)
            _ = getsockname(fd, $0, &length)
        }
    }
    return (fd, Int(UInt16(bigEndian: address.sin_port)))
}
