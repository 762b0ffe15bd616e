// rows -> SQL. A row that was written while it was under way is written again when it is known whole.

import GRDB
import LabExchange
import LabWire

/// The statements of a recording.
struct RowWriter {
    private let recordingID: Int64
    private let connection: PreparedStatement
    private let child: PreparedStatement
    private let exchange: PreparedStatement
    private let deviation: PreparedStatement
    private let event: PreparedStatement
    private let clearDeviations: PreparedStatement
    private var bodies: BodyShelf

    init(_ db: Database, recordingID: Int64) throws {
        self.recordingID = recordingID
        connection = try PreparedStatement(
            db,
            "INSERT OR REPLACE INTO connection VALUES (?, ?, ?, ?, ?, ?, ?)"
        )
        child = try PreparedStatement(
            db,
            """
            INSERT OR REPLACE INTO child VALUES
            (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """
        )
        exchange = try PreparedStatement(
            db,
            """
            INSERT OR REPLACE INTO exchange (id, connection_id, child_pid, sequence, method, target,
                route, version, request_body_id, status, reason, response_body_id, outcome, error,
                started_ns, head_ns, request_ns, upstream_connected_ns, response_started_ns,
                response_ended_ns, user_cpu_us, system_cpu_us, request_head, response_head, environ,
                errors, errors_size, request_trailers, response_trailers, refused_answer)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
                ?, ?, ?, ?, ?)
            """
        )
        clearDeviations = try PreparedStatement(db, "DELETE FROM deviation WHERE exchange_id = ?")
        deviation = try PreparedStatement(db, "INSERT INTO deviation VALUES (?, ?, ?, ?, ?)")
        event = try PreparedStatement(db, "INSERT INTO server_event VALUES (?, ?, ?, ?, ?)")
        bodies = try BodyShelf(db)
    }

    mutating func forgetBodies() { bodies.forget() }

    func write(_ row: ConnectionRow) throws {
        guard let origin = row.origin else { return }
        connection.bind(row.id)
        connection.bind(recordingID)
        connection.bind(text: origin.peerAddress)
        connection.bind(origin.peerPort)
        connection.bind(origin.arrivedNs == 0 ? nil : origin.arrivedNs)
        connection.bind(origin.acceptedNs)
        connection.bind(row.closedNs)
        try connection.run()
        guard row.hasChild else { return }
        child.bind(row.id)
        child.bind(row.pid)
        child.bind(row.parentPID)
        child.bind(origin.forkStartedNs)
        child.bind(row.forkedNs)
        child.bind(row.startedNs)
        child.bind(row.exitingNs)
        child.bind(row.sigchldNs)
        child.bind(row.reapedNs)
        child.bind(row.waitStatus)
        let signal = row.waitStatus.map { $0 & 0x7F }
        child.bind(signal == 0 ? row.waitStatus.map { $0 >> 8 & 0xFF } : nil)
        child.bind(signal == 0 ? nil : signal)
        child.bind(row.waitStatus.map { $0 & 0x80 == 0 ? 0 : 1 })
        child.bind(row.usage?.userCPUUs)
        child.bind(row.usage?.systemCPUUs)
        child.bind(row.usage?.maxRSSKiB)
        child.bind(row.baselineRSSKiB)
        child.bind(row.usage?.minorFaults)
        child.bind(row.usage?.majorFaults)
        child.bind(row.usage?.voluntarySwitches)
        child.bind(row.usage?.involuntarySwitches)
        child.bind(text: row.fate.rawValue)
        try child.run()
    }

    mutating func write(_ row: ExchangeRow) throws {
        let requestBody =
            row.requestNs == nil && row.outcome == nil ? nil : try bodies.id(row.requestBody)
        let responseBody = row.outcome == nil ? nil : try bodies.id(row.responseBody)
        exchange.bind(row.id)
        exchange.bind(row.connectionID)
        exchange.bind(row.childPID)
        exchange.bind(row.sequence)
        exchange.bind(text: row.method)
        exchange.bind(text: row.target)
        exchange.bind(text: route(ofTarget: row.target))
        exchange.bind(text: row.version)
        exchange.bind(requestBody)
        exchange.bind(row.status)
        if row.status == nil { exchange.bindNull() } else { exchange.bind(text: row.reason) }
        exchange.bind(responseBody)
        if let outcome = row.outcome {
            exchange.bind(text: outcome.rawValue)
        } else {
            exchange.bindNull()
        }
        if row.error.isEmpty { exchange.bindNull() } else { exchange.bind(text: row.error) }
        exchange.bind(row.startedNs)
        exchange.bind(row.headNs)
        exchange.bind(row.requestNs)
        exchange.bind(row.upstreamConnectedNs)
        exchange.bind(row.responseStartedNs)
        exchange.bind(row.responseEndedNs)
        exchange.bind(row.userCPUUs)
        exchange.bind(row.systemCPUUs)
        exchange.bind(blob: row.requestHead)
        if let head = row.responseHead { exchange.bind(blob: head) } else { exchange.bindNull() }
        if row.environ.count == 0 {
            exchange.bindNull()
        } else {
            var json: [UInt8] = []
            json.reserveCapacity(1024)
            row.environ.appendJSON(to: &json)
            exchange.bind(text: json)
        }
        if row.errors.isEmpty {
            exchange.bindNull()
            exchange.bindNull()
        } else {
            exchange.bind(blob: row.errors)
            exchange.bind(row.errorsSize)
        }
        for part in [ExchangePart.requestTrailers, .responseTrailers, .refusedAnswer] {
            if let bytes = row.parts[part] {
                exchange.bind(blob: bytes)
            } else {
                exchange.bindNull()
            }
        }
        try exchange.run()
        try write(row.deviations, row.responseDeviations, of: row.id)
    }

    /// Written anew each time, for a row that was under way had fewer.
    private func write(
        _ request: [Deviation],
        _ response: [Deviation],
        of exchangeID: Int64
    ) throws {
        guard !request.isEmpty || !response.isEmpty else { return }
        clearDeviations.bind(exchangeID)
        try clearDeviations.run()
        for (message, found) in [("request", request), ("response", response)] {
            for one in found {
                deviation.bind(exchangeID)
                deviation.bind(text: one.rule.rawValue)
                deviation.bind(text: one.rule.section)
                deviation.bind(one.offset)
                deviation.bind(text: message)
                try deviation.run()
            }
        }
    }

    func write(_ row: EventRow) throws {
        event.bind(recordingID)
        event.bind(row.atNs)
        event.bind(text: row.kind.rawValue)
        event.bind(row.pid == 0 ? nil : row.pid)
        event.bind(text: row.detail)
        try event.run()
    }
}
