// Captured exchanges -> sessions, before any plan is made of them.

public import LabExchange

extension CapturedExchange {
    /// The exchanges of each session, in the order in which they were sent.
    ///
    /// - Parameters:
    ///   - exchanges: Grouped by connection, each connection's in the order of their sequence.
    ///   - rule: What makes a session.
    /// - Returns: The same, in as many runs as there are sessions.
    public static func sessions(
        _ exchanges: [CapturedExchange],
        by rule: SessionRule = .connection
    ) -> [[CapturedExchange]] {
        var chains = SessionChains(rule)
        let connections = exchanges.map { chains.add($0) }
        let sessionOf = chains.sessions()
        var places: [Int: Int] = [:]
        var sessions: [[CapturedExchange]] = []
        for (exchange, connection) in zip(exchanges, connections) {
            let place = places[sessionOf[connection]] ?? sessions.count
            if place == sessions.count {
                places[sessionOf[connection]] = place
                sessions.append([])
            }
            sessions[place].append(exchange)
        }
        // Those of one connection are in order; those of several are ordered by their time.
        guard rule != .connection else { return sessions }
        return sessions.map { session in
            session.enumerated().sorted {
                ($0.element.startedNs, $0.offset) < ($1.element.startedNs, $1.offset)
            }.map(\.element)
        }
    }
}
