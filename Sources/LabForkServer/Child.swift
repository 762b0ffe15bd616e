// A child's life: read a request, build its environ, tell, answer, tell, and again.
//
//     head ─▶ environ ─▶ told ─▶ content ─▶ told ─▶ application or upstream ─▶ answer ─▶ told ─┐
//      ▲                                                                                     │
//      └─────────────────────────────── keep-alive ──────────────────────────────────────────┘
//
// What is told before the application runs is in the queue even if the application ends this process.

import CLabLinux
import Glibc
import LabExchange
import LabWire

/// Serves one connection.
struct Child {
    let settings: ForkServerSettings
    let channel: FrameChannel
    let client: ClientConnection
    let environs: EnvironBuilder
    let origin: ConnectionOrigin
    let mode: ForkServerSettings.Mode
    /// When the connection was closed.
    private(set) var closedNs: Int64 = 0

    private var sequence: Int32 = 0
    private var upstream = UpstreamConnection()
    private var usageBefore: (user: Int64, system: Int64) = (0, 0)

    init(
        settings: ForkServerSettings, channel: FrameChannel, client: ClientConnection,
        environs: EnvironBuilder, origin: ConnectionOrigin, mode: ForkServerSettings.Mode
    ) {
        self.settings = settings
        self.channel = channel
        self.client = client
        self.environs = environs
        self.origin = origin
        self.mode = mode
    }

    /// Serves requests until the connection ends.
    mutating func serve() {
        usageBefore = usageNow()
        var goesOn = true
        while goesOn {
            switch readHead() {
            case .head(let head, let startedNs):
                goesOn = exchange(head, startedNs: startedNs)
            case .refused(let deviation, let startedNs):
                refuse(deviation, startedNs: startedNs)
                goesOn = false
            case .timedOut(let startedNs):
                timeOut(startedNs)
                goesOn = false
            case .ended:
                goesOn = false
            }
        }
        client.close(lingering: mustLinger)
        closedNs = clab_monotonic_ns()
        upstream.close()
    }

    /// Whether bytes may stand unread in the kernel, that would turn the close into a reset.
    private var mustLinger = false

    // MARK: Reading a head

    private enum Reading {
        case head(RequestHead, startedNs: Int64)
        case refused(Deviation, startedNs: Int64)
        case timedOut(startedNs: Int64)
        case ended
    }

    private func readHead() -> Reading {
        let isFirst = sequence == 0
        let now = clab_monotonic_ns()
        var startedNs: Int64? = client.reader.hasUnread ? now : nil
        var deadline = now + (isFirst || startedNs != nil ? settings.headerTimeoutNs : settings.idleTimeoutNs)
        var hasGrace = isFirst
        while true {
            switch client.reader.next() {
            case .head(let head): return .head(head, startedNs: startedNs ?? now)
            case .refused(let deviation):
                return .refused(deviation, startedNs: startedNs ?? now)
            case .closed: return .ended
            case .content, .end: continue
            case .needsBytes: break
            }
            switch client.receive(deadline: deadline, endsAtDrain: startedNs == nil) {
            case .bytes:
                if startedNs == nil {
                    let first = clab_monotonic_ns()
                    startedNs = first
                    if !isFirst { deadline = first + settings.headerTimeoutNs }
                }
            case .ended: continue
            case .reset: return .ended
            case .timedOut:
                guard let startedNs else { return .ended }
                return .timedOut(startedNs: startedNs)
            case .draining:
                // A client that has just connected has its request on the way.
                guard hasGrace else { return .ended }
                hasGrace = false
                let arrival = client.receive(
                    deadline: clab_monotonic_ns() + 500_000_000, endsAtDrain: false)
                guard case .bytes = arrival else { return .ended }
                startedNs = clab_monotonic_ns()
            }
        }
    }

    // MARK: One exchange

