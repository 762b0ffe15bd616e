// From what was captured alone: which values did a client send that it had been given before?
//
//     answer k ──▶ its values, each with a locator ──┐
//                                                    ├── the same token ──▶ a rule
//     request m ─▶ its values, each with a place ────┘         m > k, and the client had not
//                                                              sent it before it was answered

public import LabExchange
import LabWire

/// Finds the rules that sessions follow.
struct CorrelationFinder {
    private var found: [CorrelationRule.Subject: Int] = [:]
    private var rules: [CorrelationRule] = []

    /// What answers gave in the session that is looked at.
    private struct Source {
        var answer: Int64
        var kind: RequestKind
        var locator: AnswerLocator
    }

    /// The rules, in the order in which they were first seen.
    var result: CorrelationRules { CorrelationRules(rules) }

    /// Looks at the exchanges of one session, in the order in which they were sent.
    mutating func add(session exchanges: [CapturedExchange]) {
        guard exchanges.count > 1 else { return }
        let requests = exchanges.map { RequestAnatomy(captured: $0) }
        let values = requests.map { $0?.values ?? [] }
        // Tokens that later requests hold, and that the client has not sent before it was given them.
        var open = Self.wanted(values.dropFirst())
        var sources: [[UInt8]: Source] = [:]
        var jar = CookieJar()
        var setters: [SentValue: Int64] = [:]

        for (index, exchange) in exchanges.enumerated() {
            guard let request = requests[index] else { continue }
            let kind = RequestKind(method: request.method, path: PathPattern(ofPath: request.path))
            noteCookies(of: request, exchange.id, jar, setters)
            for value in values[index] {
                let tokens = Token.candidates(in: value.value)
                if let token = tokens.first(where: { sources[$0] != nil }),
                    let source = sources[token]
                {
                    let subject = CorrelationRule.Subject.value(
                        from: source.kind,
                        at: source.locator,
                        into: kind,
                        place: value.place
                    )
                    note(subject, token, answer: source.answer, request: exchange.id)
                } else {
                    open.subtract(tokens)
                }
            }
            guard let answer = AnswerAnatomy(captured: exchange) else { continue }
            for cookie in answer.cookies {
                jar.set(cookie, host: request.host, path: request.pathText)
                setters[SentValue(name: cookie.name, value: cookie.value)] = exchange.id
            }
            for (token, locator) in answer.locators(of: open) {
                sources[token] = Source(answer: exchange.id, kind: kind, locator: locator)
            }
        }
    }

    /// The tokens that later requests hold: only they are worth looking for in answers.
    private static func wanted(_ values: ArraySlice<[PlacedValue]>) -> Set<[UInt8]> {
        var wanted: Set<[UInt8]> = []
        for value in values.joined() { wanted.formUnion(Token.candidates(in: value.value)) }
        return wanted
    }

    private struct SentValue: Hashable {
        var name: String
        var value: [UInt8]
    }

    private mutating func noteCookies(
        of request: RequestAnatomy,
        _ exchange: Int64,
        _ jar: CookieJar,
        _ setters: [SentValue: Int64]
    ) {
        for cookie in request.cookies {
            let value = Array(request.bytes[cookie.value])
            let known = jar.values(of: cookie.name, host: request.host, path: request.pathText)
            guard known.contains(value),
                let answer = setters[SentValue(name: cookie.name, value: value)]
            else { continue }
            note(.cookie(cookie.name), value, answer: answer, request: exchange)
        }
    }

    private mutating func note(
        _ subject: CorrelationRule.Subject,
        _ value: [UInt8],
        answer: Int64,
        request: Int64
    ) {
        let place = found[subject] ?? rules.count
        if place == rules.count {
            found[subject] = place
            rules.append(
                CorrelationRule(subject: subject, excerpt: CorrelationRule.excerpt(of: value))
            )
        }
        rules[place].seen += 1
        if rules[place].evidence.count < CorrelationRule.mostEvidence {
            rules[place].evidence.append(.init(answer: answer, request: request))
        }
    }
}

extension CorrelationRules {
    /// Finds the rules that captured sessions follow.
    ///
    /// - Parameter sessions: The exchanges of each session, in the order in which they were sent,
    ///   with the heads of their answers.
    /// - Returns: The rules, in the order in which they were first seen.
    public static func found(in sessions: some Sequence<[CapturedExchange]>) -> CorrelationRules {
        var finder = CorrelationFinder()
        for session in sessions { finder.add(session: session) }
        return finder.result
    }
}

extension RequestAnatomy {
    /// Takes apart a captured request; nil where its head does not parse.
    init?(captured exchange: CapturedExchange) {
        var bytes = exchange.requestHead
        if let body = exchange.requestBody, !body.isTruncated {
            let limits = HeadLimits(headBytes: .max, targetBytes: .max, fields: .max)
            guard let head = try? RequestHead(parsing: bytes, limits: limits) else { return nil }
            if head.framing == .chunked {
                bytes.append(chunk: body.bytes)
                bytes.appendLastChunk()
            } else {
                bytes.append(contentsOf: body.bytes)
            }
        }
        self.init(bytes)
    }

    /// The cookies that it carries.
    var cookies: [SentCookie] {
        head.fields.filter { head.name(of: $0).equals(ignoringCase: "cookie") }
            .flatMap { SentCookie.all(in: bytes[$0.value]) }
    }

    /// The host that it asks, without the port, in lowercase.
    var host: String {
        let value = head.value(ofFirst: "host") ?? []
        let text = Authority(value, defaultPort: 80)?.host ?? String(decoding: value, as: UTF8.self)
        return text.lowercased()
    }

    var pathText: String { String(decoding: path, as: UTF8.self) }
}

extension AnswerAnatomy {
    /// Takes apart a captured answer; nil where none came.
    convenience init?(captured exchange: CapturedExchange) {
        let limits = HeadLimits(headBytes: .max, targetBytes: .max, fields: .max)
        guard let bytes = exchange.responseHead,
            let head = try? ResponseHead(parsing: bytes, limits: limits)
        else { return nil }
        self.init(head: head, content: exchange.responseBody?.bytes ?? [])
    }
}
