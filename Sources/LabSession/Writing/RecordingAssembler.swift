// frames -> rows: a machine without I/O. What is complete leaves it; what is under way stays.
//
//     frames ──▶ open connections ──▶ touched rows ──▶ the writer, at each commit
//                 └─ open exchanges

import LabExchange

/// Puts the frames of one recording together into rows.
struct RecordingAssembler {
    /// What a commit has to write.
    struct Batch {
        var connections: [ConnectionRow] = []
        var exchanges: [ExchangeRow] = []
        var events: [EventRow] = []
        /// About how much the finished exchanges in it will take in the file, bytes.
        var bytes = 0

        mutating func add(_ exchange: ExchangeRow) {
            exchanges.append(exchange)
            bytes += 1536 + exchange.requestHead.count + (exchange.responseHead?.count ?? 0)
            bytes += exchange.requestBody.bytes.count + exchange.responseBody.bytes.count
            bytes += exchange.errors.count
        }
    }

    /// Exchanges, connections and children so far.
    private(set) var counts = RecordingCounts()

    /// A connection under way; a class, so that a frame changes it where it lies.
    private final class Open {
        var row: ConnectionRow
        var isTouched = false
        var exchange: ExchangeRow?
        var exchangeIsTouched = false

        init(_ id: Int64) { row = ConnectionRow(id: id) }
    }

    /// Why an exchange has no better end.
    static let endNotSeen = "the recording ended before the child's end was seen"

    private let mostStoredBody: Int
    private var nextExchangeID: Int64
    private var open: [Int64: Open] = [:]
    /// Connections with something new since the last batch, in the order in which it came.
    private var touched: [Int64] = []
    private var batch = Batch()

    init(firstExchangeID: Int64, mostStoredBody: Int) {
        nextExchangeID = firstExchangeID
        self.mostStoredBody = mostStoredBody
    }

    /// Whether a commit would write anything.
    var hasNews: Bool {
        !touched.isEmpty || !batch.connections.isEmpty || !batch.exchanges.isEmpty
            || !batch.events.isEmpty
    }

    /// About how much a commit would write for the exchanges that have ended, bytes.
    var pendingBytes: Int { batch.bytes }

    /// Takes one frame.
    ///
    /// Parent and child speak over the same socket, and either may come first.
    ///
    /// - Returns: What ended with it, for whoever watches.
    mutating func take(_ frame: Frame) -> RecordingNews? {
        switch frame {
        case .childForked(let origin, let pid, let parentPID, let forkedNs):
            withConnection(origin.connectionID) {
                $0.row.origin = origin
                $0.row.pid = pid
                $0.row.parentPID = parentPID
                $0.row.forkedNs = forkedNs
            }
        case .childStarted(let origin, let pid, let parentPID, let startedNs, let baseline):
            withConnection(origin.connectionID) {
                $0.row.origin = origin
                $0.row.pid = pid
                $0.row.parentPID = parentPID
                $0.row.startedNs = startedNs
                $0.row.baselineRSSKiB = baseline
            }
        case .connectionOpened(let origin, let pid):
            withConnection(origin.connectionID, hasChild: false) {
                $0.row.origin = origin
                $0.row.pid = pid
            }
        case .connectionClosed(let connection, let closedNs):
            withConnection(connection) { $0.row.closedNs = closedNs }
            guard let closed = open.removeValue(forKey: connection) else { return nil }
            batch.connections.append(closed.row)
        case .requestHead(
            let connection,
            let sequence,
            let startedNs,
            let headNs,
            let method,
            let target,
            let minorVersion,
            let head,
            let environ,
            let deviations
        ):
            let id = nextExchangeID
            nextExchangeID += 1
            counts.exchanges += 1
            withConnection(connection) {
                $0.exchange = ExchangeRow(
                    id: id,
                    connectionID: connection,
                    sequence: sequence,
                    childPID: $0.row.pid,
                    startedNs: startedNs,
                    headNs: headNs,
                    method: method,
                    target: target,
                    minorVersion: minorVersion,
                    requestHead: head,
                    environ: environ,
                    deviations: deviations
                )
                $0.exchangeIsTouched = true
            }
        case .requestContent(let connection, let sequence, let bytes):
            let most = mostStoredBody
            withExchange(connection, sequence) {
                $0.requestBody.take(bytes, keeping: most)
                // A request that became a tunnel goes on after its end, and has another one.
                $0.requestNs = nil
            }
        case .requestEnd(let connection, let sequence, let endedNs):
            withExchange(connection, sequence) { $0.requestNs = endedNs }
        case .environ(let connection, let sequence, let environ):
            withExchange(connection, sequence) { $0.environ = environ }
        case .applicationErrors(let connection, let sequence, let bytes):
            withExchange(connection, sequence) { $0.take(errors: bytes) }
        case .upstreamConnected(let connection, let sequence, let atNs):
            withExchange(connection, sequence) { $0.upstreamConnectedNs = atNs }
        case .responseHead(
            let connection,
            let sequence,
            let startedNs,
            let status,
            let reason,
            let head
        ):
            withExchange(connection, sequence) {
                $0.responseStartedNs = startedNs
                $0.status = status
                $0.reason = reason
                $0.responseHead = head
            }
        case .responseContent(let connection, let sequence, let bytes):
            let most = mostStoredBody
            withExchange(connection, sequence) { $0.responseBody.take(bytes, keeping: most) }
        case .exchangePart(let connection, let sequence, let part, let bytes):
            withExchange(connection, sequence) { $0.parts[part] = bytes }
        case .exchangeEnd(
            let connection,
            let sequence,
            let endedNs,
            let outcome,
            let error,
            let user,
            let system,
            let deviations,
            let responseDeviations
        ):
            withExchange(connection, sequence) {
                $0.responseEndedNs = $0.status == nil ? nil : endedNs
                $0.outcome = outcome
                $0.error = error
                $0.userCPUUs = user
                $0.systemCPUUs = system
                $0.deviations += deviations
                $0.responseDeviations = responseDeviations
            }
            return closeExchange(connection)
        case .childEnding(let connection, let closedNs, let exitingNs):
            withConnection(connection) {
                $0.row.closedNs = closedNs
                $0.row.exitingNs = exitingNs
            }
        case .childReaped(
            let connection,
            let pid,
            let waitStatus,
            let sigchldNs,
            let reapedNs,
            let usage,
            let fate
        ):
            withConnection(connection) {
                $0.row.pid = pid
                $0.row.waitStatus = waitStatus
                $0.row.sigchldNs = sigchldNs == 0 ? nil : sigchldNs
                $0.row.reapedNs = reapedNs
                $0.row.usage = usage
                $0.row.fate = fate
            }
            return closeConnection(connection)
        case .serverEvent(let kind, let atNs, let pid, let detail):
            batch.events.append(EventRow(kind: kind, atNs: atNs, pid: pid, detail: detail))
            return .event(kind, pid: pid, detail: detail)
        }
        return nil
    }

