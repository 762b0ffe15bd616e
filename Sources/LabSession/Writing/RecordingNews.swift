// What a recording tells whoever watches it: counts, and a value for each thing that ended.

public import LabExchange

/// What was counted so far.
public struct RecordingCounts: Sendable, Equatable {
    /// Connections accepted that are served.
    public internal(set) var connections = 0
    /// Requests that were read, or refused.
    public internal(set) var exchanges = 0
    /// Exchanges that ended as ``ExchangeOutcome/ok``, or as ``ExchangeOutcome/tunnel``.
    public internal(set) var ok = 0
    /// Exchanges that ended otherwise.
    public internal(set) var failed = 0
    /// Children forked.
    public internal(set) var children = 0
    /// Children reaped.
    public internal(set) var reaped = 0
    /// Children that were ended by a signal, or left with another code than 0.
    public internal(set) var died = 0

    /// Children that live, zombies included.
    public var living: Int { children - reaped }

    /// Counts nothing yet.
    public init() {}

    mutating func note(_ exchange: ExchangeRow) {
        // A tunnel has no better end.
        if exchange.outcome == .ok || exchange.outcome == .tunnel { ok += 1 } else { failed += 1 }
    }
}

/// An exchange that ended.
public struct ExchangeNews: Sendable, Equatable {
    /// Its row in `exchange`.
    public let id: Int64
    /// Its connection.
    public let connectionID: Int64
    /// The child that served it.
    public let pid: Int32
    /// The method, as text; made when it is asked for, which is seldom.
    public var method: String { String(decoding: methodBytes, as: UTF8.self) }
    /// The target, as text.
    public var target: String { String(decoding: targetBytes, as: UTF8.self) }
    private let methodBytes: [UInt8]
    private let targetBytes: [UInt8]
    /// The status; nil where none was sent.
    public let status: Int?
    /// How it ended.
    public let outcome: ExchangeOutcome
    /// Why, where it did not end well.
    public let error: String
    /// From the request's first byte to the answer's last; ns, nil where there was no answer.
    public let durationNs: Int64?
    /// The content of the answer, bytes.
    public let responseBytes: Int64

    init(_ row: ExchangeRow) {
        id = row.id
        connectionID = row.connectionID
        pid = row.childPID
        methodBytes = row.method
        targetBytes = row.target
        status = row.status.map(Int.init)
        outcome = row.outcome ?? .ok
        error = row.error
        durationNs = row.responseEndedNs.map { $0 - row.startedNs }
        responseBytes = row.responseBody.size
    }
}

/// A child that was reaped.
public struct ChildNews: Sendable, Equatable {
    /// Its connection.
    public let connectionID: Int64
    /// Its PID.
    public let pid: Int32
    /// How it ended.
    public let fate: ChildFate
    /// What `wait4` gave.
    public let waitStatus: Int32
    /// What it used.
    public let usage: ResourceUsage
    /// The longest that it can have been a zombie; ns, nil where its last word is missing.
    public let zombieAtMostNs: Int64?
    /// The exchange that it left unfinished.
    public let unfinished: ExchangeNews?

    init(_ row: ConnectionRow, exchange: ExchangeRow?) {
        connectionID = row.id
        pid = row.pid
        fate = row.fate
        waitStatus = row.waitStatus ?? 0
        usage = row.usage ?? ResourceUsage()
        zombieAtMostNs = row.reapedNs.flatMap { reaped in row.exitingNs.map { reaped - $0 } }
        unfinished = exchange.map(ExchangeNews.init)
    }
}

/// Something that ended while recording.
public enum RecordingNews: Sendable, Equatable {
    /// An exchange ended.
    case exchange(ExchangeNews)
    /// A child was reaped.
    case child(ChildNews)
    /// The server tells of something else; the detail is a JSON object.
    case event(ServerEventKind, pid: Int32, detail: [UInt8])
}
