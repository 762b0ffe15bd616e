import LabExchange
import LabWire
import Testing

private let origin = ConnectionOrigin(
    connectionID: 7,
    peerAddress: Array("127.0.0.1".utf8),
    peerPort: 99,
    arrivedNs: 22,
    acceptedNs: 1,
    forkStartedNs: 2
)

private func decoded(_ bytes: [UInt8]) throws -> [Frame] {
    var found: [Frame] = []
    var gatherer = FrameGatherer()
    try bytes.withUnsafeBytes { try gatherer.take($0) { found.append($0) } }
    return found
}

@Suite struct FrameCodingTests {
    /// One of each, in one datagram.
    private func all() -> (FrameWriter, [Frame]) {
        var writer = FrameWriter()
        var environ = Environ()
        environ.add("A", Array("b".utf8))
        environ.add("wsgi.version", Array("[1,0]".utf8), as: .literal)
        var usage = ResourceUsage()
        usage.userCPUUs = 11
        usage.involuntarySwitches = 17
        let bent = [Deviation(.bareLineFeed, at: 14)]
        writer.childForked(origin, pid: 3, parentPID: 2, forkedNs: 4)
        writer.childStarted(origin, pid: 3, parentPID: 2, startedNs: 5, baselineRSSKiB: 6)
        writer.requestHead(
            7,
            1,
            startedNs: 8,
            headNs: 9,
            method: Array("GET".utf8),
            target: Array("/".utf8),
            minorVersion: 1,
            head: Array("GET /".utf8),
            environ: environ,
            deviations: bent
        )
        writer.requestContent(7, 1, [1, 2, 3])
        writer.requestEnd(7, 1, endedNs: 10)
        writer.environ(7, 1, environ)
        writer.applicationErrors(7, 1, [5, 6])
        writer.upstreamConnected(7, 1, atNs: 11)
        writer.responseHead(7, 1, startedNs: 12, status: 200, reason: Array("OK".utf8), head: [9])
        writer.responseContent(7, 1, [4])
        writer.exchangeEnd(
            7,
            1,
            endedNs: 13,
            outcome: .tunnel,
            error: "é",
            userCPUUs: 14,
            systemCPUUs: 15,
            deviations: bent,
            responseDeviations: bent
        )
        writer.childEnding(7, closedNs: 16, exitingNs: 17)
        writer.childReaped(
            7,
            pid: 3,
            waitStatus: 139,
            sigchldNs: 18,
            reapedNs: 19,
            usage: usage,
            fate: .signalled
        )
        writer.connectionOpened(origin, pid: 3)
        writer.connectionClosed(7, closedNs: 23)
        writer.serverEvent(.orphan, atNs: 20, pid: 21, detail: Array("{}".utf8))
        return (
            writer,
            [
                .childForked(origin: origin, pid: 3, parentPID: 2, forkedNs: 4),
                .childStarted(
                    origin: origin,
                    pid: 3,
                    parentPID: 2,
                    startedNs: 5,
                    baselineRSSKiB: 6
                ),
                .requestHead(
                    connectionID: 7,
                    sequence: 1,
                    startedNs: 8,
                    headNs: 9,
                    method: Array("GET".utf8),
                    target: Array("/".utf8),
                    minorVersion: 1,
                    head: Array("GET /".utf8),
                    environ: environ,
                    deviations: bent
                ),
                .requestContent(connectionID: 7, sequence: 1, bytes: [1, 2, 3]),
                .requestEnd(connectionID: 7, sequence: 1, endedNs: 10),
                .environ(connectionID: 7, sequence: 1, environ: environ),
                .applicationErrors(connectionID: 7, sequence: 1, bytes: [5, 6]),
                .upstreamConnected(connectionID: 7, sequence: 1, atNs: 11),
                .responseHead(
                    connectionID: 7,
                    sequence: 1,
                    startedNs: 12,
                    status: 200,
                    reason: Array("OK".utf8),
                    head: [9]
                ),
                .responseContent(connectionID: 7, sequence: 1, bytes: [4]),
                .exchangeEnd(
                    connectionID: 7,
                    sequence: 1,
                    endedNs: 13,
                    outcome: .tunnel,
                    error: "é",
                    userCPUUs: 14,
                    systemCPUUs: 15,
                    deviations: bent,
                    responseDeviations: bent
                ),
                .childEnding(connectionID: 7, closedNs: 16, exitingNs: 17),
                .childReaped(
                    connectionID: 7,
                    pid: 3,
                    waitStatus: 139,
                    sigchldNs: 18,
                    reapedNs: 19,
                    usage: usage,
                    fate: .signalled
                ),
                .connectionOpened(origin: origin, pid: 3),
                .connectionClosed(connectionID: 7, closedNs: 23),
                .serverEvent(kind: .orphan, atNs: 20, pid: 21, detail: Array("{}".utf8)),
            ]
        )
    }

    @Test func `what is written is what is read`() throws {
        let (writer, frames) = all()
        #expect(try decoded(writer.bytes) == frames)
    }

    @Test func `a head larger than a datagram travels in fragments, mixed with others`() throws {
        var writers: [FrameWriter] = []
        for connection in 1...2 as ClosedRange<Int64> {
            var writer = FrameWriter()
            writer.responseHead(
                connection,
                1,
                startedNs: 0,
                status: 200,
                reason: [],
                head: [UInt8](repeating: UInt8(connection), count: 200_000)
            )
            writers.append(writer)
        }
        var datagrams: [[[UInt8]]] = [[], []]
        for (index, writer) in writers.enumerated() {
            writer.forEachDatagram(of: Int64(index + 1)) { datagrams[index].append(Array($0)) }
            #expect(datagrams[index].allSatisfy { $0.count <= FrameWriter.mostBytes })
            #expect(datagrams[index].count > 1)
        }
        var gatherer = FrameGatherer()
        var found: [Int64: Int] = [:]
        for place in datagrams[0].indices {
            for source in datagrams.indices {
                try datagrams[source][place].withUnsafeBytes { bytes in
                    try gatherer.take(bytes) { frame in
                        guard case .responseHead(let id, _, _, _, _, let head) = frame else {
                            return
                        }
                        found[id] = head.count
                        #expect(head.allSatisfy { $0 == UInt8(id) })
                    }
                }
            }
        }
        #expect(found == [1: 200_000, 2: 200_000])
    }

    @Test func `a datagram that is cut short is an error and never a trap`() {
        let (writer, frames) = all()
        for length in 1..<writer.bytes.count {
            // A cut between two frames leaves whole ones; any other is found out.
            if let found = try? decoded(Array(writer.bytes.prefix(length))) {
                #expect(found == Array(frames.prefix(found.count)))
            }
        }
        #expect(throws: FrameError.self) { try decoded([200, 1, 2]) }
    }
}

@Suite struct RouteTests {
    @Test(arguments: [
        ("/", "/"), ("/items/42?q=1", "/items/{id}"), ("/a/b", "/a/b"),
        ("/u/123e4567-e89b-12d3-a456-426614174000/x", "/u/{uuid}/x"),
        ("/o/0123456789abcdef01", "/o/{hex}"),
        ("http://h:81/items/7", "http://h:81/items/{id}"), ("*", "*"), ("/v1/x", "/v1/x"),
    ])
    func `identifiers in a path are folded`(target: String, folded: String) {
        #expect(route(ofTarget: Array(target.utf8)) == folded)
    }
}
