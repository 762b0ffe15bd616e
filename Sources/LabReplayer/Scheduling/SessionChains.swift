// Captured connections -> sessions. Pure: what a connection has in common with others goes in, the
// number of its session comes out.

import LabExchange
import LabWire

/// What is known of the captured connections, gathered exchange by exchange.
struct SessionChains {
    private struct Connection {
        var id: Int64
        var client: String
        var startedNs: Int64
        var endedNs: Int64
        var cookies: [[UInt8]] = []
    }

    private let rule: SessionRule
    private var connections: [Connection] = []
    private var places: [Int64: Int] = [:]

    /// How many captured connections there are.
    var connectionCount: Int { connections.count }

    init(_ rule: SessionRule) { self.rule = rule }

    /// Takes in an exchange; gives the place of its connection, counted from 0.
    mutating func add(_ exchange: CapturedExchange) -> Int {
        let place: Int
        // Exchanges come grouped by connection: the last one is nearly always it.
        if let last = connections.last, last.id == exchange.connectionID {
            place = connections.count - 1
        } else if let known = places[exchange.connectionID] {
            place = known
        } else {
            place = connections.count
            places[exchange.connectionID] = place
            connections.append(
                Connection(
                    id: exchange.connectionID,
                    client: exchange.client,
                    startedNs: exchange.startedNs,
                    endedNs: exchange.endedNs
                )
            )
        }
        connections[place].startedNs = min(connections[place].startedNs, exchange.startedNs)
        connections[place].endedNs = max(connections[place].endedNs, exchange.endedNs)
        if case .cookie(let name) = rule {
            for value in Cookie.values(of: Array(name.utf8), in: exchange)
            where !connections[place].cookies.contains(value) {
                connections[place].cookies.append(value)
            }
        }
        return place
    }

    /// The session of each connection, by the connection's place: any number that is the same for
    /// connections of one session, and for no other.
    func sessions() -> [Int] {
        switch rule {
        case .connection: Array(connections.indices)
        case .client(let gapNs): chained(within: gapNs)
        case .cookie: tiedByCookies()
        }
    }

    private func chained(within gapNs: Int64) -> [Int] {
        var sessions = Array(connections.indices)
        var open: [String: (session: Int, endedNs: Int64)] = [:]
        let inOrder = connections.indices.sorted {
            (connections[$0].startedNs, $0) < (connections[$1].startedNs, $1)
        }
        for place in inOrder {
            let connection = connections[place]
            if let before = open[connection.client],
                connection.startedNs - before.endedNs <= gapNs
            {
                sessions[place] = before.session
                open[connection.client]?.endedNs = max(before.endedNs, connection.endedNs)
            } else {
                open[connection.client] = (place, connection.endedNs)
            }
        }
        return sessions
    }

    /// A value that is on two connections ties them together, and with them all that each of them
    /// is tied to: a login that replaces the value does not tear its session apart.
    private func tiedByCookies() -> [Int] {
        var sessions = Array(connections.indices)
        func root(_ place: Int) -> Int {
            var place = place
            while sessions[place] != place {
                sessions[place] = sessions[sessions[place]]
                place = sessions[place]
            }
            return place
        }
        var first: [[UInt8]: Int] = [:]
        for (place, connection) in connections.enumerated() {
            for value in connection.cookies {
                guard let other = first[value] else {
                    first[value] = place
                    continue
                }
                let (one, two) = (root(other), root(place))
                sessions[max(one, two)] = min(one, two)
            }
        }
        return connections.indices.map { root($0) }
    }
}

/// The values of one cookie (RFC 6265 4.1.1, 4.2.1).
enum Cookie {
    /// The values that an exchange's request sends and its answer sets; empty ones are none.
    static func values(of name: [UInt8], in exchange: CapturedExchange) -> [[UInt8]] {
        let limits = HeadLimits(headBytes: .max, targetBytes: .max, fields: .max)
        var values: [[UInt8]] = []
        if let head = try? RequestHead(parsing: exchange.requestHead, limits: limits) {
            for field in head.fields where head.name(of: field).equals(ignoringCase: "cookie") {
                values += head.value(of: field).split(separator: 0x3B)
                    .compactMap { value(of: name, in: $0) }
            }
        }
        if let answer = exchange.responseHead,
            let head = try? ResponseHead(parsing: answer, limits: limits)
        {
            for field in head.fields where head.name(of: field).equals(ignoringCase: "set-cookie") {
                let pair = head.value(of: field).prefix { $0 != 0x3B }
                if let value = value(of: name, in: pair) { values.append(value) }
            }
        }
        return values
    }

    /// The value of a pair, where it is of this name.
    private static func value(of name: [UInt8], in pair: ArraySlice<UInt8>) -> [UInt8]? {
        let pair = pair.drop { $0 == 0x20 || $0 == 0x09 }
        guard let sign = pair.firstIndex(of: 0x3D), pair[..<sign].elementsEqual(name) else {
            return nil
        }
        let value = pair[(sign + 1)...]
        return value.isEmpty ? nil : Array(value)
    }
}
