// What is answered, against what was captured, over real sockets.

import Crypto
import LabExchange
import LabWire
import Testing

@testable import LabReplayer

@Suite(.timeLimit(.minutes(1)))
struct AnswerTests {
    @Test func `another status does not match`() throws {
        let server = LoopbackServer { _ in [.send(response("hello", status: 500))] }
        let run = try server.replay([.make(1)])
        #expect(run.results.map(\.status) == [500])
        #expect(run.results.map(\.matches) == [false])
        #expect(run.results.map(\.differingBody) == [nil])
        #expect(run.summary.ok == 1)
        #expect(run.summary.mismatches == 1)
        #expect(run.summary.byStatus == [500: 1])
    }

    @Test(arguments: ["hellx", "hell", "hello!", "", "something else"])
    func `another content does not match, and is kept`(content: String) throws {
        let server = LoopbackServer { _ in [.send(response(content))] }
        let run = try server.replay([.make(1)])
        let bytes = Array(content.utf8)
        #expect(
            run.results.map(\.differingBody) == [
                DifferingBody(
                    digest: Array(SHA256.hash(data: bytes)),
                    size: Int64(bytes.count),
                    bytes: bytes
                )
            ]
        )
        #expect(run.summary.mismatches == 1)
    }

    @Test func `no more of a differing content is kept than is wanted`() throws {
        let server = LoopbackServer { _ in [.send(response("hello world"))] }
        let run = try server.replay([.make(1)]) { $0.mostBodyBytes = 7 }
        #expect(run.results.first?.differingBody?.bytes == Array("hello w".utf8))
        #expect(run.results.first?.differingBody?.size == 11)
    }

    @Test func `no content and empty content are the same`() throws {
        let server = LoopbackServer { _ in [.send(response(""))] }
        let run = try server.replay([.make(1, answer: nil), .make(2, answer: "")])
        #expect(run.results.map(\.matches) == [true, true])
    }

    @Test func `a capture that was cut matches by its digest`() throws {
        let whole = String(repeating: "abc", count: 100)
        let server = LoopbackServer { seen in
            [.send(response(seen.target == "/same" ? whole : whole.dropLast() + "X"))]
        }
        var same = CapturedExchange.make(1, target: "/same")
        var other = CapturedExchange.make(2, target: "/other")
        same.responseBody = .make(whole, kept: 10)
        other.responseBody = .make(whole, kept: 10)
        let run = try server.replay([same, other])
        #expect(run.results.map(\.matches) == [true, false])
        #expect(run.results.last?.differingBody?.size == 300)
    }

    @Test(arguments: ["hello", "other"])
    func `chunked content is compared without its framing`(captured: String) throws {
        let answer =
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
        let server = LoopbackServer { _ in [.send(answer)] }
        let run = try server.replay([.make(1, answer: captured), .make(2, answer: captured)])
        #expect(run.results.map(\.matches) == [captured == "hello", captured == "hello"])
        #expect(run.summary.connectionsOpened == 1)
    }

    @Test func `content without a length ends where the connection does`() throws {
        let server = LoopbackServer { _ in [.send("HTTP/1.1 200 OK\r\n\r\nhello"), .close] }
        let run = try server.replay([.make(1), .make(2, answer: "hell")])
        #expect(run.results.map(\.outcome) == [.ok, .ok])
        #expect(run.results.map(\.matches) == [true, false])
        #expect(run.summary.connectionsOpened == 2)
    }

    @Test func `a response that comes byte by byte is one response`() throws {
        let answers = [
            response("hello"), response("hello", fields: "Connection: close\r\n"),
            "HTTP/1.1 200 OK\nContent-Length: 5\n\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nA: b\r\n\r\n",
        ]
        let server = LoopbackServer { seen in
            let place = Int(seen.target.dropFirst()) ?? 0
            return [.sendBytewise(answers[place])] + (place == 1 ? [.close] : [])
        }
        let run = try server.replay((0..<4).map { .make(Int64($0), target: "/\($0)") })
        #expect(run.results.map(\.matches) == [true, true, true, true])
        #expect(run.summary.connectionsOpened == 2)
    }

    @Test func `large content is compared as it streams`() throws {
        let large = String(repeating: "0123456789abcdef", count: 1 << 16)
        let server = LoopbackServer { seen in
            [.send(response(seen.target == "/same" ? large : large.dropLast() + "!"))]
        }
        let run = try server.replay([
            .make(1, target: "/same", answer: large), .make(2, target: "/other", answer: large),
            .make(3, target: "/same", answer: large),
        ])
        #expect(run.results.map(\.matches) == [true, false, true])
        #expect(run.results[1].differingBody?.bytes == Array((large.dropLast() + "!").utf8))
        #expect(run.summary.connectionsOpened == 1)
    }

    @Test func `a response to HEAD has no content, whatever its fields say`() throws {
        let server = LoopbackServer { seen in
            let isHead = seen.head.method.elementsEqual("HEAD".utf8)
            let head = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
            return [.send(isHead ? head : response("hello"))]
        }
        let run = try server.replay([.make(1, method: "HEAD", answer: nil), .make(2)])
        #expect(run.results.map(\.matches) == [true, true])
        #expect(run.summary.connectionsOpened == 1)
    }

    @Test(arguments: [204, 304])
    func `a status without content ends at its head`(status: Int) throws {
        let server = LoopbackServer { _ in [.send("HTTP/1.1 \(status) Any\r\n\r\n")] }
        let exchanges = (1...2).map { CapturedExchange.make($0, status: status, answer: nil) }
        let run = try server.replay(exchanges)
        #expect(run.results.map(\.matches) == [true, true])
        #expect(run.summary.connectionsOpened == 1)
    }

    @Test func `interim responses are passed over, and content is sent without waiting`() throws {
        let server = LoopbackServer { seen in
            [
                .send("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\n"),
                .send(response(String(decoding: seen.content, as: UTF8.self))),
            ]
        }
        let run = try server.replay([
            .make(
                1,
                method: "POST",
                fields: "Expect: 100-continue\r\nContent-Length: 5\r\n",
                content: .make("hello")
            ),
            .make(2),
        ])
        #expect(run.results.map(\.outcome) == [.ok, .ok])
        #expect(run.results.first?.matches == true)
        #expect(server.log.first?.content == Array("hello".utf8))
    }

    @Test func `content is sent with the framing that it was captured with`() throws {
        let server = LoopbackServer { seen in
            [.send(response(String(decoding: seen.content, as: UTF8.self)))]
        }
        let run = try server.replay([
            .make(
                1,
                method: "POST",
                fields: "Content-Length: 5\r\n",
                content: .make("hello")
            ),
            .make(
                2,
                method: "POST",
                fields: "Transfer-Encoding: chunked\r\n",
                content: .make("hello")
            ),
            .make(3, method: "POST", fields: "Transfer-Encoding: chunked\r\n", answer: nil),
        ])
        #expect(run.results.map(\.matches) == [true, true, true])
        #expect(server.log.map { $0.head.framing } == [.length(5), .chunked, .chunked])
    }

    @Test func `a request that is larger than the socket's buffer is sent whole`() throws {
        let large = String(repeating: "0123456789abcdef", count: 1 << 18)
        let bytes = Array(large.utf8)
        let server = LoopbackServer { seen in [.send(response("\(seen.content == bytes)"))] }
        let run = try server.replay([
            .make(
                1,
                method: "POST",
                fields: "Content-Length: \(large.utf8.count)\r\n",
                content: .make(large),
                answer: "true"
            ),
            .make(2, answer: "false"),
        ])
        #expect(run.results.map(\.matches) == [true, true])
        #expect(run.summary.connectionsOpened == 1)
    }
}
