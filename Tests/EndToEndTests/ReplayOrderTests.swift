import Foundation
import LabTestSupport
import Testing

/// The sample sessions sent by a hundred at once: what the target got on each connection, by its own log.
@Suite struct ReplayOrderTests {
    /// The requests of each connection in order, `METHOD TARGET`; connections in no order of their own.
    private typealias Connections = [[String]]

    /// Lines of a connection's number, a tab, and a request.
    private func connections(_ lines: some StringProtocol) -> Connections {
        var requests: [Substring: [String]] = [:]
        for line in lines.split(separator: "\n") {
            let parts = Substring(line).split(separator: "\t", maxSplits: 1)
            guard parts.count == 2 else { continue }
            // A proxy's client names the host as well, which the target does not see.
            let request = parts[1].replacing("http://127.0.0.1:28018/", with: "/")
            requests[parts[0], default: []].append(String(request))
        }
        return sorted(Array(requests.values))
    }

    private func sorted(_ connections: Connections) -> Connections {
        connections.sorted { $0.lexicographicallyPrecedes($1) }
    }

    private struct Sent {
        var captured: Connections
        var got: Connections
        var requests: Int
        var errors: Int
    }

    /// Replays a sample at a server that answers nobody until so many connections are open.
    private func replay(_ name: String, together: Int, _ options: [String] = []) throws -> Sent {
        let session = try Place.temporary().appendingPathComponent("session.db")
        try FileManager.default.copyItem(
            at: Place.package.appendingPathComponent("Sessions/\(name).db"),
            to: session
        )
        let server = try Tool([
            "python3", WSGIApplications.folder + "/order-log.py", "\(together)",
        ])
        let line = try #require(server.outputLine(with: "listening on "))
        let port = line.split(separator: " ").last ?? ""
        let end = try Tool(
            [
                Place.lab, "replay", session.path, "--target", "http://127.0.0.1:\(port)",
                "--concurrency", "100", "--json",
            ] + options
        ).finish()
        // It has inherited what the threads of tests block.
        server.signal(SIGKILL)
        struct Totals: Decodable {
            var requests: Int
            var errors: Int
        }
        let totals = try JSONDecoder().decode(Totals.self, from: Data(end.output.utf8))
        return Sent(
            captured: connections(
                try LabRecord.sql(
                    session.path,
                    "SELECT connection_id || char(9) || method || ' ' || target FROM exchange ORDER BY connection_id, sequence"
                )
            ),
            got: connections(server.finish().output),
            requests: totals.requests,
            errors: totals.errors
        )
    }

    @Test(arguments: [("httpbin", 153, 118, 100), ("browser", 52, 6, 6)])
    func
        `every connection gets its captured requests in their order, a hundred connections at once`(
            name: String,
            requests: Int,
            connections: Int,
            together: Int
        ) throws
    {
        let sent = try replay(name, together: together)
        #expect(sent.requests == requests && sent.errors == 0)
        #expect(sent.captured.count == connections)
        #expect(sent.got == sent.captured)

        // That the comparison sees what it is for: any two neighbours, the other way round.
        for (place, requests) in sent.got.enumerated() {
            for next in requests.indices.dropFirst()
            where requests[next] != requests[next - 1] {
                var shuffled = sent.got
                shuffled[place].swapAt(next, next - 1)
                #expect(sorted(shuffled) != sent.captured)
            }
        }
    }

    @Test func `requests that take whichever connection is free are found out`() throws {
        let sent = try replay("httpbin", together: 100, ["--connections", "per-request"])
        #expect(sent.requests == 153 && sent.errors == 0)
        #expect(sent.got.joined().sorted() == sent.captured.joined().sorted())
        #expect(sent.got != sent.captured)
    }
}
