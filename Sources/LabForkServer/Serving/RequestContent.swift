// A request's content, as an application reads it: bytes while they come, asked for when they are wanted.

import CLabLinux
import LabExchange
import LabWire

/// The content of one request.
struct RequestContent {
    /// What reading gave.
    enum Portion {
        case bytes(ArraySlice<UInt8>)
        case end
        /// More has to come first.
        case needsBytes
        /// There is no more, and the end did not come; see ``fault``.
        case broken
    }

    /// Why the content has no end.
    enum Fault {
        case refused(Deviation)
        case timedOut
        case reset

        /// A sentence about what happened.
        var sentence: String {
            switch self {
            case .refused(let deviation): deviation.sentence
            case .timedOut: "timeout: the request's content did not come in time"
            case .reset: "the client reset the connection inside its request"
            }
        }

        /// What the exchange comes to.
        var outcome: ExchangeOutcome {
            switch self {
            case .refused(let deviation):
                deviation.rule == .bodyTruncated ? .truncated : .badRequest
            case .timedOut: .truncated
            case .reset: .clientClosed
            }
        }

        /// What the client is answered; nil where nobody is there.
        var response: Response? {
            switch self {
            case .refused(let deviation):
                Response(deviation.rule.status, deviation.sentence + ".\n")
            case .timedOut: Response(408, "The content did not come in time.\n")
            case .reset: nil
            }
        }
    }

    private let client: ClientConnection
    private let head: RequestHead
    /// How long it may pause; ns.
    private let timeoutNs: Int64
    /// Whether the client was asked for it, or sent it unasked.
    private var isOnItsWay: Bool
    /// Whether it was read to its end.
    private(set) var isAtEnd = false
    private(set) var fault: Fault?

    init(client: ClientConnection, head: RequestHead, timeoutNs: Int64) {
        self.client = client
        self.head = head
        self.timeoutNs = timeoutNs
        isOnItsWay = !head.expectsContinue || head.framing == .none || client.reader.hasUnread
    }

    /// Whether the client may yet send it or not, as it likes (RFC 9110 10.1.1): after an answer nobody can
    /// tell it from the next request.
    var isUnasked: Bool { !isOnItsWay }

    /// What has come, without waiting.
    mutating func next(_ record: inout ExchangeRecord) -> Portion {
        guard fault == nil else { return .broken }
        guard !isAtEnd else { return .end }
        switch client.reader.next() {
        case .content(let run):
            record.requestContent(run)
            return .bytes(run)
        case .end, .closed, .head:
            isAtEnd = true
            if head.framing == .chunked {
                record.requestTrailers(client.reader.trailers, of: head)
            }
            record.requestEnd()
            return .end
        case .refused(let deviation):
            record.note(deviation)
            fault = .refused(deviation)
            return .broken
        case .needsBytes: return .needsBytes
        }
    }

    /// Has the client send it, where it waits to be asked.
    mutating func ask(stallNs: Int64) {
        guard !isOnItsWay else { return }
        isOnItsWay = true
        client.sendContinue(stallNs: stallNs)
    }

    /// Takes what the kernel has, waiting for it up to the deadline.
    ///
    /// - Returns: Whether anything came, if only the end.
    mutating func receive(deadline: Int64) -> Bool {
        switch client.receive(deadline: deadline, endsAtDrain: false) {
        case .bytes, .ended, .draining:
            isOnItsWay = true
            return true
        case .reset:
            fault = .reset
            return true
        case .timedOut: return false
        }
    }

    /// Waits until more has come, or too long.
    mutating func wait() {
        if !receive(deadline: clab_monotonic_ns() + timeoutNs) { timeOut() }
    }

    /// It did not come in time.
    mutating func timeOut() { if fault == nil, !isAtEnd { fault = .timedOut } }

    /// Reads what an application left unread, if that is little and comes soon, so that the connection can
    /// go on.
    mutating func discard(_ record: inout ExchangeRecord) {
        let deadline = clab_monotonic_ns() + 1_000_000_000
        var budget = 1 << 20
        while budget > 0 {
            switch next(&record) {
            case .bytes(let run): budget -= run.count
            case .end, .broken: return
            case .needsBytes: if !receive(deadline: deadline) { return }
            }
        }
    }
}
