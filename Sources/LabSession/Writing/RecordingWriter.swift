// The one writer of a recording: frames in, rows out, a commit at least every 50 ms.

import GRDB
public import LabExchange

/// What is known of a recording when it begins.
public struct RecordingFacts: Sendable {
    /// The wall clock at ``anchorNs``, RFC 3339 in UTC.
    public var startedAt: String
    /// CLOCK_MONOTONIC at the same moment, ns.
    public var anchorNs: Int64
    /// The address that was bound.
    public var host: String
    /// The port that was bound.
    public var port: Int
    /// `builtin`, `upstream`, `cgi` or `wsgi`.
    public var mode: String
    /// The upstream's URL, in that mode.
    public var upstream: String?
    /// What answers, in the other modes but `builtin`: a CGI program's path, or `MODULE:CALLABLE`.
    public var app: String?
    /// How children are reaped.
    public var reap: String
    /// The command line, as it was typed.
    public var commandLine: String
    /// The version of lab.
    public var labVersion: String
    /// The name in `Via` of the requests that were sent on.
    public var pseudonym: String?
    /// How it tells the servers that it sends requests on to of the client.
    public var forwarded: String?

    /// Makes facts.
    public init(
        startedAt: String,
        anchorNs: Int64,
        host: String,
        port: Int,
        mode: String,
        upstream: String?,
        app: String? = nil,
        reap: String,
        commandLine: String,
        labVersion: String,
        pseudonym: String? = nil,
        forwarded: String? = nil
    ) {
        self.startedAt = startedAt
        self.anchorNs = anchorNs
        self.host = host
        self.port = port
        self.mode = mode
        self.upstream = upstream
        self.app = app
        self.reap = reap
        self.commandLine = commandLine
        self.labVersion = labVersion
        self.pseudonym = pseudonym
        self.forwarded = forwarded
    }
}

/// Writes one recording into a session.
///
/// Not for several threads.
public final class RecordingWriter {
    private let file: SessionFile
    private let recordingID: Int64
    private var assembler: RecordingAssembler
    private var rows: RowWriter
    private var unwritten: [RecordingAssembler.Batch] = []
    private let reserve: DiskReserve
    private var lock: RecordingLock?

    /// The number that the recording's first connection gets.
    public let firstConnectionID: Int64

    /// What was counted so far.
    public var counts: RecordingCounts { assembler.counts }

    /// Whether ``commit()`` would write anything.
    public var hasNews: Bool { assembler.hasNews }

    /// Whether a commit can't wait for its time: memory is bounded by it, and so is what a full disk
    /// can catch unwritten.
    public var isFull: Bool {
        assembler.pendingBytes >= min(max(reserve.size / 4, 16 << 10), 4 << 20)
    }

    /// How much the fork server's queue should hold, bytes: what is in it when the disk is found full
    /// must fit into the space that is held back.
    ///
    /// Never so little that the largest datagram does not fit.
    public var queueBytes: Int { min(max(reserve.size / 4, 96 << 10), 8 << 20) }

    /// Begins a recording.
    ///
    /// Children whose end an earlier recording did not see become `unknown`.
    ///
    /// - Parameters:
    ///   - file: The session, open for writing.
    ///   - facts: What is known of the recording.
    ///   - mostStoredBody: How much of each body is kept, bytes.
    /// - Throws: ``SessionError``.
    public init(
        _ file: SessionFile,
        _ facts: RecordingFacts,
        mostStoredBody: Int
    ) throws(SessionError) {
        self.file = file
        lock = try RecordingLock(file.path)
        reserve = DiskReserve(beside: file.path)
        do {
            let start = try file.queue.write { db in
                try Self.closeAbandoned(db)
                try db.execute(
                    sql: """
                        INSERT INTO recording (started_at, anchor_ns, host, port, mode, upstream,
                            app, reap, command_line, lab_version, pseudonym, forwarded)
                        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                        """,
                    arguments: [
                        facts.startedAt, facts.anchorNs, facts.host, facts.port, facts.mode,
                        facts.upstream, facts.app, facts.reap, facts.commandLine, facts.labVersion,
                        facts.pseudonym, facts.forwarded,
                    ]
                )
                return (
                    recording: db.lastInsertedRowID,
                    connection: try Int64.fetchOne(db, sql: "SELECT max(id) FROM connection") ?? 0,
                    exchange: try Int64.fetchOne(db, sql: "SELECT max(id) FROM exchange") ?? 0
                )
            }
            recordingID = start.recording
            firstConnectionID = start.connection + 1
            assembler = RecordingAssembler(
                firstExchangeID: start.exchange + 1,
                mostStoredBody: mostStoredBody
            )
            rows = try file.queue.writeWithoutTransaction { db in
                try RowWriter(db, recordingID: start.recording)
            }
        } catch {
            throw SessionError(error, path: file.path, doing: "write to")
        }
    }

