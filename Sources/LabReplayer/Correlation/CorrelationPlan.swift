// Rules and captured sessions -> what to take from which answer, and which bytes of which request
// to put it in place of. Made once: requests and answers that no rule concerns have nothing here,
// and are sent and read as if there were no rules.

import LabExchange
import LabWire

/// A request of a session: its place in the plan, its bytes as they are sent, and its capture.
struct CorrelationTurn {
    var place: Int
    var request: [UInt8]
    var exchange: CapturedExchange
}

/// Bytes of a request that something is put in place of.
struct RequestPatch: Sendable {
    enum Content: Sendable {
        /// A value that was taken from an answer of the session, by its number there.
        case value(Int)
        /// A cookie of the session's jar.
        ///
        /// - occurrence: Which one of those of that name, from 0.
        /// - isExpected: Whether the captured value was set by an answer of the session, so that its
        ///   absence is a miss.
        case cookie(name: String, occurrence: Int, isExpected: Bool)
    }

    var range: Range<Int>
    var content: Content
    var encoding: ValueEncoding
    var isNumber = false
}

/// A request that rules concern.
struct PatchedRequest: Sendable {
    /// In the order of their ranges, which do not overlap.
    var patches: [RequestPatch]
    /// The host that was asked when it was captured, and the path that is asked now.
    var host: String
    var path: String
    /// Where the content begins, and where its length is written, if it is.
    var contentStart: Int
    var contentCount: Int
    var length: Range<Int>?
    var isChunked: Bool
}

/// An answer that rules concern.
struct WatchedAnswer: Sendable {
    /// What is taken, each with the value's number in the session.
    var takes: [(value: Int, locator: AnswerLocator)] = []
    /// Whether the cookies that it sets are kept.
    var keepsCookies = false
    /// The host and the path of its request, as cookies are kept by.
    var host = ""
    var path = ""
}

/// What the rules come to for the requests of a plan.
struct CorrelationPlan: Sendable {
    /// By the request's place.
    private(set) var requests: [Int: PatchedRequest] = [:]
    private(set) var answers: [Int: WatchedAnswer] = [:]
    /// For each rule how many requests it concerns.
    private(set) var uses: [Int]
    private let rules: [CorrelationRule]
    private let cookieRules: [String: Int]

    /// Whether no rule concerns any request.
    var isEmpty: Bool { requests.isEmpty }

    init(_ rules: CorrelationRules) {
        self.rules = rules.rules
        uses = Array(repeating: 0, count: rules.rules.count)
        var cookieRules: [String: Int] = [:]
        for (index, rule) in rules.rules.enumerated() {
            if case .cookie(let name) = rule.subject { cookieRules[name] = index }
        }
        self.cookieRules = cookieRules
    }

    /// What is to be done to the sessions of a plan.
    init(
        _ correlation: Correlation,
        _ exchanges: [CapturedExchange],
        _ plan: ReplayPlan,
        _ table: SessionTable
    ) {
        guard correlation != .off else {
            self.init(CorrelationRules())
            return
        }
        // The plan has the exchanges in their order, without those that cannot be sent.
        var captured: [Int] = []
        captured.reserveCapacity(plan.count)
        for (index, exchange) in exchanges.enumerated() where captured.count < plan.count {
            if plan.requests[captured.count].exchangeID == exchange.id { captured.append(index) }
        }
        let sessions = table.sessions.lazy.filter { $0.end - $0.first > 1 }
            .map { ($0.first..<$0.end).map { Int(table.steps[$0].request) } }
        let rules: CorrelationRules
        if case .rules(let given) = correlation {
            rules = given
        } else {
            rules = .found(in: sessions.map { $0.map { exchanges[captured[$0]] } })
        }
        self.init(rules)
        guard rules.count > 0 else { return }
        for session in sessions {
            add(
                session: session.map { place in
                    let request = plan.requests[place]
                    let bytes = UnsafeBufferPointer(
                        start: plan.arena.base + request.place,
                        count: Int(request.length)
                    )
                    return CorrelationTurn(
                        place: place,
                        request: Array(bytes),
                        exchange: exchanges[captured[place]]
                    )
                }
            )
        }
    }

    /// Adds a session, its requests in the order in which they are sent.
    mutating func add(session turns: [CorrelationTurn]) {
        guard !rules.isEmpty, turns.count > 1 else { return }
        var session = SessionBinding(rules: rules, cookieRules: cookieRules)
        for turn in turns { session.add(turn) }
        for (rule, count) in session.uses { uses[rule] += count }
        requests.merge(session.requests) { $1 }
        answers.merge(session.answers) { $1 }
    }
}

/// The rules at one session.
private struct SessionBinding {
    let rules: [CorrelationRule]
    let cookieRules: [String: Int]
    private(set) var requests: [Int: PatchedRequest] = [:]
    private(set) var answers: [Int: WatchedAnswer] = [:]
    private(set) var uses: [Int: Int] = [:]

    /// What was captured at a locator of an answer.
    private struct Given {
        var place: Int
        var locator: AnswerLocator
        var value: [UInt8]
        /// Its number, once a request uses it.
        var number: Int?
    }

    /// By rule, the latest last; and by what was given, the latest.
    private var given: [Int: [Given]] = [:]
    private var latest: [Int: [[UInt8]: Int]] = [:]
    private var valueCount = 0
    private var jar = CookieJar()
    private var watchedTurns = 0
    private var turns: [(place: Int, host: String, path: String)] = []

