// The captured connections, each as the session that it is.

public import LabExchange

extension CapturedExchange {
    /// The exchanges of each captured connection.
    ///
    /// - Parameter exchanges: Grouped by connection, each connection's in the order of their sequence.
    /// - Returns: The same, in as many runs as there are connections.
    public static func sessions(_ exchanges: [CapturedExchange]) -> [[CapturedExchange]] {
        var sessions: [[CapturedExchange]] = []
        for exchange in exchanges {
            if sessions.last?.last?.connectionID == exchange.connectionID {
                sessions[sessions.count - 1].append(exchange)
            } else {
                sessions.append([exchange])
            }
        }
        return sessions
    }
}
