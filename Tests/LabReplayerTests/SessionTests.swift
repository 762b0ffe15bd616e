// Captured connections become sessions, and sessions are sent in order.

import LabExchange
import LabWire
import Testing

@testable import LabReplayer

@Suite(.timeLimit(.minutes(1)))
struct SessionTests {
    /// The sessions of exchanges, as their numbers in the order in which they are sent.
    private func sessions(_ rule: SessionRule, _ exchanges: [CapturedExchange]) -> [[Int64]] {
        var settings = ReplaySettings(
            target: Authority(host: "a", port: 1),
            addresses: [],
            keepsHopByHop: true
        )
        settings.sessions = rule
        let plan = ReplayPlan(exchanges, settings)
        let table = SessionTable(plan.draft, settings)
        return table.sessions.map { session in
            (session.first..<session.end).map {
                plan.requests[Int(table.steps[$0].request)].exchangeID
            }
        }
    }

    private func made(
        _ id: Int64,
        _ connection: Int64,
        at startedNs: Int64,
        client: String = "10.0.0.1",
        cookie: String? = nil,
        sets: String? = nil
    ) -> CapturedExchange {
        .make(
            id,
            connection: connection,
            target: "/\(id)",
            fields: cookie.map { "Cookie: \($0)\r\n" } ?? "",
            answerFields: sets.map { "Set-Cookie: \($0)\r\n" },
            startedNs: startedNs,
            endedNs: startedNs + 5,
            client: client
        )
    }

    @Test func `a connection is a session, and the one that began first is sent first`() {
        let found = sessions(
            .connection,
            [made(1, 1, at: 50), made(2, 1, at: 60), made(3, 2, at: 10), made(4, 3, at: 20)]
        )
        #expect(found == [[3], [4], [1, 2]])
    }

    @Test func `connections of one address are a session while the gap is short`() {
        let found = sessions(
            .client(gapNs: 100),
            [
                made(1, 1, at: 0), made(2, 1, at: 300), made(3, 2, at: 100),
                made(4, 3, at: 406), made(5, 4, at: 350, client: "10.0.0.2"),
                made(6, 5, at: 405),
            ]
        )
        // The first ends at 305: what begins at 405 belongs to it, and what begins at 406 is no more
        // than 100 after that. Between the second's two connections lies another client.
        #expect(found == [[1, 3, 2, 6, 4], [5]])
        let apart = sessions(.client(gapNs: 99), [made(1, 1, at: 0), made(2, 2, at: 105)])
        #expect(apart == [[1], [2]])
    }

    @Test func `a cookie ties connections, though its value changes on the way`() {
        let found = sessions(
            .cookie(name: "sid"),
            [
                made(1, 1, at: 0, sets: "sid=a; Path=/; HttpOnly"),
                made(2, 2, at: 10, cookie: "x=1; sid=b"),
                made(3, 3, at: 20, cookie: "sid=a", sets: "sid=c"),
                made(4, 4, at: 30, cookie: "sid=c; y=2"),
                made(5, 5, at: 40, cookie: "sid=b"),
                made(6, 6, at: 50, cookie: "other=a; sid="),
            ]
        )
        #expect(found == [[1, 3, 4], [2, 5], [6]])
    }

    @Test func `what was pipelined at one instant keeps its order`() {
        let found = sessions(
            .connection,
            [made(1, 1, at: 9), made(2, 1, at: 9), made(3, 1, at: 8)]
        )
        #expect(found == [[1, 2, 3]])
    }

    /// One client with two connections by turns, as a browser has them.
    private let browser: [CapturedExchange] = [
        .make(1, connection: 1, target: "/1", startedNs: 10, client: "a"),
        .make(2, connection: 1, target: "/2", startedNs: 30, client: "a"),
        .make(3, connection: 1, target: "/3", startedNs: 50, client: "a"),
        .make(4, connection: 2, target: "/4", startedNs: 20, client: "a"),
        .make(5, connection: 2, target: "/5", startedNs: 40, client: "a"),
        .make(6, connection: 3, target: "/6", startedNs: 60, client: "b"),
    ]

    @Test(arguments: [
        (ConnectionUse.captured, [1, 2, 1, 2, 1, 3]), (.session, [1, 1, 1, 1, 1, 2]),
        (.shared, [1, 1, 1, 1, 1, 1]), (.perRequest, [1, 2, 3, 4, 5, 6]),
    ])
    func `requests go on the connections that were asked for, in the session's order`(
        use: ConnectionUse,
        connections: [Int]
    ) throws {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        let run = try server.replay(browser) {
            $0.sessions = .client(gapNs: 1000)
            $0.connections = use
            $0.concurrency = 1
        }
        // The server's own record: each request came when the one before was answered.
        #expect(server.log.map(\.target) == ["/1", "/4", "/2", "/5", "/3", "/6"])
        #expect(server.log.map(\.connection) == connections)
        #expect(server.log.allSatisfy { !$0.isPipelined })
        #expect(run.results.map { Int($0.connection) } == connections)
        #expect(run.summary.connectionsOpened == connections.max())
        #expect(run.summary.sessionsStarted == 2)
        #expect(run.summary.sessionsCompleted == 2)
    }

    @Test func `sessions over several connections keep their order while many are sent at once`()
        throws
    {
        let server = LoopbackServer { _ in [.send(response("hello"))] }
        var exchanges: [CapturedExchange] = []
        for connection in 0..<60 {
            for place in 0..<5 {
                let client = connection % 12
                let at = Int64(place * 100 + connection)
                exchanges.append(
                    .make(
                        Int64(exchanges.count + 1),
                        connection: Int64(connection),
                        target: "/\(client)/\(at)",
                        startedNs: at,
                        client: "\(client)"
                    )
                )
            }
        }
        let run = try server.replay(exchanges) {
            $0.sessions = .client(gapNs: 1000)
            $0.concurrency = 9
            $0.threads = 2
            $0.loops = 3
        }
        #expect(run.summary.ok == 900)
        #expect(run.summary.connectionsOpened == 180)
        #expect(run.summary.sessionsCompleted == 36)
        for client in 0..<12 {
            // Three passes of the client, which may be under way at the same time.
            let seen = run.results.filter { result in
                exchanges[Int(result.exchangeID) - 1].client == "\(client)"
            }
            for (_, pass) in Dictionary(grouping: seen, by: \.round) {
                let inOrder = pass.sorted { $0.sentNs < $1.sentNs }
                let at = inOrder.map { exchanges[Int($0.exchangeID) - 1].startedNs }
                #expect(at == at.sorted() && at.count == 25)
                #expect(zip(inOrder, inOrder.dropFirst()).allSatisfy { $0.doneNs <= $1.sentNs })
            }
        }
    }

    @Test func `a parked connection that the server closes is opened again`() throws {
        let server = LoopbackServer { seen in
            // The first connection is closed while the second one carries the session.
            seen.target == "/1" ? [.send(response("hello")), .close] : [.send(response("hello"))]
        }
        let run = try server.replay(Array(browser.prefix(5))) {
            $0.sessions = .client(gapNs: 1000)
            $0.concurrency = 1
        }
        #expect(run.summary.ok == 5)
        #expect(run.summary.connectionsOpened == 3)
    }
}