    /// Serves one request; says whether the connection goes on.
    private mutating func exchange(_ head: RequestHead, startedNs: Int64) -> Bool {
        sequence += 1
        var record = ExchangeRecord(
            channel: channel, connectionID: origin.connectionID, sequence: sequence)
        let (environ, deviations) = environs.environ(
            of: head, peerAddress: origin.peerAddress, peerPort: origin.peerPort)
        record.requestHead(head, environ, deviations, startedNs: startedNs)
        let isLast = settings.maxRequestsPerChild > 0
            && Int(sequence) >= settings.maxRequestsPerChild
        let answerer = Answerer(
            client: client, head: head, closes: !head.persists || isLast,
            stallNs: settings.upstreamTimeoutNs)
        let ending: ExchangeEnding
        switch route(head) {
        case .builtIn:
            ending = answerBuiltIn(head, environ, answerer, &record)
        case .upstream(let authority, let addresses, let isProxy):
            let proxy = ProxyExchange(
                client: client, head: head, answerer: answerer, authority: authority,
                addresses: addresses, timeoutNs: settings.upstreamTimeoutNs, isForward: isProxy)
            ending = proxy.run(&upstream, &record)
        case .refused(let response, let why, let deviation):
            if let deviation { record.note(deviation) }
            answerer.mustClose = true
            mustLinger = true
            _ = answerer.answer(response, &record)
            ending = ExchangeEnding(.badRequest, error: why, goesOn: !answerer.closes)
        }
        finish(ending, record)
        if ending.mustLinger { mustLinger = true }
        return ending.goesOn
    }

    private mutating func finish(_ ending: ExchangeEnding, _ record: ExchangeRecord) {
        record.end(ending.outcome, error: ending.error, usage: usageSince())
        if ending.goesOn { record.flush() }
    }

    private enum Route {
        case builtIn
        case upstream(Authority, [Authority], isProxy: Bool)
        case refused(Response, why: String, Deviation?)
    }

    private func route(_ head: RequestHead) -> Route {
        guard let form = head.form else {
            let deviation = Deviation(.targetInvalid, at: head.targetPlace.lowerBound)
            return .refused(
                Response(400, "The request target has no form that this method allows.\n"),
                why: describe(deviation), deviation)
        }
        if case .authority = form {
            return .refused(
                Response(501, "CONNECT is not tunnelled here.\n"),
                why: "CONNECT is not tunnelled here", nil)
        }
        if case .upstream(let authority, let addresses) = mode {
            return .upstream(authority, addresses, isProxy: false)
        }
        if case .absolute(let authority, _) = form, !isOwn(authority) {
            guard settings.forwards else {
                return .refused(
                    Response(403, "Forwarding is off; start lab record with --forward.\n"),
                    why: "forwarding is off: this server listens beyond loopback and --forward was not given",
                    nil)
            }
            return .upstream(authority, [], isProxy: true)
        }
        return .builtIn
    }

    /// Whether an absolute target names this server, which then answers and forwards to nobody.
    private func isOwn(_ authority: Authority) -> Bool {
        let own = settings.serverName
        return authority.port == own.port
            && (authority.host == own.host || authority.host == "localhost"
                || authority.host == "127.0.0.1")
    }

