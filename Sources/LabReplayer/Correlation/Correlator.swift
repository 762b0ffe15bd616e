// A session's state while it is replayed: what the target gave, for what is sent next. Answers in,
// bytes out; no I/O, no clock.

import LabWire

/// Puts what the target gave a session into its later requests.
///
/// It has a state for each slot, for a slot sends one session at a time.
struct Correlator {
    private struct State {
        var values: [Int: [UInt8]] = [:]
        var jar = CookieJar()
    }

    private let plan: CorrelationPlan
    private var states: [State]
    /// How often a captured value was sent, because the target had not given one.
    private(set) var misses = 0

    init(_ plan: CorrelationPlan, slots: Int) {
        self.plan = plan
        states = Array(repeating: State(), count: slots)
    }

    /// Whether a request may be sent otherwise than it was captured.
    func changes(_ place: Int) -> Bool { plan.requests[place] != nil }

    /// Whether the answer to a request must be given to ``answer(_:slot:head:content:)``.
    func watches(_ place: Int) -> Bool { plan.answers[place] != nil }

    /// Begins a session: what the one before was given is none of its business.
    mutating func begin(slot: Int) {
        guard !plan.isEmpty else { return }
        states[slot] = State()
    }

    /// A request as it is to be sent.
    ///
    /// - Parameters:
    ///   - place: Its place in the plan.
    ///   - slot: The slot that sends it.
    ///   - bytes: Its bytes as they were rendered.
    /// - Returns: Its bytes with what the target gave; nil where it is sent as it was rendered.
    mutating func request(
        _ place: Int,
        slot: Int,
        bytes: some RandomAccessCollection<UInt8>
    ) -> [UInt8]? {
        guard let request = plan.requests[place] else { return nil }
        var splices: [(range: Range<Int>, bytes: [UInt8])] = []
        var growth = 0
        for patch in request.patches {
            guard let value = value(patch, of: request, states[slot]) else { continue }
            let written = patch.encoding.encode(value)
            splices.append((patch.range, written))
            if patch.range.lowerBound >= request.contentStart {
                growth += written.count - patch.range.count
            }
        }
        guard !splices.isEmpty else { return nil }
        if growth != 0, let length = request.length {
            let count = request.contentCount + growth
            let text = request.isChunked ? String(count, radix: 16) : String(count)
            splices.append((length, Array(text.utf8)))
            splices.sort { $0.range.lowerBound < $1.range.lowerBound }
        }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 64)
        var from = 0
        for splice in splices {
            out.append(contentsOf: bytes.dropFirst(from).prefix(splice.range.lowerBound - from))
            out.append(contentsOf: splice.bytes)
            from = splice.range.upperBound
        }
        out.append(contentsOf: bytes.dropFirst(from))
        return out
    }

    /// What is to stand there now; nil where the captured value stays, which is a miss unless nobody
    /// could expect another.
    private mutating func value(
        _ patch: RequestPatch,
        of request: PatchedRequest,
        _ state: State
    ) -> [UInt8]? {
        switch patch.content {
        case .value(let number):
            guard let value = state.values[number], !patch.isNumber || Self.isNumber(value) else {
                misses += 1
                return nil
            }
            return value
        case .cookie(let name, let occurrence, let isExpected):
            let known = state.jar.values(of: name, host: request.host, path: request.path)
            guard occurrence < known.count else {
                if isExpected { misses += 1 }
                return nil
            }
            return known[occurrence]
        }
    }

    private static func isNumber(_ value: [UInt8]) -> Bool {
        JSONLeaves.of(value[...])?.first?.isString == false
    }

    /// Takes a whole answer.
    ///
    /// - Parameters:
    ///   - place: The request's place in the plan.
    ///   - slot: The slot that sent it.
    ///   - head: The answer's head as it came.
    ///   - content: Its content, without framing, or as much of it as was kept.
    mutating func answer(_ place: Int, slot: Int, head: [UInt8], content: [UInt8]) {
        guard let watched = plan.answers[place],
            let head = try? ResponseHead(
                parsing: head,
                limits: HeadLimits(headBytes: .max, targetBytes: .max, fields: .max)
            )
        else { return }
        let answer = AnswerAnatomy(head: head, content: content)
        for take in watched.takes {
            states[slot].values[take.value] = take.locator.value(in: answer)
        }
        guard watched.keepsCookies else { return }
        for cookie in answer.cookies {
            states[slot].jar.set(cookie, host: watched.host, path: watched.path)
        }
    }
}
