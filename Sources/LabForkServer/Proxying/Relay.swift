// The two directions of one proxied exchange, each with what is pending.

import CLabLinux
import Glibc
import LabExchange
import LabWire

/// The two directions of one exchange, each with what is pending.
struct Relay {
    private static let mostPending = 128 << 10
    /// How much is kept of a head that is none.
    private static let mostRefusedBytes = 64 << 10

    private let exchange: ProxyExchange
    /// Whether the upstream's connection had carried a request before.
    private let isReused: Bool
    private var toUpstream: Pending
    private var toClient = Pending()
    private var requestIsRead = false
    private var upstreamTakesMore = true
    private var gotAnyByte = false
    private var upstreamHasEnded = false
    private var upstreamWasReset = false
    private var response: ResponseHead?
    private var responseIsRead = false
    private var sendsChunks = false
    private var closesClient: Bool
    /// Whether the upstream answered 101 and speaks the client's other protocol from here on.
    private var hasSwitched = false
    private var responseStartedNs: Int64 = 0

    /// Whether the upstream's connection can carry another request.
    private(set) var upstreamPersists = false
    /// Whether the upstream closed before it answered anything, and the request can be sent again.
    private(set) var mayRetry = false

    init(_ exchange: ProxyExchange, isReused: Bool) {
        self.exchange = exchange
        self.isReused = isReused
        let host = Array(exchange.authority.text.utf8)
        toUpstream = Pending(exchange.head.forwarded(host: host, by: exchange.intermediary))
        closesClient = exchange.answerer.closes
    }

