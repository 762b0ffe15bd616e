// One shard's run, as a file holds it: what must agree before runs are joined.

internal import GRDB

/// A replay of a part of a session's sessions, in the copy of the session that it was sent from.
public struct ShardRun: Sendable, Equatable {
    /// The file.
    public var path: String
    /// Its row in `replay_run`.
    public var run: Int64
    /// Its label.
    public var label: String?
    /// The wall clock at its start, as it is stored.
    public var startedAt: String
    /// The wall clock at its end.
    public var endedAt: String
    /// Why it ended.
    public var endReason: String
    /// What was tried.
    public var target: String
    /// How many sessions at once.
    public var concurrency: Int
    /// How requests were paced.
    public var pacing: String
    /// The settings, a JSON object.
    public var settings: String
    /// The machine, a JSON object.
    public var hostFacts: String
    /// The totals, a JSON object.
    public var summary: String
    /// Which part it is, from 1.
    public var index: Int
    /// How many parts there are.
    public var count: Int
    /// CLOCK_MONOTONIC at ``startedAt``, nanoseconds.
    public var anchorNs: Int64
    /// What tells this session from others, and copies of it have in common.
    ///
    /// It is the instants at which its recordings began, and how many connections and exchanges it has.
    public var session: String

    /// Reads a run of a file.
    ///
    /// - Parameters:
    ///   - path: The file.
    ///   - name: The run's number or label; nil for the last one that was of a shard.
    /// - Throws: ``SessionError``; ``MergeError`` where the run is of no shard, or has no end.
    public init(path: String, run name: String?) throws {
        let reader = try SessionReader(path)
        guard let found = try reader.read({ db in try Self.find(db, path, name) }) else {
            if let name { throw SessionError.noSuchRun(name: name, path: path) }
            throw MergeError.noShard(path: path)
        }
        self = found
        guard count > 0 else { throw MergeError.noShard(path: path) }
        guard !endReason.isEmpty, !summary.isEmpty else {
            throw MergeError.noEnd(path: path, run: run)
        }
    }

    private static func find(_ db: Database, _ path: String, _ name: String?) throws -> ShardRun? {
        let shard = "CASE WHEN json_valid(settings) THEN json_extract(settings, '$.shard.%') END"
        func of(_ key: String) -> String { shard.replacing("%", with: key) }
        let condition = name == nil ? "\(of("index")) > 0" : "id = ?1 OR label = ?2"
        let sql = """
            SELECT id, label, started_at, ended_at, end_reason, target, concurrency, pacing, settings,
                host_facts, summary, \(of("index")), \(of("count")),
                CASE WHEN json_valid(settings) THEN json_extract(settings, '$.anchor_ns') END,
                (SELECT group_concat(id || ' ' || started_at || ' ' || anchor_ns, ';') FROM recording)
                || (SELECT '; ' || count(*) || ' connections' FROM connection)
                || (SELECT ', ' || count(*) || ' exchanges up to ' || ifnull(max(id), 0) FROM exchange)
            FROM replay_run WHERE \(condition) ORDER BY id DESC LIMIT 1
            """
        let arguments: StatementArguments = name.map { [Int64($0), $0] } ?? []
        guard let row = try Row.fetchOne(db, sql: sql, arguments: arguments) else { return nil }
        return ShardRun(path, row)
    }

    private init(_ path: String, _ row: Row) {
        self.path = path
        run = row.int(0)
        label = row.textIfAny(1)
        startedAt = row.text(2)
        endedAt = row.text(3)
        endReason = row.text(4)
        target = row.text(5)
        concurrency = row.count(6)
        pacing = row.text(7)
        settings = row.text(8)
        hostFacts = row.text(9)
        summary = row.text(10)
        index = row.count(11)
        count = row.count(12)
        anchorNs = row.int(13)
        session = row.text(14)
    }
}

/// Why runs cannot be joined.
public enum MergeError: Error, Equatable, CustomStringConvertible {
    /// A file has no run of a shard.
    case noShard(path: String)
    /// A run has no end: it goes on, or was killed.
    case noEnd(path: String, run: Int64)
    /// Two files are not copies of one session.
    case otherSession(path: String, first: String)
    /// Two runs went to different targets, or were of different numbers of shards.
    case differs(path: String, first: String, what: String, one: String, two: String)
    /// A shard is there twice.
    case sameShard(path: String, other: String, shard: String)

    /// A sentence.
    public var description: String {
        switch self {
        case .noShard(let path):
            "Cannot merge '\(path)': it has no run of a shard. "
                + "Make one with: lab replay --shard I/N '\(path)'."
        case .noEnd(let path, let run):
            "Cannot merge '\(path)': its run \(run) has no end. "
                + "Wait for it; if it was killed, send the shard again."
        case .otherSession(let path, let first):
            "Cannot merge '\(path)' with '\(first)': they are not copies of one session. "
                + "Replay every shard from a copy of the same file."
        case .differs(let path, let first, let what, let one, let two):
            "Cannot merge '\(path)' with '\(first)': the \(what) is '\(two)' in the one and '\(one)' in "
                + "the other. Shards of one replay have it in common."
        case .sameShard(let path, let other, let shard):
            "Cannot merge '\(path)' with '\(other)': both are shard \(shard). Leave one out."
        }
    }
}

extension ShardRun {
    /// Makes sure that runs are parts of one replay.
    ///
    /// - Returns: The shards that are missing.
    /// - Throws: ``MergeError``.
    public static func check(_ runs: [ShardRun]) throws(MergeError) -> [Int] {
        guard let first = runs.first else { return [] }
        var paths: [Int: String] = [:]
        for run in runs {
            guard run.session == first.session else {
                throw .otherSession(path: run.path, first: first.path)
            }
            let properties = [
                ("target", first.target, run.target),
                ("number of shards", "\(first.count)", "\(run.count)"),
                ("pace", first.pacing, run.pacing),
            ]
            for (what, one, two) in properties where one != two {
                throw .differs(path: run.path, first: first.path, what: what, one: one, two: two)
            }
            if let other = paths[run.index] {
                let shard = "\(run.index)/\(run.count)"
                throw .sameShard(path: run.path, other: other, shard: shard)
            }
            paths[run.index] = run.path
        }
        return (1...max(1, first.count)).filter { paths[$0] == nil }
    }
}