    /// What is new since the last batch.
    ///
    /// What is under way is in it as far as it is known.
    mutating func takeBatch() -> Batch {
        var full = batch
        batch = Batch()
        for id in touched {
            guard let connection = open[id] else { continue }
            if connection.isTouched, connection.row.origin != nil {
                full.connections.append(connection.row)
            }
            if connection.exchangeIsTouched, let exchange = connection.exchange {
                full.exchanges.append(exchange)
            }
            connection.isTouched = false
            connection.exchangeIsTouched = false
        }
        touched.removeAll(keepingCapacity: true)
        return full
    }

    /// The recording ends: of who has not been reaped the end is unknown.
    ///
    /// `serverStatus` is the fork server's own wait status: with `--serial` it is what served.
    mutating func end(serverStatus: Int32 = 0) {
        for id in open.keys.sorted() {
            withConnection(id) { connection in
                connection.row.fate = .unknown
                guard connection.exchange != nil else { return }
                connection.exchange?.outcome = .childDied
                connection.exchange?.error =
                    connection.row.hasChild
                    ? Self.endNotSeen
                    : Self.ending("server", connection.row.pid, serverStatus)
                connection.exchangeIsTouched = true
            }
            if let exchange = open[id]?.exchange { counts.note(exchange) }
        }
    }

    // MARK: Open connections

    private mutating func withConnection(
        _ id: Int64,
        hasChild: Bool = true,
        _ body: (Open) -> Void
    ) {
        let connection: Open
        if let known = open[id] {
            connection = known
        } else {
            connection = Open(id)
            connection.row.hasChild = hasChild
            open[id] = connection
            counts.connections += 1
            if hasChild { counts.children += 1 }
        }
        touch(connection)
        connection.isTouched = true
        body(connection)
    }

    private mutating func withExchange(
        _ id: Int64,
        _ sequence: Int32,
        _ body: (inout ExchangeRow) -> Void
    ) {
        guard let connection = open[id], connection.exchange?.sequence == sequence else { return }
        touch(connection)
        connection.exchangeIsTouched = true
        connection.exchange?.apply(body)
    }

    private mutating func touch(_ connection: Open) {
        guard !connection.isTouched, !connection.exchangeIsTouched else { return }
        touched.append(connection.row.id)
    }

    private mutating func closeExchange(_ id: Int64) -> RecordingNews? {
        guard let connection = open[id], let exchange = connection.exchange else { return nil }
        connection.exchange = nil
        connection.exchangeIsTouched = false
        batch.add(exchange)
        counts.note(exchange)
        return .exchange(ExchangeNews(exchange))
    }

    /// A child was reaped, so all that it said is here: what it did not finish, it never will.
    private mutating func closeConnection(_ id: Int64) -> RecordingNews? {
        guard let connection = open.removeValue(forKey: id) else { return nil }
        counts.reaped += 1
        if connection.row.waitStatus != 0 { counts.died += 1 }
        let row = connection.row
        if connection.exchange != nil {
            connection.exchange?.outcome =
                row.waitStatus == 0 ? .appError : .childDied
            connection.exchange?.error = ending(row)
        }
        if let exchange = connection.exchange {
            batch.add(exchange)
            counts.note(exchange)
        }
        batch.connections.append(row)
        return .child(ChildNews(row, exchange: connection.exchange))
    }

    private func ending(_ row: ConnectionRow) -> String {
        let status = row.waitStatus ?? 0
        guard row.fate == .timedOut, status & 0x7F != 0 else {
            return Self.ending("child", row.pid, status)
        }
        return
            "child \(row.pid) was ended by signal \(status & 0x7F) for taking too long over this "
            + "request"
    }

    private static func ending(_ who: String, _ pid: Int32, _ status: Int32) -> String {
        status & 0x7F == 0
            ? "\(who) \(pid) exited with \(status >> 8 & 0xFF) before it had answered"
            : "\(who) \(pid) was ended by signal \(status & 0x7F) while it served this request"
    }
}
