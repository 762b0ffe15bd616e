// Servers that fail, in each way that has a name.

import Glibc
import Histogram
import LabExchange
import LabWire
import Testing

@testable import LabReplayer

@Suite(.timeLimit(.minutes(1)))
struct FailureTests {
    @Test func `a target where nobody listens refuses`() throws {
        let (fd, port) = boundSocket()
        defer { close(fd) }
        let replayer = Replayer(
            exchanges: [.make(1), .make(2), .make(3, status: nil, answer: nil)],
            settings: try .make(port: port)
        )
        let run = try replayer.runToEnd()
        #expect(run.results.map(\.outcome) == [.refused, .refused, .refused])
        // What was never sent was never left without an answer.
        #expect(run.results.map(\.matches) == [false, false, false])
        #expect(run.results.map(\.connection) == [0, 0, 0])
        #expect(run.summary.errors == 3)
        #expect(run.summary.targetNeverAnswered)
    }

    @Test func `a slot that was refused rests before it tries again`() throws {
        let (fd, port) = boundSocket()
        defer { close(fd) }
        var settings = try ReplaySettings.make(port: port)
        settings.requests = 5
        let run = try Replayer(exchanges: (1...5).map { .make($0) }, settings: settings).runToEnd()
        for (before, after) in zip(run.results, run.results.dropFirst()) {
            #expect(after.intendedNs - before.doneNs >= Worker.restNs)
        }
    }

