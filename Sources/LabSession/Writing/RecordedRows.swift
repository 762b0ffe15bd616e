// The rows of a recording, as they are known so far.

import Crypto
import LabExchange
import LabWire

/// A row of `connection` and the one of its `child`.
struct ConnectionRow {
    var id: Int64
    var origin: ConnectionOrigin?
    /// Whether a process was forked for it, and there is a row of `child`.
    var hasChild = true
    var closedNs: Int64?
    var pid: Int32 = 0
    var parentPID: Int32 = 0
    var forkedNs: Int64?
    var startedNs: Int64?
    var baselineRSSKiB: Int64?
    var exitingNs: Int64?
    var sigchldNs: Int64?
    var reapedNs: Int64?
    var waitStatus: Int32?
    var usage: ResourceUsage?
    var fate = ChildFate.running
}

/// A row of `exchange`, with the bodies that it points to.
struct ExchangeRow {
    let id: Int64
    let connectionID: Int64
    let sequence: Int32
    let childPID: Int32
    let startedNs: Int64
    let headNs: Int64
    let method: [UInt8]
    let target: [UInt8]
    let minorVersion: Int8
    let requestHead: [UInt8]
    var environ: Environ
    var deviations: [Deviation]
    var responseDeviations: [Deviation] = []
    var requestBody = BodyIntake()
    var requestNs: Int64?
    var upstreamConnectedNs: Int64?
    var responseStartedNs: Int64?
    var status: Int16?
    var reason: [UInt8] = []
    var responseHead: [UInt8]?
    var responseBody = BodyIntake()
    var responseEndedNs: Int64?
    var outcome: ExchangeOutcome?
    var error = ""
    /// Parts that few exchanges have, as they came.
    var parts: [ExchangePart: [UInt8]] = [:]
    /// What the application wrote to its error stream, up to ``mostErrors``.
    private(set) var errors: [UInt8] = []
    /// How much it wrote, bytes.
    private(set) var errorsSize: Int64 = 0
    var userCPUUs: Int64?
    var systemCPUUs: Int64?

    /// How much of an application's error stream is kept, bytes: the beginning, for what is said first
    /// is most often the cause of the rest.
    static let mostErrors = 64 << 10

    mutating func take(errors run: [UInt8]) {
        errorsSize += Int64(run.count)
        errors += run.prefix(Self.mostErrors - errors.count)
    }

    /// Changes it where it lies, bodies and all, without a copy.
    mutating func apply(_ body: (inout ExchangeRow) -> Void) { body(&self) }

    /// The version as the request line had it; of a refused head nobody knows.
    var version: String { minorVersion < 0 ? "" : "HTTP/1.\(minorVersion)" }
}

/// A row of `server_event`.
struct EventRow {
    let kind: ServerEventKind
    let atNs: Int64
    let pid: Int32
    let detail: [UInt8]
}

/// A body as it comes in, piece by piece: hashed whole, kept up to a limit.
struct BodyIntake {
    private var hash: SHA256?
    private(set) var bytes: [UInt8] = []
    private(set) var size: Int64 = 0

    mutating func take(_ piece: [UInt8], keeping most: Int) {
        size += Int64(piece.count)
        if hash == nil { hash = SHA256() }
        hash?.update(data: piece)
        let room = most - bytes.count
        if bytes.isEmpty, piece.count <= room {
            bytes = piece
        } else if room > 0 {
            bytes.append(contentsOf: piece.prefix(room))
        }
    }

    /// The SHA-256 of the whole body; nil where there is none.
    var digest: [UInt8]? { size == 0 ? nil : hash.map { Array($0.finalize()) } }

    var isTruncated: Bool { Int64(bytes.count) < size }
}
