// The routes of a plan, each named once: what latencies are counted by.

import LabExchange

/// Routes in the order in which they were met; requests refer to them by place.
struct RouteList: Sendable {
    /// How many routes are told apart; what comes after them is one more, ``others``.
    static let most = 500
    /// The name of all routes beyond ``most``.
    static let others = "(other routes)"

    /// The names: a method and a target with its identifiers folded, such as `GET /item/{id}`.
    private(set) var names: [String] = []
    private var places: [String: Int32] = [:]

    /// The place of the route that the request with this head belongs to.
    mutating func place(of head: [UInt8]) -> Int32 {
        // A head that was read before: a method, a target and a version, apart by spaces.
        let words = head.prefix { $0 != 0x0D && $0 != 0x0A }.split(separator: 0x20, maxSplits: 2)
        guard words.count >= 2 else { return place(ofName: Self.others) }
        let name = String(decoding: words[0], as: UTF8.self) + " " + route(ofTarget: words[1])
        return place(ofName: name)
    }

    private mutating func place(ofName name: String) -> Int32 {
        if let known = places[name] { return known }
        if names.count >= Self.most, name != Self.others { return place(ofName: Self.others) }
        let place = Int32(names.count)
        names.append(name)
        places[name] = place
        return place
    }
}
