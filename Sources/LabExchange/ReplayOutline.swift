// What a replay would send, before anything is sent.

/// What one pass of a replay over a session would send.
public struct ReplayOutline: Codable, Sendable, Equatable {
    /// So many requests of one method.
    public struct Method: Codable, Sendable, Equatable {
        /// The method.
        public var method: String
        /// How many.
        public var count: Int
        /// Whether it asks for nothing to be changed (RFC 9110 9.2.1).
        public var isSafe: Bool
    }

    /// So many requests of one route.
    public struct Route: Codable, Sendable, Equatable {
        /// The method.
        public var method: String
        /// The target that is sent, without what varies.
        public var route: String
        /// How many.
        public var count: Int
    }

    /// So many exchanges that are left out.
    public struct Skipped: Codable, Sendable, Equatable {
        /// Why, in a word.
        public var reason: String
        /// How they ended when they were captured.
        public var outcome: String
        /// How many.
        public var count: Int

        /// Makes an entry.
        public init(reason: String, outcome: String, count: Int) {
            self.reason = reason
            self.outcome = outcome
            self.count = count
        }
    }

    /// So many requests that are changed in one way.
    public struct Change: Codable, Sendable, Equatable {
        /// The option that changes them.
        public var option: String
        /// How many.
        public var count: Int

        /// Makes an entry.
        public init(option: String, count: Int) {
            self.option = option
            self.count = count
        }
    }

    /// The requests of one pass.
    public var requests = 0
    /// The captured connections that they are on.
    public var connections = 0
    /// The sessions that these make.
    public var sessions = 0
    /// By method, the most frequent first.
    public var methods: [Method] = []
    /// By route, the most frequent first.
    public var routes: [Route] = []
    /// What is left out.
    public var skipped: [Skipped] = []
    /// What is changed in the captured requests, in the order in which it is done.
    public var changes: [Change] = []
    /// The heads of the first requests, as they are sent.
    public var firstHeads: [String] = []

    /// Makes an outline of nothing.
    public init() {}

    /// Takes in a request.
    ///
    /// - Parameters:
    ///   - method: Its method.
    ///   - target: Its target, as it is sent.
    public mutating func add(method: String, target: some Collection<UInt8>) {
        requests += 1
        if let place = methods.firstIndex(where: { $0.method == method }) {
            methods[place].count += 1
        } else {
            methods.append(Method(method: method, count: 1, isSafe: Self.isSafe(method)))
        }
        let key = Key(method: method, route: LabExchange.route(ofTarget: target))
        byRoute[key, default: 0] += 1
    }

    /// Puts what was taken in into order.
    public mutating func sort() {
        methods.sort { ($1.count, $0.method) < ($0.count, $1.method) }
        routes = byRoute.map { Route(method: $0.key.method, route: $0.key.route, count: $0.value) }
            .sorted { ($1.count, $0.route, $0.method) < ($0.count, $1.route, $1.method) }
        byRoute = [:]
    }

    /// Whether a method asks for nothing to be changed (RFC 9110 9.2.1).
    public static func isSafe(_ method: String) -> Bool {
        ["GET", "HEAD", "OPTIONS", "TRACE"].contains(method)
    }

    private struct Key: Hashable {
        var method: String
        var route: String
    }

    private var byRoute: [Key: Int] = [:]

    private enum CodingKeys: String, CodingKey {
        case requests, connections, sessions, methods, routes, skipped, changes, firstHeads
    }
}
