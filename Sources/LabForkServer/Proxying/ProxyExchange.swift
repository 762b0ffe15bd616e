// A request sent on to an upstream and its answer sent back, both streaming at once.
//
//     client ──▶ RequestReader ──▶ framed again ──▶ pending ──▶ upstream
//     client ◀── pending ◀── framed again ◀── ResponseReader ◀── upstream
//
// Nothing waits for a whole body, and neither side may fill memory: a side is read only while little
// is pending for the other.

import CLabLinux
import Glibc
import LabExchange
import LabWire

/// Sends one request to an upstream and relays the answer.
struct ProxyExchange {
    let client: ClientConnection
    let head: RequestHead
    let answerer: Answerer
    let authority: Authority
    let addresses: [Authority]
    let timeoutNs: Int64
    let intermediary: Intermediary

    private static let mostConnectNs: Int64 = 5_000_000_000

    func run(_ upstream: inout UpstreamConnection, _ record: inout ExchangeRecord) -> ExchangeEnding
    {
        if let ending = answerHere(&record) { return ending }
        // What can't be sent again goes on a connection that the upstream can't have given up.
        if !head.isIdempotent { upstream.close() }
        let isReused = upstream.isOpen(to: authority)
        if !isReused, let failure = connect(&upstream, &record) { return failure }
        var relay = Relay(self, isReused: isReused)
        var ending = relay.run(&upstream, &record)
        if relay.mayRetry {
            // The kept connection had been closed under way; nothing came of it. A request without
            // content can be sent once more (RFC 9112 9.3.1).
            if let failure = connect(&upstream, &record) { return failure }
            relay = Relay(self, isReused: false)
            ending = relay.run(&upstream, &record)
        }
        if !relay.upstreamPersists { upstream.close() }
        return ending
            ?? ExchangeEnding(.upstreamFailed, error: "the upstream closed", goesOn: false)
    }

    /// Connects to the server that CONNECT names, says so, and carries bytes from then on.
    func runTunnel(
        _ upstream: inout UpstreamConnection,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding {
        if let failure = connect(&upstream, &record) { return failure }
        defer { upstream.close() }
        let startedNs = clab_monotonic_ns()
        let reason: StaticString = "Connection Established"
        // No Content-Length and no Transfer-Encoding: what follows is no content (RFC 9110 9.3.6).
        var answer: [UInt8] = []
        answer.append("HTTP/1.1 200 ")
        answer.append(reason)
        answer.append("\r\nDate: ")
        answer.appendDate(time(nil))
        answer.append("\r\nServer: lab\r\n\r\n")
        record.responseHead(
            status: 200,
            reason: UnsafeBufferPointer(start: reason.utf8Start, count: reason.utf8CodeUnitCount),
            head: answer,
            startedNs: startedNs
        )
        var tunnel = Tunnel(client: client, toClient: Pending(answer), timeoutNs: timeoutNs)
        return tunnel.run(&upstream, &record)
    }

    private func connect(
        _ upstream: inout UpstreamConnection,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding? {
        let failure = upstream.connect(
            to: authority,
            addresses: addresses,
            timeoutNs: min(timeoutNs, Self.mostConnectNs)
        )
        switch failure {
        case nil:
            record.upstreamConnected()
            return nil
        case .refused(let why): return fail(502, .upstreamRefused, why, &record)
        case .timedOut(let why): return fail(504, .upstreamTimeout, why, &record)
        }
    }

    /// Answers what must not be sent on; nil where it may be.
    private func answerHere(_ record: inout ExchangeRecord) -> ExchangeEnding? {
        if head.maxForwards == 0 { return answer(asFinalRecipient, .ok, error: "", &record) }
        guard intermediary.hasSent(head) else { return nil }
        let why = "this request has come from here before: it goes in a loop"
        return fail(508, .ok, why, &record)
    }

    /// The answer to a TRACE or OPTIONS that was sent to reach this far (RFC 9110 7.6.2).
    private var asFinalRecipient: Response {
        if head.method.equals("TRACE") {
            return Response(200, type: "message/http", content: .bytes(head.traced))
        }
        var response = Response(200, "")
        response.fields.append(
            "Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, TRACE\r\n"
        )
        return response
    }

    /// Answers for an upstream that did not.
    func fail(
        _ status: Int,
        _ outcome: ExchangeOutcome,
        _ why: String,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding {
        answer(Response(status, "lab: \(why).\n"), outcome, error: why, &record)
    }

    /// Sends an answer of this server's own; content that the request has is not read any more.
    private func answer(
        _ response: Response,
        _ outcome: ExchangeOutcome,
        error: String,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding {
        let hasContent = head.framing != .none
        answerer.mustClose = hasContent
        _ = answerer.answer(response, &record)
        return ExchangeEnding(
            outcome,
            error: error,
            goesOn: !answerer.closes,
            mustLinger: hasContent
        )
    }
}
