// One pass over `exchange`: durations are kept as numbers, never whole rows, so that a million
// exchanges fit.

internal import GRDB

/// A stretch of an exchange's time.
public enum Phase: String, Codable, Sendable, CaseIterable {
    /// From the connection's arrival until `accept` took it; on a connection's first exchange only.
    ///
    /// To the kernel's tick, 1 to 10 ms.
    case queue
    /// From `accept` to the child's first instruction; on a connection's first exchange only.
    case fork
    /// From the request's first byte to the end of its head.
    case head
    /// From the end of the head to the end of the request.
    case body
    /// From the end of the head until the upstream is connected.
    case connect
    /// From the end of the head to the first byte of the answer.
    case wait
    /// From the first byte of the answer to its last.
    case answer
    /// From the request's first byte to the answer's last.
    case total
}

/// Requests and answers: how many, how large, how fast.
public struct TrafficReport: Codable, Sendable, Equatable {
    /// The exchanges.
    public var exchanges: Int
    /// Those that did not end well: another outcome than `ok` and `tunnel`, or a status from 500.
    public var errors: Int
    /// Heads and bodies of requests, bytes.
    public var requestBytes: Int64
    /// Heads and bodies of responses, bytes.
    public var responseBytes: Int64
    /// From the first request to the last answer, summed over the recordings, nanoseconds.
    public var activeNs: Int64
    /// The phases that occurred.
    public var phases: [PhaseReport]
    /// The routes, the most used first.
    public var routes: [RouteReport]
    /// How often each status was answered; no status where no answer began.
    public var statuses: [StatusCount]
    /// How often each outcome occurred; no outcome where none is known.
    public var outcomes: [OutcomeCount]

    /// Exchanges per second of ``activeNs``; nil where that is nothing.
    public var rate: Double? {
        activeNs > 0 && exchanges > 1 ? Double(exchanges) * 1e9 / Double(activeNs) : nil
    }
}

/// The durations of one phase.
public struct PhaseReport: Codable, Sendable, Equatable {
    /// The phase.
    public var phase: Phase
    /// Nanoseconds.
    public var latencyNs: Spread
}

/// What one route cost.
public struct RouteReport: Codable, Sendable, Equatable {
    /// The method.
    public var method: String
    /// The target without what varies from request to request, as it is stored.
    public var route: String
    /// The exchanges.
    public var count: Int
    /// Those that did not end well.
    public var errors: Int
    /// From the request's first byte to the answer's last, nanoseconds; of tunnels none.
    public var latencyNs: Spread
    /// The child's CPU time for the exchange, microseconds.
    public var cpuUs: Spread
}

/// How often a status was answered.
public struct StatusCount: Codable, Sendable, Equatable {
    /// The status; nil where no answer began.
    public var status: Int?
    /// How often.
    public var count: Int
}

/// How often an outcome occurred.
public struct OutcomeCount: Codable, Sendable, Equatable {
    /// The outcome; nil where none is known.
    public var outcome: String?
    /// How often.
    public var count: Int
}

extension TrafficReport {
    init(_ db: Database, _ accounts: inout Accounts) throws {
        var pass = TrafficPass()
        try PreparedStatement(db, TrafficPass.sql).forEachRow { pass.add($0, &accounts) }
        self = pass.report()
    }
}

private struct TrafficPass {
    static let sql = """
        SELECT e.id, e.method, e.route, e.status, e.outcome, e.sequence,
            n.accepted_ns, c.started_ns, e.started_ns, e.head_ns, e.request_ns,
            e.upstream_connected_ns, e.response_started_ns, e.response_ended_ns,
            e.user_cpu_us + e.system_cpu_us,
            length(e.request_head) + ifnull(q.size, 0),
            ifnull(length(e.response_head), 0) + ifnull(a.size, 0),
            n.recording_id, n.arrived_ns,
            c.reaped_ns IS NOT NULL OR c.fate IN ('exited', 'signalled', 'timed_out', 'unreaped')
        FROM exchange e
        LEFT JOIN connection n ON n.id = e.connection_id
        LEFT JOIN child c ON c.connection_id = e.connection_id
        LEFT JOIN body q ON q.id = e.request_body_id
        LEFT JOIN body a ON a.id = e.response_body_id
        """

    private struct RouteName: Hashable {
        let method: String
        let route: String
    }

    private struct Route {
        var count = 0
        var errors = 0
        var latency: [Int64] = []
        var cpu: [Int64] = []
    }

