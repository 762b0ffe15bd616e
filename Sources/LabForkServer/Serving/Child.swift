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
    /// What answers in place of the built-in application.
    let application: (any Application)?
    /// When the connection was closed.
    private(set) var closedNs: Int64 = 0
    /// The status to leave with, where the application asked for one, or a program failed.
    private(set) var exitStatus: Int32?
    /// Whether the application asked to leave at once.
    private var leaves = false

    private var sequence: Int32 = 0
    /// Whether there was any request.
    var hasServed: Bool { sequence > 0 }
    private var upstream = UpstreamConnection()
    private var usageBefore: (user: Int64, system: Int64) = (0, 0)

    init(
        settings: ForkServerSettings,
        channel: FrameChannel,
        client: ClientConnection,
        environs: EnvironBuilder,
        origin: ConnectionOrigin,
        mode: ForkServerSettings.Mode,
        application: (any Application)?
    ) {
        self.settings = settings
        self.channel = channel
        self.client = client
        self.environs = environs
        self.origin = origin
        self.mode = mode
        self.application = application
    }

    /// Serves requests until the connection ends; `usage` is what the process had used before.
    mutating func serve(from usage: ResourceUsage) {
        usageBefore = (usage.userCPUUs, usage.systemCPUUs)
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
            case .abandoned(let startedNs):
                tellOfAbandoned(startedNs)
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
        /// The client reset the connection inside a head.
        case abandoned(startedNs: Int64)
        case ended
    }

    private func readHead() -> Reading {
        let isFirst = sequence == 0
        let now = clab_monotonic_ns()
        var startedNs: Int64? = client.reader.hasUnread ? now : nil
        var deadline =
            now + (isFirst || startedNs != nil ? settings.headerTimeoutNs : settings.idleTimeoutNs)
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
            case .reset:
                guard let startedNs, client.reader.hasUnread else { return .ended }
                return .abandoned(startedNs: startedNs)
            case .timedOut:
                guard let startedNs else { return .ended }
                return .timedOut(startedNs: startedNs)
            case .draining:
                // A client that has just connected has its request on the way.
                guard hasGrace else { return .ended }
                hasGrace = false
                let arrival = client.receive(
                    deadline: clab_monotonic_ns() + 500_000_000,
                    endsAtDrain: false
                )
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
            channel: channel,
            connectionID: origin.connectionID,
            sequence: sequence
        )
        client.slot?.pointee = RequestSlot(startedNs: startedNs, sequence: sequence, hasAnswer: 0)
        defer { client.slot?.pointee.startedNs = 0 }
        let route = route(head)
        let (environ, deviations) = environ(of: head, for: route)
        record.requestHead(head, environ, deviations, startedNs: startedNs)
        let isLast =
            settings.maxRequestsPerChild > 0
            && Int(sequence) >= settings.maxRequestsPerChild
        let answerer = Answerer(
            client: client,
            head: head,
            closes: !head.persists || isLast,
            stallNs: settings.upstreamTimeoutNs
        )
        let ending: ExchangeEnding
        switch route {
        case .builtIn:
            let exchange = BuiltInExchange(
                client: client,
                head: head,
                environ: environ,
                answerer: answerer,
                timeoutNs: settings.idleTimeoutNs
            )
            ending = exchange.run(&record)
            if head.framing == .chunked {
                record.requestTrailers(client.reader.trailers, of: head)
            }
        case .application(let application):
            let call = ApplicationCall(
                head,
                from: origin,
                client: client,
                environs: environs,
                environ: environ,
                answerer: answerer,
                settings: settings,
                record: record
            )
            // Told before it runs, for it may end this process.
            call.flush()
            let host = application as? any HostedApplication
            // Where the server itself serves, the application's programs would inherit what it blocks.
            let letsSignals = settings.isSerial && host != nil
            if letsSignals { clab_signals_let() }
            application.answer(call)
            if letsSignals { clab_signals_hold() }
            ending = call.end()
            record = call.record
            leaves = host?.exitStatus != nil
            exitStatus = host?.exitStatus ?? call.programStatus ?? exitStatus
        case .upstream(let authority, let addresses):
            ending = proxy(head, answerer, authority, addresses).run(&upstream, &record)
        case .tunnel(let authority):
            ending = proxy(head, answerer, authority, []).runTunnel(&upstream, &record)
        case .refused(let response, let why, let deviation):
            if let deviation { record.note(deviation) }
            answerer.mustClose = true
            mustLinger = true
            _ = answerer.answer(response, &record)
            // Only what broke a rule is a bad request; the rest was answered, if with a no.
            ending = ExchangeEnding(
                deviation == nil ? .ok : .badRequest,
                error: why,
                goesOn: !answerer.closes
            )
        }
        finish(ending, record)
        if ending.mustLinger { mustLinger = true }
        return ending.goesOn && !leaves
    }

    private func environ(of head: RequestHead, for route: Route) -> (Environ, [Deviation]) {
        if case .application(let application) = route {
            return application.environ(of: head, from: origin, by: environs)
        }
        return environs.environ(
            of: head,
            peerAddress: origin.peerAddress,
            peerPort: origin.peerPort
        )
    }

    private func proxy(
        _ head: RequestHead,
        _ answerer: Answerer,
        _ authority: Authority,
        _ addresses: [Authority]
    ) -> ProxyExchange {
        ProxyExchange(
            client: client,
            head: head,
            answerer: answerer,
            authority: authority,
            addresses: addresses,
            timeoutNs: settings.upstreamTimeoutNs,
            intermediary: Intermediary(
                pseudonym: settings.pseudonym,
                forwardedFields: settings.forwardedFields,
                clientAddress: origin.peerAddress
            )
        )
    }

    private mutating func finish(_ ending: ExchangeEnding, _ record: ExchangeRecord) {
        record.end(ending.outcome, error: ending.error, usage: usageSince())
        if ending.goesOn { record.flush() }
    }

    private enum Route {
        case builtIn
        case application(any Application)
        case upstream(Authority, [Authority])
        case tunnel(Authority)
        case refused(Response, why: String, Deviation?)
    }

    private func route(_ head: RequestHead) -> Route {
        guard let form = head.form else {
            let deviation = Deviation(.targetInvalid, at: head.targetPlace.lowerBound)
            return .refused(
                Response(400, "The request target has no form that this method allows.\n"),
                why: deviation.sentence,
                deviation
            )
        }
        if case .authority(let authority) = form { return routeOfConnect(head, authority) }
        if case .upstream(let authority, let addresses) = mode {
            return .upstream(authority, addresses)
        }
        // An application is an origin server, whatever host a target names (RFC 9112 3.2.2).
        if let application { return .application(application) }
        // Where its target names this server itself, that one answers and forwards to nobody.
        if case .absolute(let authority, _) = form, !authority.isName(of: settings.serverName) {
            return settings.forwards ? .upstream(authority, []) : forwardingIsOff
        }
        return .builtIn
    }

    private func routeOfConnect(_ head: RequestHead, _ authority: Authority) -> Route {
        if case .upstream = mode {
            return refused(501, "CONNECT is for a forward proxy; this is a reverse proxy")
        }
        if application != nil {
            return refused(501, "CONNECT is for a forward proxy; here an application answers")
        }
        // Content would be the tunnel's first bytes to one server and a request's to another.
        guard head.framing == .none else {
            let deviation = Deviation(.contentInConnect, at: head.targetPlace.lowerBound)
            return .refused(
                Response(400, deviation.sentence + ".\n"),
                why: deviation.sentence,
                deviation
            )
        }
        guard !authority.isName(of: settings.serverName) else {
            return refused(403, "a tunnel to this server itself leads nowhere")
        }
        return settings.forwards ? .tunnel(authority) : forwardingIsOff
    }

    private var forwardingIsOff: Route {
        .refused(
            Response(403, "Forwarding is off; start lab record with --forward.\n"),
            why:
                "forwarding is off: this server listens beyond loopback and --forward was not given",
            nil
        )
    }

    private func refused(_ status: Int, _ why: String) -> Route {
        .refused(Response(status, "lab: \(why).\n"), why: why, nil)
    }

    // MARK: What is no exchange

    private mutating func refuse(_ deviation: Deviation, startedNs: Int64) {
        let response = Response(deviation.rule.status, deviation.sentence + ".\n")
        answerUnread(response, deviation, startedNs, .badRequest, deviation.sentence)
    }

    private mutating func timeOut(_ startedNs: Int64) {
        let deviation = Deviation(.headTruncated, at: client.reader.unread.count)
        answerUnread(
            Response(408, "The head did not come in time.\n"),
            deviation,
            startedNs,
            .badRequest,
            "timeout: the head did not come within \(durationText(settings.headerTimeoutNs))"
        )
    }

    private mutating func tellOfAbandoned(_ startedNs: Int64) {
        sequence += 1
        let record = ExchangeRecord(
            channel: channel,
            connectionID: origin.connectionID,
            sequence: sequence
        )
        let unread = client.reader.unread
        record.refusedHead(
            unread,
            Deviation(.headTruncated, at: unread.count),
            startedNs: startedNs
        )
        record.end(
            .clientClosed,
            error: "the client reset the connection inside its head",
            usage: usageSince()
        )
    }

    private mutating func answerUnread(
        _ response: Response,
        _ deviation: Deviation,
        _ startedNs: Int64,
        _ outcome: ExchangeOutcome,
        _ error: String
    ) {
        sequence += 1
        var record = ExchangeRecord(
            channel: channel,
            connectionID: origin.connectionID,
            sequence: sequence
        )
        record.refusedHead(client.reader.refusedHead, deviation, startedNs: startedNs)
        let answerer = Answerer(
            client: client,
            head: nil,
            closes: true,
            stallNs: settings.upstreamTimeoutNs
        )
        _ = answerer.answer(response, &record)
        record.end(outcome, error: error, usage: usageSince())
        mustLinger = true
    }

    // MARK: Cost

    /// What was used since the exchange before, or since the start.
    private mutating func usageSince() -> (user: Int64, system: Int64) {
        var all = ResourceUsage.ofThisProcess()
        // What an application ran and waited for is a part of what its request cost.
        if application != nil { all.addCPU(of: .ofEndedChildren()) }
        let now = (user: all.userCPUUs, system: all.systemCPUUs)
        defer { usageBefore = now }
        return (now.user - usageBefore.user, now.system - usageBefore.system)
    }
}
