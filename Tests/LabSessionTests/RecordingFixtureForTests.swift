// What the tests of recording share: a session that is written to, and visits that become frames.
//
// Every instant and number of a visit follows from its connection's, so that a row with a value in
// the wrong column, or of the wrong connection, is seen.

import Foundation
import GRDB
import LabExchange
import LabSession
import LabWire

/// A folder that is gone when the test is over, with a session that is open for writing.
final class RecordingFixture {
    let folder: URL
    let file: SessionFile
    var path: String { file.path }

    /// Makes the session.
    ///
    /// - Throws: What the file system or SQLite has against it.
    init() throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("lab-recording-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        file = try SessionFile.create(folder.appendingPathComponent("session.db").path)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Begins a recording.
    func record(mostStoredBody: Int = 1 << 20, anchorNs: Int64 = 1) throws -> RecordingWriter {
        let facts = RecordingFacts(
            startedAt: "2026-11-25T15:53:56.250Z",
            anchorNs: anchorNs,
            host: "127.0.0.1",
            port: 8888,
            mode: "builtin",
            upstream: nil,
            reap: "drain",
            commandLine: "lab record",
            labVersion: "0.1.0"
        )
        return try RecordingWriter(file, facts, mostStoredBody: mostStoredBody)
    }

    /// The rows of a query, each as one line.
    func lines(_ sql: String) throws -> [String] {
        try file.queue.read { db in try rowLines(db, sql) }
    }

    /// Every row of every table, each as one line, in an order that does not depend on how they came.
    func dump() throws -> [String] {
        let tables = try lines("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        return try tables.flatMap { table in
            try lines("SELECT * FROM \(table)").sorted().map { "\(table): \($0)" }
        }
    }
}

/// The rows of a query, each as one line: `-` for NULL, blobs in hexadecimal.
func rowLines(_ db: Database, _ sql: String) throws -> [String] {
    try Row.fetchAll(db, sql: sql).map { row in
        row.databaseValues.map { value in
            switch value.storage {
            case .null: "-"
            case .int64(let number): "\(number)"
            case .double(let number): "\(number)"
            case .string(let text): text
            case .blob(let data): data.map { String(format: "%02x", $0) }.joined()
            }
        }.joined(separator: " ")
    }
}

extension RecordingWriter {
    /// Takes frames, and says what came of them.
    @discardableResult
    func take(_ frames: [Frame]) -> [RecordingNews] { frames.compactMap { take($0) } }
}

/// One request of a visit, and its answer.
struct Asking {
    var sequence: Int32 = 1
    var method = "POST"
    var target = "/items/7?all"
    var head: String { "\(method) \(target) HTTP/1.1\r\nHost: a\r\n\r\n" }
    /// The request's content, piece by piece.
    var content: [String] = []
    /// The answer's content, piece by piece.
    var answer = ["Hello, World!"]
    var outcome = ExchangeOutcome.ok
    var error = ""
    var deviations: [Deviation] = []
    /// Deviations that are met when the head is long over.
    var lateDeviations: [Deviation] = []
}

/// One connection and its child, as frames.
struct Visit {
    let connection: Int64

    var pid: Int32 { 4000 + Int32(connection) }
    var origin: ConnectionOrigin {
        ConnectionOrigin(
            connectionID: connection,
            peerAddress: Array("127.0.0.1".utf8),
            peerPort: UInt16(50_000 + connection % 10_000),
            arrivedNs: at(0),
            acceptedNs: at(1),
            forkStartedNs: at(2)
        )
    }
    var forked: Frame { .childForked(origin: origin, pid: pid, parentPID: 4000, forkedNs: at(3)) }
    var started: Frame {
        .childStarted(
            origin: origin,
            pid: pid,
            parentPID: 4000,
            startedNs: at(4),
            baselineRSSKiB: 3000 + connection
        )
    }
    var ending: Frame {
        .childEnding(connectionID: connection, closedNs: at(900), exitingNs: at(901))
    }
    var usage: ResourceUsage {
        var usage = ResourceUsage()
        usage.userCPUUs = connection + 1
        usage.systemCPUUs = connection + 2
        usage.maxRSSKiB = connection + 3
        usage.minorFaults = connection + 4
        usage.majorFaults = connection + 5
        usage.voluntarySwitches = connection + 6
        usage.involuntarySwitches = connection + 7
        return usage
    }

    /// An instant of this connection's.
    func at(_ ns: Int64) -> Int64 { connection * 1_000_000 + ns }

    /// An instant of one of its exchanges.
    func at(_ sequence: Int32, _ ns: Int64) -> Int64 { at(Int64(sequence) * 100 + ns) }

    func reaped(_ waitStatus: Int32 = 0, _ fate: ChildFate = .exited) -> Frame {
        .childReaped(
            connectionID: connection,
            pid: pid,
            waitStatus: waitStatus,
            sigchldNs: at(902),
            reapedNs: at(903),
            usage: usage,
            fate: fate
        )
    }

    /// The frames of one exchange; the last one ends it.
    func frames(_ asking: Asking = Asking()) -> [Frame] {
        let sequence = asking.sequence
        var environ = Environ()
        environ.add("REQUEST_METHOD", Array(asking.method.utf8))
        var frames: [Frame] = [
            .requestHead(
                connectionID: connection,
                sequence: sequence,
                startedNs: at(sequence, 1),
                headNs: at(sequence, 2),
                method: Array(asking.method.utf8),
                target: Array(asking.target.utf8),
                minorVersion: 1,
                head: Array(asking.head.utf8),
                environ: environ,
                deviations: asking.deviations
            )
        ]
        frames += asking.content.map {
            .requestContent(connectionID: connection, sequence: sequence, bytes: Array($0.utf8))
        }
        frames += [
            .requestEnd(connectionID: connection, sequence: sequence, endedNs: at(sequence, 3)),
            .upstreamConnected(connectionID: connection, sequence: sequence, atNs: at(sequence, 4)),
            .responseHead(
                connectionID: connection,
                sequence: sequence,
                startedNs: at(sequence, 5),
                status: 200,
                reason: Array("OK".utf8),
                head: Array("HTTP/1.1 200 OK\r\n\r\n".utf8)
            ),
        ]
        frames += asking.answer.map {
            .responseContent(connectionID: connection, sequence: sequence, bytes: Array($0.utf8))
        }
        frames.append(
            .exchangeEnd(
                connectionID: connection,
                sequence: sequence,
                endedNs: at(sequence, 6),
                outcome: asking.outcome,
                error: asking.error,
                userCPUUs: at(sequence, 7),
                systemCPUUs: at(sequence, 8),
                deviations: asking.lateDeviations,
                responseDeviations: []
            )
        )
        return frames
    }

    /// The whole visit of a child that answers and leaves.
    func whole(_ askings: Asking...) -> [Frame] {
        [forked, started] + askings.flatMap { frames($0) } + [ending, reaped()]
    }
}