    private var exchanges = 0
    private var errors = 0
    private var requestBytes: Int64 = 0
    private var responseBytes: Int64 = 0
    private var active: [Int64: ClosedRange<Int64>] = [:]
    private var phases: [Phase: [Int64]] = [:]
    private var routes: [RouteName: Route] = [:]
    private var statuses: [Int64?: Int] = [:]
    private var outcomes: [String?: Int] = [:]

    mutating func add(_ row: borrowing StatementRow, _ accounts: inout Accounts) {
        let (status, outcome, recording) = (row.intIfAny(3), row.textIfAny(4), row.int(17))
        let isError = !(outcome == "ok" || outcome == "tunnel") || (status ?? 0) >= 500
        exchanges += 1
        errors += isError ? 1 : 0
        requestBytes += row.int(15)
        responseBytes += row.int(16)
        statuses[status, default: 0] += 1
        outcomes[outcome, default: 0] += 1

        let (started, ended) = (row.int(8), row.intIfAny(13))
        let span = started...max(started, ended ?? row.int(9))
        active[recording] = active[recording].map { union($0, span) } ?? span
        accounts.saw(span.upperBound, in: recording)
        accounts.addExchange(in: recording, isFirst: row.int(5) == 1)
        if outcome == nil {
            accounts.count(in: recording) {
                $0.addWithoutOutcome(exchange: row.int(0), childIsDead: row.int(19) != 0)
            }
        }
        let name = RouteName(method: row.text(1), route: row.text(2))
        addTimes(row, name, isError, isTunnel: outcome == "tunnel")
    }

    private mutating func addTimes(
        _ row: borrowing StatementRow,
        _ name: RouteName,
        _ isError: Bool,
        isTunnel: Bool
    ) {
        func duration(_ from: Int32, _ to: Int32) -> Int64? {
            guard let start = row.intIfAny(from), let end = row.intIfAny(to) else { return nil }
            return max(0, end &- start)
        }
        // A tunnel stands for as long as both sides want; that is no latency.
        let total = isTunnel ? nil : duration(8, 13)
        let isFirst = row.int(5) == 1
        add(isFirst ? duration(18, 6) : nil, to: .queue)
        add(isFirst ? duration(6, 7) : nil, to: .fork)
        add(duration(8, 9), to: .head)
        add(isTunnel ? nil : duration(9, 10), to: .body)
        add(duration(9, 11), to: .connect)
        add(duration(9, 12), to: .wait)
        add(isTunnel ? nil : duration(12, 13), to: .answer)
        add(total, to: .total)
        change(&routes[name, default: Route()]) { route in
            route.count += 1
            route.errors += isError ? 1 : 0
            if let total { route.latency.append(total) }
            if let cpu = row.intIfAny(14) { route.cpu.append(cpu) }
        }
    }

    private mutating func add(_ duration: Int64?, to phase: Phase) {
        if let duration { phases[phase, default: []].append(duration) }
    }

    private func union(_ one: ClosedRange<Int64>, _ other: ClosedRange<Int64>) -> ClosedRange<Int64>
    {
        min(one.lowerBound, other.lowerBound)...max(one.upperBound, other.upperBound)
    }

    func report() -> TrafficReport {
        TrafficReport(
            exchanges: exchanges,
            errors: errors,
            requestBytes: requestBytes,
            responseBytes: responseBytes,
            activeNs: active.values.reduce(0) { $0 + $1.upperBound - $1.lowerBound },
            phases: Phase.allCases.compactMap { phase in
                phases[phase].map { PhaseReport(phase: phase, latencyNs: Spread($0)) }
            },
            routes: routes.map { name, route in
                RouteReport(
                    method: name.method,
                    route: name.route,
                    count: route.count,
                    errors: route.errors,
                    latencyNs: Spread(route.latency),
                    cpuUs: Spread(route.cpu)
                )
            }.sorted { ($1.count, $0.route, $0.method) < ($0.count, $1.route, $1.method) },
            statuses: statuses.map { StatusCount(status: $0.map { Int($0) }, count: $1) }
                .sorted { ($0.status ?? .max) < ($1.status ?? .max) },
            outcomes: outcomes.map { OutcomeCount(outcome: $0, count: $1) }
                .sorted { ($1.count, $0.outcome ?? "~") < ($0.count, $1.outcome ?? "~") }
        )
    }
}

/// Changes a value where it stands: a copy of an array that grows would be made anew for each row.
private func change<Value>(_ value: inout Value, _ body: (inout Value) -> Void) { body(&value) }