    /// Reads the whole content first, so that a framing fault is always answered 4xx.
    private mutating func answerBuiltIn(
        _ head: RequestHead, _ environ: Environ, _ answerer: Answerer,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding {
        let application = BuiltInApplication(
            descriptors: [client.descriptor, ForkServerSettings.frames])
        var kept: [UInt8] = []
        let keeps = BuiltInApplication.echoes(environ["PATH_INFO"] ?? [])
        if head.expectsContinue, !client.reader.hasUnread, head.framing != .none {
            _ = client.send(Array("HTTP/1.1 100 Continue\r\n\r\n".utf8), stallNs: answerer.stallNs)
        }
        reading: while true {
            switch client.reader.next() {
            case .content(let content):
                record.requestContent(content)
                guard keeps else { continue }
                guard kept.count + content.count <= BuiltInApplication.mostEchoBytes else {
                    answerer.mustClose = true
                    let sent = answerer.answer(
                        Response(413, "/echo takes up to 64 MiB.\n"), &record)
                    return ExchangeEnding(
                        sent ? .ok : .clientClosed, goesOn: false, mustLinger: true)
                }
                kept.append(contentsOf: content)
            case .end: break reading
            case .refused(let deviation): return refuseContent(deviation, answerer, &record)
            case .closed, .head: break reading
            case .needsBytes:
                let deadline = clab_monotonic_ns() + settings.idleTimeoutNs
                switch client.receive(deadline: deadline, endsAtDrain: false) {
                case .bytes, .ended, .draining: continue
                case .reset:
                    return ExchangeEnding(
                        .clientClosed, error: "the client reset the connection inside its request",
                        goesOn: false)
                case .timedOut:
                    answerer.mustClose = true
                    _ = answerer.answer(Response(408, "The content did not come in time.\n"), &record)
                    return ExchangeEnding(
                        .truncated, error: "the request's content did not come in time",
                        goesOn: false, mustLinger: true)
                }
            }
        }
        record.requestEnd()
        record.flush()
        let sent = answerer.answer(application.answer(head, environ, content: kept), &record)
        guard sent else {
            return ExchangeEnding(
                .clientClosed, error: "the client closed before it had the whole answer",
                goesOn: false)
        }
        return ExchangeEnding(.ok, goesOn: !answerer.closes)
    }

    private func refuseContent(
        _ deviation: Deviation, _ answerer: Answerer, _ record: inout ExchangeRecord
    ) -> ExchangeEnding {
        record.note(deviation)
        answerer.mustClose = true
        _ = answerer.answer(
            Response(deviation.rule.status, describe(deviation) + ".\n"), &record)
        return ExchangeEnding(
            deviation.rule == .bodyTruncated ? .truncated : .badRequest,
            error: describe(deviation), goesOn: false, mustLinger: true)
    }

    // MARK: What is no exchange

    private mutating func refuse(_ deviation: Deviation, startedNs: Int64) {
        let response = Response(deviation.rule.status, describe(deviation) + ".\n")
        answerUnread(response, deviation, startedNs, .badRequest, describe(deviation))
    }

    private mutating func timeOut(_ startedNs: Int64) {
        let deviation = Deviation(.headTruncated, at: client.reader.unread.count)
        answerUnread(
            Response(408, "The head did not come in time.\n"), deviation, startedNs, .badRequest,
            "the head did not come in time")
    }

    private mutating func answerUnread(
        _ response: Response, _ deviation: Deviation, _ startedNs: Int64,
        _ outcome: ExchangeOutcome, _ error: String
    ) {
        sequence += 1
        var record = ExchangeRecord(
            channel: channel, connectionID: origin.connectionID, sequence: sequence)
        record.refusedHead(client.reader.unread, deviation, startedNs: startedNs)
        let answerer = Answerer(
            client: client, head: nil, closes: true, stallNs: settings.upstreamTimeoutNs)
        _ = answerer.answer(response, &record)
        record.end(outcome, error: error, usage: usageSince())
        mustLinger = true
    }

    private func describe(_ deviation: Deviation) -> String {
        "the message \(deviation.rule.sentence) (\(deviation.rule.section), byte \(deviation.offset))"
    }

    // MARK: Cost

    private func usageNow() -> (user: Int64, system: Int64) {
        let all = ResourceUsage.ofThisProcess()
        return (all.userCPUUs, all.systemCPUUs)
    }

    /// What was used since the exchange before, or since the start.
    private mutating func usageSince() -> (user: Int64, system: Int64) {
        let now = usageNow()
        defer { usageBefore = now }
        return (now.user - usageBefore.user, now.system - usageBefore.system)
    }
}

/// How an exchange ended, and what that means for the connection.
struct ExchangeEnding {
    let outcome: ExchangeOutcome
    let error: String
    let goesOn: Bool
    let mustLinger: Bool

    init(_ outcome: ExchangeOutcome, error: String = "", goesOn: Bool, mustLinger: Bool = false) {
        self.outcome = outcome
        self.error = error
        self.goesOn = goesOn
        self.mustLinger = mustLinger
    }
}