    init(rules: [CorrelationRule], cookieRules: [String: Int]) {
        self.rules = rules
        self.cookieRules = cookieRules
    }

    mutating func add(_ turn: CorrelationTurn) {
        guard let captured = RequestAnatomy(captured: turn.exchange),
            let request = RequestAnatomy(turn.request)
        else { return }
        // The captured host, for all go to one target now.
        let host = captured.host
        patch(request, at: turn.place, host: host)
        turns.append((turn.place, host, request.pathText))
        guard let answer = AnswerAnatomy(captured: turn.exchange) else { return }
        for (index, rule) in rules.enumerated() {
            guard case .value(let from, let locator, _, _) = rule.subject,
                from.matches(method: request.method, path: request.path),
                let value = locator.value(in: answer)
            else { continue }
            latest[index, default: [:]][value] = given[index, default: []].count
            given[index, default: []].append(
                Given(place: turn.place, locator: locator, value: value)
            )
        }
        for cookie in answer.cookies where cookieRules[cookie.name] != nil {
            jar.set(cookie, host: host, path: request.pathText)
        }
    }

    private mutating func patch(_ request: RequestAnatomy, at place: Int, host: String) {
        var patches = cookiePatches(request, host)
        if !patches.isEmpty { watchCookies() }
        let kinds = rules.enumerated().filter { index, rule in
            guard case .value(_, _, let into, _) = rule.subject, given[index] != nil else {
                return false
            }
            return into.matches(method: request.method, path: request.path)
        }
        if !kinds.isEmpty {
            let values = request.values
            for (index, rule) in kinds {
                for value in values where rule.place == value.place {
                    guard let patch = patch(value, of: request, byRule: index),
                        !patches.contains(where: { $0.range.overlaps(patch.range) })
                    else { continue }
                    patches.append(patch)
                    uses[index, default: 0] += 1
                }
            }
        }
        guard !patches.isEmpty else { return }
        requests[place] = PatchedRequest(
            patches: patches.sorted { $0.range.lowerBound < $1.range.lowerBound },
            host: host,
            path: request.pathText,
            contentStart: request.content.lowerBound,
            contentCount: request.content.count,
            length: request.length,
            isChunked: request.isChunked
        )
    }

    private mutating func cookiePatches(_ request: RequestAnatomy, _ host: String) -> [RequestPatch]
    {
        guard !cookieRules.isEmpty else { return [] }
        var occurrences: [String: Int] = [:]
        return request.cookies.compactMap { cookie in
            guard let rule = cookieRules[cookie.name] else { return nil }
            let occurrence = occurrences[cookie.name, default: 0]
            occurrences[cookie.name] = occurrence + 1
            uses[rule, default: 0] += 1
            let known = jar.values(of: cookie.name, host: host, path: request.pathText)
            return RequestPatch(
                range: cookie.value,
                content: .cookie(
                    name: cookie.name,
                    occurrence: occurrence,
                    isExpected: known.contains(Array(request.bytes[cookie.value]))
                ),
                encoding: .plain
            )
        }
    }

    /// From now back to the session's start every answer may set what is sent here.
    private mutating func watchCookies() {
        defer { watchedTurns = turns.count }
        for turn in turns[watchedTurns...] {
            answers[turn.place, default: WatchedAnswer()].keepsCookies = true
            answers[turn.place]?.host = turn.host
            answers[turn.place]?.path = turn.path
        }
    }

    /// The patch for a value that an earlier answer gave; nil where none gave it.
    private mutating func patch(
        _ value: PlacedValue,
        of request: RequestAnatomy,
        byRule index: Int
    ) -> RequestPatch? {
        guard let (gift, range) = gift(for: value, of: request, index),
            let found = given[index]?[gift]
        else { return nil }
        let number = found.number ?? valueCount
        if found.number == nil {
            valueCount += 1
            given[index]?[gift].number = number
            answers[found.place, default: WatchedAnswer()].takes.append((number, found.locator))
        }
        return RequestPatch(
            range: range,
            content: .value(number),
            encoding: value.encoding,
            isNumber: value.isNumber
        )
    }

    /// How many answers back a value may have been given that is only a part of what is sent.
    private static let mostParts = 16

    /// What was given that a request sends: the latest that is the whole value, else that is a part.
    private func gift(
        for value: PlacedValue,
        of request: RequestAnatomy,
        _ index: Int
    ) -> (gift: Int, range: Range<Int>)? {
        if let gift = latest[index]?[value.value] { return (gift, value.range) }
        guard let gifts = given[index] else { return nil }
        for gift in gifts.indices.suffix(Self.mostParts).reversed() {
            if let range = range(of: gifts[gift].value, in: value, request) { return (gift, range) }
        }
        return nil
    }

    /// Where a given value stands in a sent one: it is the whole, or a part that is no coincidence.
    private func range(
        of given: [UInt8],
        in value: PlacedValue,
        _ request: RequestAnatomy
    ) -> Range<Int>? {
        if value.value == given { return value.range }
        guard given.count >= Token.leastLength, !value.isNumber else { return nil }
        let bytes = request.bytes[value.range]
        return bytes.firstRange(of: given) ?? bytes.firstRange(of: value.encoding.encode(given))
    }
}

extension CorrelationRule {
    fileprivate var place: RequestPlace? {
        guard case .value(_, _, _, let place) = subject else { return nil }
        return place
    }
}