    /// Relays until the answer is sent; nil where the upstream closed a kept connection unanswered.
    mutating func run(
        _ upstream: inout UpstreamConnection,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding? {
        upstream.reader.expectResponse(toMethod: exchange.head.method)
        while true {
            if let ending = readRequest(&record) { return ending }
            if let ending = readResponse(&upstream, &record) { return ending }
            if mayRetry { return nil }
            if upstreamTakesMore, !toUpstream.flush(upstream.descriptor) {
                // It may have answered before it closed: what it sent is still to be read.
                upstreamTakesMore = false
                toUpstream = Pending()
            }
            if !toClient.isEmpty {
                exchange.client.slot?.pointee.hasAnswer = 1
                // What a client was answered is on record, whatever ends this process then.
                record.flush()
            }
            if !toClient.flush(exchange.client.descriptor) {
                return ExchangeEnding(
                    .clientClosed,
                    error: "the client closed before it had the whole answer",
                    goesOn: false
                )
            }
            // What of the request is still to come is sent first, in HTTP.
            if hasSwitched, requestIsRead { return tunnel(&upstream, &record) }
            if responseIsRead, !hasSwitched, toClient.isEmpty { return end() }
            if let ending = wait(&upstream, &record) { return ending }
        }
    }

    private func end() -> ExchangeEnding {
        // An answer that came before the whole request leaves content that nobody will read.
        ExchangeEnding(
            .ok,
            goesOn: !closesClient && requestIsRead,
            mustLinger: !requestIsRead
        )
    }

    private func tunnel(
        _ upstream: inout UpstreamConnection,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding {
        var tunnel = Tunnel(
            client: exchange.client,
            toUpstream: toUpstream,
            toClient: toClient,
            timeoutNs: exchange.timeoutNs
        )
        return tunnel.run(&upstream, &record)
    }

    // MARK: From the client

    private mutating func readRequest(_ record: inout ExchangeRecord) -> ExchangeEnding? {
        while !requestIsRead, toUpstream.count < Self.mostPending {
            switch exchange.client.reader.next() {
            case .content(let content):
                record.requestContent(content)
                guard upstreamTakesMore else { continue }
                if exchange.head.framing == .chunked {
                    toUpstream.bytes.append(chunk: content)
                } else {
                    toUpstream.bytes.append(contentsOf: content)
                }
            case .end:
                requestIsRead = true
                record.requestEnd()
                if exchange.head.framing == .chunked {
                    let trailers = record.requestTrailers(
                        exchange.client.reader.trailers,
                        of: exchange.head
                    )
                    toUpstream.bytes.appendLastChunk(trailers: trailers)
                }
            case .refused(let deviation):
                record.note(deviation)
                let why = "the message \(deviation.rule.sentence) (\(deviation.rule.section))"
                let outcome: ExchangeOutcome =
                    deviation.rule == .bodyTruncated ? .truncated : .badRequest
                guard response == nil else {
                    return ExchangeEnding(outcome, error: why, goesOn: false, mustLinger: true)
                }
                return exchange.fail(deviation.rule.status, outcome, why, &record)
            case .needsBytes: return nil
            case .head, .closed: requestIsRead = true
            }
        }
        return nil
    }

    // MARK: From the upstream

    private mutating func readResponse(
        _ upstream: inout UpstreamConnection,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding? {
        while !responseIsRead, toClient.count < Self.mostPending {
            switch upstream.reader.next() {
            case .needsBytes:
                guard upstreamWasReset else { return nil }
                mayRetry = mayBeRepeated
                return abort("the upstream reset the connection", &record)
            case .head(let head):
                record.noteOfResponse(head.deviations)
                if head.status == 101 {
                    guard exchange.head.offersUpgrade else {
                        return abort("the upstream switched protocols unasked", &record)
                    }
                    hasSwitched = true
                    responseIsRead = true
                }
                begin(head, &record)
            case .content(let content):
                record.responseContent(content)
                if sendsChunks {
                    toClient.bytes.append(chunk: content)
                } else {
                    toClient.bytes.append(contentsOf: content)
                }
            case .end:
                responseIsRead = true
                let all = upstream.reader.trailers
                record.part(.responseTrailers, all.bytes)
                if sendsChunks, let response {
                    let trailers = all.forwarded(of: response)
                    record.noteOfResponse(trailers.dropped)
                    toClient.bytes.appendLastChunk(trailers: trailers.lines)
                }
                upstreamPersists =
                    requestIsRead && upstreamTakesMore && response?.persists == true
                    && response?.framing(forMethod: exchange.head.method) != .untilClose
                    && !upstream.reader.hasUnread
            case .refused(let deviation):
                record.noteOfResponse([deviation])
                if response == nil {
                    let head = upstream.reader.refusedHead
                    record.part(.refusedAnswer, head.prefix(Self.mostRefusedBytes))
                }
                let why =
                    "the upstream's answer \(deviation.rule.sentence) (\(deviation.rule.section))"
                return abort(why, &record)
            case .closed:
                mayRetry = mayBeRepeated
                return abort("the upstream closed without an answer", &record)
            }
        }
        return nil
    }

    /// Whether the upstream had closed the kept connection before it can have seen the request.
    private var mayBeRepeated: Bool {
        isReused && !gotAnyByte && requestIsRead && exchange.head.framing == .none
            && exchange.head.isIdempotent
    }

    private mutating func begin(_ head: ResponseHead, _ record: inout ExchangeRecord) {
        if head.isInterim {
            // The answer is still to come, and so is its first byte.
            responseStartedNs = 0
            // An HTTP/1.0 client knows no interim responses (RFC 9110 15.2).
            guard exchange.head.minorVersion >= 1 else { return }
            toClient.bytes.append(
                contentsOf: head.forwarded(
                    isChunked: false,
                    closes: false,
                    keepsAlive: false,
                    by: exchange.intermediary
                )
            )
            return
        }
        response = head
        // An error before the request was read to its end: what is left of it will not be read.
        if !requestIsRead, head.status >= 400 { closesClient = true }
        let framing = head.framing(forMethod: exchange.head.method)
        switch framing {
        case .none, .length: break
        case .chunked, .untilClose:
            sendsChunks = exchange.head.minorVersion >= 1
            if !sendsChunks { closesClient = true }
        }
        if responseStartedNs == 0 { responseStartedNs = clab_monotonic_ns() }
        record.responseHead(
            status: head.status,
            reason: head.reason,
            head: head.bytes,
            startedNs: responseStartedNs
        )
        toClient.bytes.append(
            contentsOf: head.forwarded(
                isChunked: sendsChunks,
                closes: closesClient,
                keepsAlive: !closesClient && exchange.head.minorVersion == 0,
                by: exchange.intermediary
            )
        )
    }

    /// The upstream failed: 502 while nothing was sent, else the connection breaks off.
    private mutating func abort(_ why: String, _ record: inout ExchangeRecord) -> ExchangeEnding? {
        if mayRetry { return nil }
        guard response == nil else {
            _ = toClient.flush(exchange.client.descriptor)
            return ExchangeEnding(.truncated, error: why, goesOn: false)
        }
        return exchange.fail(502, .upstreamFailed, why, &record)
    }

    // MARK: Waiting

    private mutating func wait(
        _ upstream: inout UpstreamConnection,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding? {
        record.flush()
        var clientEvents: Int32 = 0
        var upstreamEvents: Int32 = 0
        let readsClient = !requestIsRead && toUpstream.count < Self.mostPending
        let readsUpstream = !responseIsRead && toClient.count < Self.mostPending
        if readsClient { clientEvents |= Int32(CLAB_IN) }
        if !toClient.isEmpty { clientEvents |= Int32(CLAB_OUT) }
        if readsUpstream { upstreamEvents |= Int32(CLAB_IN) }
        if !toUpstream.isEmpty { upstreamEvents |= Int32(CLAB_OUT) }
        var polls = (
            clab_poll(fd: exchange.client.descriptor, events: Int16(clientEvents), revents: 0),
            clab_poll(
                fd: upstreamHasEnded || upstreamEvents == 0 ? -1 : upstream.descriptor,
                events: Int16(upstreamEvents),
                revents: 0
            )
        )
        let ready = withUnsafeMutablePointer(to: &polls) { pair in
            pair.withMemoryRebound(to: clab_poll.self, capacity: 2) {
                clab_poll($0, 2, exchange.timeoutNs)
            }
        }
        if ready == 0 { return timedOut(&record) }
        if readsUpstream, polls.1.revents != 0 { receive(&upstream) }
        let clientReady = Int32(polls.0.revents)
        if readsClient, clientReady & Int32(CLAB_IN | CLAB_HUP | CLAB_ERR) != 0 {
            let arrival = exchange.client.receive(
                deadline: clab_monotonic_ns(),
                endsAtDrain: false
            )
            if case .reset = arrival { return clientLeft() }
        } else if clientReady & Int32(CLAB_HUP | CLAB_ERR) != 0 {
            return clientLeft()
        }
        return nil
    }

    private func clientLeft() -> ExchangeEnding {
        ExchangeEnding(.clientClosed, error: "the client reset the connection", goesOn: false)
    }

    private mutating func timedOut(_ record: inout ExchangeRecord) -> ExchangeEnding {
        let time = durationText(exchange.timeoutNs)
        if !toClient.isEmpty {
            return ExchangeEnding(
                .clientClosed,
                error: "timeout: the client took nothing for \(time)",
                goesOn: false
            )
        }
        if !requestIsRead, toUpstream.isEmpty, response == nil {
            let why = "timeout: the request's content did not come for \(time)"
            return exchange.fail(408, .truncated, why, &record)
        }
        let why = "timeout: the upstream was silent for \(time)"
        guard response == nil else {
            return ExchangeEnding(.upstreamTimeout, error: why, goesOn: false)
        }
        return exchange.fail(504, .upstreamTimeout, why, &record)
    }

    private mutating func receive(_ upstream: inout UpstreamConnection) {
        switch upstream.receive() {
        case .bytes:
            if responseStartedNs == 0 { responseStartedNs = clab_monotonic_ns() }
            gotAnyByte = true
        case .ended:
            upstreamHasEnded = true
        case .reset:
            // A reset is no end: content that has no other end is not complete.
            upstreamHasEnded = true
            upstreamWasReset = true
        case .nothing: break
        }
    }
}