    /// What does not add up between the fork server's own counts and what is recorded; nil where all
    /// does, after ``end(reason:at:)``.
    ///
    /// - Throws: ``SessionError``.
    public func fault() throws(SessionError) -> String? {
        let counts = counts
        do {
            let told = try file.queue.read { db in
                try Row.fetchOne(
                    db,
                    sql: """
                        SELECT json_extract(detail, '$.accepted'), json_extract(detail, '$.forks'),
                            json_extract(detail, '$.fork_failed'), json_extract(detail, '$.reaped')
                        FROM server_event WHERE recording_id = ? AND kind = 'drain'
                        """,
                    arguments: [recordingID]
                ).map { row in (0..<4).map { Int(row.int($0)) } }
            }
            guard let told else { return "the fork server's own counts are missing" }
            if told[0] != counts.connections + told[2] {
                return "of \(told[0]) accepted connections \(counts.connections) are recorded and "
                    + "\(told[2]) failed"
            }
            if told[1] != counts.reaped || told[3] != counts.reaped {
                return "of \(told[1]) forked children \(counts.reaped) are recorded as reaped"
            }
            return nil
        } catch {
            throw SessionError(error, path: file.path, doing: "read")
        }
    }

    /// What a recorder that was killed left open, nobody will close but the next one.
    private static func closeAbandoned(_ db: Database) throws {
        try db.execute(sql: "UPDATE child SET fate = 'unknown' WHERE fate = 'running'")
        try db.execute(
            sql: "UPDATE exchange SET outcome = ?, error = ? WHERE outcome IS NULL",
            arguments: [
                ExchangeOutcome.childDied.rawValue, RecordingAssembler.endNotSeen,
            ]
        )
    }

    /// Takes one frame.
    public func take(_ frame: Frame) -> RecordingNews? { assembler.take(frame) }

    /// Writes what is new, in one transaction.
    ///
    /// On a full disk the space held back is given up and the commit tried once more.
    ///
    /// - Returns: Whether the disk is full and this was the last commit that it has room for.
    /// - Throws: ``SessionError``; what could not be written stays for the next commit.
    public func commit() throws(SessionError) -> Bool {
        unwritten.append(assembler.takeBatch())
        do throws(SessionError) {
            try writeBatches()
            return false
        } catch {
            guard case .full = error, reserve.release() else { throw error }
            try writeBatches()
            return true
        }
    }

    /// Exchanges that are not in the file, because the last commit failed.
    public var unwrittenExchanges: Int {
        Set(unwritten.flatMap { batch in batch.exchanges.map(\.id) }).count
    }

    private func writeBatches() throws(SessionError) {
        do {
            try file.queue.write { db in
                for batch in unwritten {
                    for row in batch.connections { try rows.write(row) }
                    for row in batch.exchanges { try rows.write(row) }
                    for row in batch.events { try rows.write(row) }
                }
            }
            unwritten.removeAll(keepingCapacity: true)
        } catch {
            rows.forgetBodies()
            throw SessionError(error, path: file.path, doing: "write to")
        }
    }

    /// Ends the recording.
    ///
    /// - Parameters:
    ///   - reason: Why, in a word: `signal`, `requests`, `duration`, `server lost`.
    ///   - at: The wall clock, RFC 3339 in UTC.
    ///   - serverStatus: How the fork server itself ended, as `wait` gave it.
    /// - Throws: ``SessionError``.
    public func end(
        reason: String,
        at: String,
        serverStatus: Int32 = 0
    ) throws(SessionError) {
        assembler.end(serverStatus: serverStatus)
        _ = try commit()
        do {
            try file.queue.write { db in
                try db.execute(
                    sql: "UPDATE recording SET ended_at = ?, end_reason = ? WHERE id = ?",
                    arguments: [at, reason, recordingID]
                )
            }
            lock = nil
        } catch {
            throw SessionError(error, path: file.path, doing: "write to")
        }
    }
}
