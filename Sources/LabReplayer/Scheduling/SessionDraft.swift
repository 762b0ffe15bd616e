// What sessions are made of, gathered request by request.

import LabExchange

/// What a session table is made of, gathered request by request.
struct SessionDraft {
    /// When a request was captured, and where.
    struct Moment {
        var exchangeID: Int64
        var connection: Int32
        var route: Int32
        var startedNs: Int64
        var endedNs: Int64
    }

    private let rule: SessionRule
    private(set) var chains: SessionChains
    /// By the request's place in the plan, from ``requestsBefore`` on.
    private(set) var moments: [Moment] = []
    private(set) var routes = RouteList()
    /// How many requests and connections were made sessions of and forgotten.
    private(set) var requestsBefore = 0
    private(set) var connectionsBefore = 0

    init(_ rule: SessionRule) {
        self.rule = rule
        chains = SessionChains(rule)
    }

    /// How many captured connections there are, all in all.
    var connectionCount: Int { connectionsBefore + chains.connectionCount }

    /// When the request of a step was captured.
    func moment(of step: Step) -> Moment { moments[Int(step.request) - requestsBefore] }

    /// The connection of a moment, as a place among those of ``chains``.
    func place(of moment: Moment) -> Int { Int(moment.connection) - connectionsBefore }

    /// Forgets what sessions were made of; requests and connections are counted on.
    mutating func forget() {
        requestsBefore += moments.count
        connectionsBefore += chains.connectionCount
        moments = []
        chains = SessionChains(rule)
    }

    /// Takes in the exchange of the next request of the plan.
    mutating func add(_ exchange: CapturedExchange) {
        let connection = Int32(connectionsBefore + chains.add(exchange))
        var startedNs = exchange.startedNs
        // Requests that were pipelined came at one instant: never before the one ahead of them.
        if let before = moments.last, before.connection == connection {
            startedNs = max(startedNs, before.startedNs)
        }
        moments.append(
            Moment(
                exchangeID: exchange.id,
                connection: connection,
                route: routes.place(of: exchange.requestHead),
                startedNs: startedNs,
                endedNs: max(startedNs, exchange.endedNs)
            )
        )
    }
}
