// What a reader says of a session that holds one of everything.

import GRDB
import Glibc
import LabExchange
import LabSession
import Testing

@Suite struct `Reading a session` {
    @Test func `a report counts every exchange, connection and child`() throws {
        let report = try ReaderFixture().read { try $0.report() }
        #expect(report.traffic.exchanges == 9)
        #expect(report.traffic.errors == 5)
        #expect(report.recordings.map(\.connections) == [8])
        #expect(report.recordings.map(\.emptyConnections) == [1])
        #expect(report.children.count == 8)
        #expect(report.children.exits.reduce(0) { $0 + $1.count } == 8)
    }

    @Test func `a death is joined to the request that the child was serving`() throws {
        let deaths = try ReaderFixture().read { try $0.report() }.children.deaths
        #expect(deaths.map(\.exchangeID) == [4, 5, 9])
        #expect(deaths.map(\.signalName) == ["SIGSEGV", nil, "SIGKILL"])
        #expect(deaths.map(\.target) == ["/crash/11", "/exit/0", "/spin/9000"])
    }

    @Test func `a child that died between requests is not blamed on the last one`() throws {
        let fixture = try ReaderFixture(
            "UPDATE child SET term_signal = 15, exit_code = NULL, fate = 'signalled' WHERE pid = 4001"
        )
        let deaths = try fixture.read { try $0.report() }.children.deaths
        #expect(deaths.count == 4)
        #expect(deaths.last?.signalName == "SIGTERM")
        #expect(deaths.last?.exchangeID == nil)
    }

    @Test func `percentiles of a thousand exchanges are exact`() throws {
        let fixture = try ReaderFixture(ReaderFixture.many(1000))
        let routes = try fixture.read { try $0.report() }.traffic.routes
        let items = try #require(routes.first)
        #expect(items.route == "/items/{id}")
        #expect(items.count == 1000)
        #expect(items.latencyNs.p50 == 500_000)
        #expect(items.latencyNs.p90 == 900_000)
        #expect(items.latencyNs.p99 == 990_000)
        #expect(items.latencyNs.p999 == nil)
        #expect(items.latencyNs.max == 1_000_000)
        #expect(items.cpuUs.p50 == 500)
    }

    @Test func `zombies are counted with both bounds of their life`() throws {
        let zombies = try ReaderFixture().read { try $0.report() }.zombies
        #expect(zombies.atLeastNs.count == 5)
        #expect(zombies.atLeastNs.max == 2_500_000_000)
        #expect(zombies.atMostNs.count == 2)
        #expect(zombies.atMostNs.max == 2_500_400_000)
        #expect(zombies.left == 1)
        #expect(zombies.longest.first?.pid == 4007)
        #expect(zombies.signals == 6)
        #expect(zombies.reapedForSignals == 6)
        #expect(zombies.mostAtOnce == 2)
    }

    @Test func `a replay's percentiles are those of its merged shards`() throws {
        let fixture = try ReaderFixture()
        let reader = try SessionReader(fixture.path)
        let run = try reader.run("after")
        #expect(run.run.id == 2)
        #expect(run.run.requests == 3)
        #expect(run.run.errors == 1)
        #expect(run.run.mismatches == 3)
        #expect(run.run.latencyNs.count == 1515)
        #expect(run.run.latencyNs.p99 == 400_000)
        #expect(run.run.latencyNs.max == 9_000_000)
        #expect(run.mismatches.map(\.reason) == ["status", "body"])
        #expect(run.failures.map(\.outcome) == ["reset"])
        #expect(try reader.run("2") == run)
    }

    @Test func `a run that is not there is an error that names it`() throws {
        let fixture = try ReaderFixture()
        let reader = try SessionReader(fixture.path)
        #expect(throws: SessionError.noSuchRun(name: "9", path: fixture.path)) {
            try reader.run("9")
        }
    }

    @Test func `an exchange comes with its bodies, environ, deviations and child`() throws {
        let fixture = try ReaderFixture()
        let reader = try SessionReader(fixture.path)
        let first = try reader.exchange(1)
        #expect(
            first.responseBody.map { String(decoding: $0.bytes, as: UTF8.self) } == "Hello, World!"
        )
        #expect(first.environ.first?.name == "REQUEST_METHOD")
        let path = first.environ.first { $0.name == "PATH_INFO" }
        #expect(path?.value == "/caf\u{C3}\u{A9}", "a code point is a byte")
        #expect(first.environ.last?.value == "true")
        #expect(first.connection?.exchanges == 3)
        #expect(first.connection?.acceptedAt == "2026-11-25 15:53:56.260")
        #expect(first.child?.pid == 4001)
        #expect(first.phases.map(\.phase) == [.queue, .fork, .head, .body, .wait, .answer, .total])
        let bad = try reader.exchange(8)
        #expect(bad.deviations.map(\.offset) == [14, 19])
        #expect(bad.environ.isEmpty)
    }

    @Test func `an exchange that is not there is an error that names it`() throws {
        let fixture = try ReaderFixture()
        let reader = try SessionReader(fixture.path)
        #expect(throws: SessionError.noSuchExchange(id: 99, path: fixture.path)) {
            try reader.exchange(99)
        }
    }

    @Test func `captured exchanges come in order and share their bodies`() throws {
        let captured = try ReaderFixture().read { try $0.capturedExchanges() }
        #expect(captured.map(\.id) == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(captured[2].requestBody == captured[2].responseBody)
        let addresses = [captured[2].requestBody, captured[2].responseBody].map { body in
            body?.bytes.withUnsafeBytes { $0.baseAddress }
        }
        #expect(addresses[0] == addresses[1])
        #expect(captured[6].responseBody?.isTruncated == true)
        #expect(captured[5].outcome == .childDied, "an exchange that has no end yet")
    }

    @Test func `a session without exchanges has nothing to replay`() throws {
        let fixture = try ReaderFixture("DELETE FROM exchange")
        let reader = try SessionReader(fixture.path)
        #expect(throws: SessionError.nothingToReplay(path: fixture.path)) {
            try reader.capturedExchanges()
        }
        #expect(try reader.report().traffic.exchanges == 0)
    }

    @Test func `values of the wrong type read as none`() throws {
        let fixture = try ReaderFixture(
            """
            UPDATE exchange SET status = 'x', started_ns = x'00', environ = 'no JSON' WHERE id = 1;
            UPDATE child SET pid = 1.5, fate = x'ff' WHERE connection_id = 1;
            UPDATE server_event SET detail = '[';
            UPDATE replay_run SET summary = '{"requests":"many"}';
            """
        )
        let reader = try SessionReader(fixture.path)
        #expect(try reader.exchange(1).summary.status == nil)
        #expect(try reader.report().traffic.exchanges == 9)
    }
}
