// All that a report tells of a session, as values: numbers here, words in LabReporter.

internal import GRDB

/// All that a report tells of a session.
public struct SessionReport: Codable, Sendable, Equatable {
    /// The session's path, as the user gave it.
    public var path: String
    /// The recordings, each with its accounts.
    public var recordings: [RecordingReport]
    /// Requests and answers.
    public var traffic: TrafficReport
    /// What each route cost, the one with the most CPU time first.
    public var costs: [RouteCost]
    /// The processes that served them.
    public var children: ChildrenReport
    /// How long the dead stood, and what SIGCHLD did about it.
    public var zombies: ZombieReport
    /// What else befell the server.
    public var events: EventReport
    /// The slowest exchanges, slowest first, ten at most.
    public var slowest: [ExchangeSummary]
    /// The replays of this session.
    public var runs: [ReplayRunReport]

    /// Whether a program may build on what is recorded.
    public var isTrustworthy: Bool { recordings.allSatisfy(\.identity.isTrustworthy) }
}

/// One recording with its accounts.
public struct RecordingReport: Codable, Sendable, Equatable {
    /// The recording.
    public var recording: Recording
    /// From its start to the last thing that is on record, nanoseconds.
    public var durationNs: Int64
    /// The connections that were accepted.
    public var connections: Int
    /// Those of them that carried no request.
    public var emptyConnections: Int
    /// The exchanges.
    public var exchanges: Int
    /// Whether nothing was lost.
    public var identity: SessionIdentity
}

extension SessionReport {
    init(_ db: Database, path: String) throws {
        let recordings = try Recording.all(db)
        var accounts = Accounts(recordings)
        let events = try EventPass(db, &accounts)
        children = try ChildrenReport(db, &accounts)
        traffic = try TrafficReport(db, &accounts)
        costs = try RouteCost.all(db)
        self.path = path
        zombies = try ZombieReport(db, events)
        self.events = events.report
        slowest = try ExchangeQuery.slowest(10).all(db)
        runs = try ReplayRunReport.all(db)
        self.recordings = recordings.map { accounts.report(of: $0) }
    }
}

/// What each recording's report is made of, gathered on the way through the tables.
struct Accounts {
    private var counts: [Int64: IdentityCounts] = [:]
    private var lastNs: [Int64: Int64] = [:]
    private var exchanges: [Int64: Int] = [:]
    private var served: [Int64: Int] = [:]

    init(_ recordings: [Recording]) {
        for recording in recordings {
            counts[recording.id] = IdentityCounts()
            lastNs[recording.id] = recording.anchorNs
        }
    }

    mutating func saw(_ instant: Int64?, in recording: Int64) {
        guard let instant, instant > lastNs[recording, default: 0] else { return }
        lastNs[recording] = instant
    }

    mutating func count(in recording: Int64, _ change: (inout IdentityCounts) -> Void) {
        change(&counts[recording, default: IdentityCounts()])
    }

    // `isFirst`: whether it is the first of its connection.
    mutating func addExchange(in recording: Int64, isFirst: Bool) {
        exchanges[recording, default: 0] += 1
        if isFirst { served[recording, default: 0] += 1 }
    }

    func report(of recording: Recording) -> RecordingReport {
        let counts = counts[recording.id] ?? IdentityCounts()
        return RecordingReport(
            recording: recording,
            durationNs: (lastNs[recording.id] ?? recording.anchorNs) - recording.anchorNs,
            connections: counts.connections,
            emptyConnections: max(0, counts.connections - served[recording.id, default: 0]),
            exchanges: exchanges[recording.id, default: 0],
            identity: SessionIdentity(counts, hasEnded: recording.endedAt != nil)
        )
    }
}