    @Test func `the next address is tried where the first one refuses`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let run = try server.replay((1...3).map { .make($0) }) { settings in
            let closed = try? ReplaySettings.resolve(.init(host: "::1", port: server.port))
            settings.addresses = (closed ?? []) + settings.addresses
        }
        #expect(run.summary.ok == 3)
        #expect(run.summary.connectionsOpened == 1)
    }

    @Test func `a server that closes after each response is connected to again`() throws {
        let server = LoopbackServer { _ in [.send(response("hello")), .close] }
        let run = try server.replay((1...20).map { .make($0) })
        #expect(run.summary.ok == 20)
        #expect(run.summary.errors == 0)
        #expect(run.summary.mismatches == 0)
        #expect(run.summary.connectionsOpened >= 20)
        #expect(server.log.count == 20)
    }

    @Test func `a server that says close is believed`() throws {
        let server = LoopbackServer { _ in
            [.send(response("hello", fields: "Connection: close\r\n")), .hang]
        }
        let run = try server.replay((1...5).map { .make($0) })
        #expect(run.summary.ok == 5)
        #expect(run.results.map(\.connection) == [1, 2, 3, 4, 5])
    }

    @Test func `a captured request that says close is followed`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let run = try server.replay([
            .make(1), .make(2, fields: "Connection: close\r\n"), .make(3),
        ])
        #expect(run.results.map(\.connection) == [1, 1, 2])
    }

    @Test func `a request on a connection that was closed is sent again once, not twice`() throws {
        let server = LoopbackServer { seen in
            seen.target == "/bad" ? [.close] : [.send(response("hello"))]
        }
        let run = try server.replay([
            .make(1), .make(2, target: "/bad"), .make(3, target: "/bad"), .make(4),
        ])
        #expect(run.results.map(\.outcome) == [.ok, .reset, .reset, .ok])
        // The second one met a new connection, which had no excuse.
        #expect(server.log.map(\.target) == ["/", "/bad", "/bad", "/bad", "/"])
        #expect(run.summary.requests == 4)
    }

    @Test func `a reset is an error, and the next request has a new connection`() throws {
        let server = LoopbackServer { seen in
            seen.target == "/bad" ? [.reset] : [.send(response("hello"))]
        }
        let run = try server.replay([.make(1, target: "/bad"), .make(2)])
        #expect(run.results.map(\.outcome) == [.reset, .ok])
        #expect(run.results.map(\.status) == [0, 200])
        #expect(run.results.map(\.matches) == [false, true])
        #expect(run.summary.histogram.totalCount == 1)
        #expect(run.summary.byOutcome == [.reset: 1, .ok: 1])
    }

    @Test func `a server that hangs meets the timeout`() throws {
        let server = LoopbackServer { seen in
            switch seen.target {
            case "/silent": [.hang]
            case "/slow": [.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"), .hang]
            default: [.send(response("hello"))]
            }
        }
        let run = try server.replay([
            .make(1, target: "/silent"), .make(2, target: "/slow"), .make(3),
        ]) { $0.timeoutNs = 200_000_000 }
        #expect(run.results.map(\.outcome) == [.timeout, .timeout, .ok])
        #expect(run.results.map(\.status) == [0, 200, 200])
        #expect(run.results[1].differingBody?.bytes == Array("hel".utf8))
        #expect(
            run.results.allSatisfy { $0.outcome == .ok || $0.doneNs - $0.sentNs >= 200_000_000 }
        )
        #expect(run.summary.errors == 2)
    }

    @Test func `a connection that does not open meets its own timeout`() throws {
        let (fd, port) = boundSocket()
        defer { close(fd) }
        // A queue of one that nobody empties: further connections never open.
        listen(fd, 0)
        var settings = try ReplaySettings.make(port: port)
        settings.timeoutNs = 200_000_000
        settings.connectTimeoutNs = 200_000_000
        let exchanges = (1...6).map {
            CapturedExchange.make($0, connection: $0, status: nil, answer: nil)
        }
        let run = try Replayer(exchanges: exchanges, settings: settings).runToEnd()
        #expect(run.results.allSatisfy { $0.outcome == .timeout })
        #expect(run.results.contains { $0.connection == 0 })
        #expect(run.results.allSatisfy { $0.matches == ($0.connection > 0) })
    }

    @Test(arguments: [
        "SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nA: \u{1}\r\nContent-Length: 5\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "HTTP/1.1 2",
    ])
    func `what is no response is malformed`(garbage: String) throws {
        let server = LoopbackServer { seen in
            seen.target == "/bad" ? [.send(garbage), .close] : [.send(response("hello"))]
        }
        let run = try server.replay([.make(1, target: "/bad"), .make(2)])
        #expect(run.results.map(\.outcome) == [.malformed, .ok])
        #expect(run.summary.mismatches == 1)
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n50\r\nhello",
    ])
    func `a response that ends inside its content is truncated`(text: String) throws {
        let server = LoopbackServer { _ in [.send(text), .close] }
        let run = try server.replay([.make(1)])
        #expect(run.results.map(\.outcome) == [.truncated])
        #expect(run.results.map(\.status) == [200])
        #expect(run.results.map(\.matches) == [false])
    }

    @Test func `bytes that answer no request cost the connection, not the next answer`() throws {
        let server = LoopbackServer { _ in [.send(response("hello") + "HTTP/1.1 500 No\r\n\r\n")] }
        let run = try server.replay([.make(1), .make(2)])
        #expect(run.results.map(\.matches) == [true, true])
        #expect(run.results.map(\.connection) == [1, 2])
    }

    @Test func `no answer matches where none was captured`() throws {
        let server = LoopbackServer { seen in seen.target == "/dies" ? [.close] : [.reset] }
        let run = try server.replay([
            .make(1, target: "/dies", status: nil, answer: nil, outcome: .childDied),
            .make(2, target: "/reset", status: nil, answer: nil, outcome: .childDied),
        ])
        #expect(run.results.map(\.outcome) == [.reset, .reset])
        #expect(run.results.map(\.matches) == [true, true])
        #expect(run.summary.mismatches == 0)
        #expect(!run.summary.targetNeverAnswered)
    }

    @Test func `an answer does not match where none was captured`() throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let run = try server.replay([.make(1, status: nil, answer: nil, outcome: .childDied)])
        #expect(run.results.map(\.outcome) == [.ok])
        #expect(run.results.map(\.matches) == [false])
        #expect(run.results.first?.differingBody?.bytes == Array("hello".utf8))
        #expect(run.summary.mismatches == 1)
    }

    @Test(arguments: [true, false])
    func `an answer that comes before the whole request was sent counts`(closes: Bool) throws {
        let large = String(repeating: "0123456789abcdef", count: 1 << 20)
        let server = LoopbackServer { seen in
            guard seen.target == "/early" else { return [.send(response("hello"))] }
            return [.send(response("too large", status: 413)), closes ? .close : .hang]
        }
        let run = try server.replay([
            .make(
                1,
                method: "POST",
                target: "/early",
                fields: "Content-Length: \(large.utf8.count)\r\n",
                content: .make(large),
                status: 413,
                answer: "too large"
            ), .make(2),
        ])
        #expect(run.results.map(\.outcome) == [.ok, .ok])
        #expect(run.results.map(\.matches) == [true, true])
        #expect(run.results.map(\.connection) == [1, 2])
    }
}
