// lab replay: read the session, send it again, write down what came of it.

import ArgumentParser
import Glibc
import LabExchange
import LabReplayer
import LabReporter
import LabSession
import LabWire

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Send a session again and check every answer against the captured one.",
        discussion: """
            What was captured on one connection is a session, or what came from one client with \
            --sessions: it is sent in order, each request after the whole answer to the one before, while \
            others are sent at the same time. --concurrency sessions are under way at once, and the next \
            one starts when one has ended: a closed loop, whose latencies leave out what a target that \
            stalls keeps from being sent. With --rate or --pace recorded sessions start by the clock: an \
            open loop, whose response times count from the moment when a request was due. Without \
            --requests, --duration and --loop the session is sent once. Every result is kept in the \
            session; see it again with lab report --run RUN.

            With --shard I/N sessions are shared among N processes by a hash of their first exchange, and \
            --requests, --rate and --max-in-flight are shared too; --concurrency is each process's own. \
            Each works on its own copy of the session; lab merge joins them.

            Cookies that the target sets, and tokens that it gives, are sent in place of the captured ones \
            where the captured session shows that a client sent them back (lab correlate lists them). \
            --correlate off sends all as captured.

            EXPR of --fail-if is one of p50, p90, p95, p99, p99.9, mean, max (a time, such as p99>200ms), \
            errors, mismatches (a count or a share, such as errors>0.1%) and rate (requests per second), \
            compared by >, >=, < or <=. A percentile needs ten whole answers beyond it: p99 needs 1000.

            --match headers compares names and values. Values that are new each time (Date, Age, Expires, \
            Last-Modified, request and trace identifiers, cookies) may differ, the field must be there; \
            fields that frame the message or concern one connection are left out.

            --watch and --spawn look at the target's processes four times a second through /proc: what \
            came and went in between is not in the figures of most, but CPU time and page faults are of \
            all. Where the process ended meanwhile the figures are of the time before, and the exit code \
            is 3, unless something graver is to be told.

            Exit codes: 0 done; 1 every request failed, a --fail-if holds, or --match was given and an \
            answer does not match; 2 the target never \
            answered, or it could not be done; 3 results were lost, too few answers came to judge \
            a --fail-if, or what was watched ended; 130 interrupted, with what was done kept.
            """
    )

    @Argument(help: "The session to replay.")
    var session = "session.db"

    @Option(
        help: ArgumentHelp(
            "Where to send; by default to where the session was recorded.",
            valueName: "url"
        )
    )
    var target: String?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp(
            "How many sessions at once, in a closed loop. (default: 10)",
            valueName: "n"
        )
    )
    var concurrency: Int?

    @Option(name: .shortAndLong, help: "How many threads send.")
    var threads = 1

    @Option(
        name: [.customShort("n"), .long],
        help: ArgumentHelp("Send so many requests, the session over and over.", valueName: "n")
    )
    var requests: Int?

    @Option(
        name: .shortAndLong,
        help: ArgumentHelp("Send for this time, the session over and over.", valueName: "t")
    )
    var duration: Duration?

    @Option(
        help: ArgumentHelp(
            "Send only the exchanges of which this is true: a SQL condition as lab list --where takes.",
            valueName: "expr"
        )
    )
    var filter: String?

    @OptionGroup(title: "What is sent") var sending: SendingOptions
    @OptionGroup(title: "Live cookies and tokens") var live: CorrelationOptions
    @OptionGroup(title: "Sessions") var sessions: SessionOptions
    @OptionGroup(title: "Load") var pacing: PacingOptions
    @OptionGroup(title: "Checking and keeping") var checking: CheckingOptions

    @Option(help: "What to call this run.")
    var label: String?

    @Option(help: ArgumentHelp("How long an answer may take.", valueName: "t"))
    var timeout = Duration(nanoseconds: 10_000_000_000)

    @Option(help: ArgumentHelp("How long a connection may take to open.", valueName: "t"))
    var connectTimeout = Duration(nanoseconds: 5_000_000_000)

    @Option(
        help: ArgumentHelp(
            "Exit with 1 where this holds, such as 'p99>200ms'; may be given several times.",
            valueName: "expr"
        )
    )
    var failIf: [String] = []

    @OptionGroup(title: "Watching the target") var watching: WatchOptions

    @OptionGroup(title: "Several machines")
    var part: ShardOptions

    @OptionGroup(title: "Output")
    var output: OutputOptions

    func validate() throws {
        if let concurrency {
            guard (1...100_000).contains(concurrency) else {
                throw ValidationError("--concurrency takes a number from 1 to 100000.")
            }
            guard !pacing.shape.isOpen else {
                throw ValidationError(
                    "--concurrency is of a closed loop; --rate and --pace recorded start sessions by the clock. Bound them with --max-in-flight."
                )
            }
        }
        guard (1...256).contains(threads) else {
            throw ValidationError("--threads takes a number from 1 to 256.")
        }
        if let requests, requests < 1 {
            throw ValidationError("--requests takes a number from 1 up.")
        }
        if let duration, duration.nanoseconds == 0 {
            throw ValidationError("--duration takes a time above 0.")
        }
        guard target == nil || watching.spawn == nil else {
            throw ValidationError("--spawn starts the target itself: leave --target out.")
        }
        guard output.format != .csv || checking.store != .nothing else {
            throw ValidationError(
                "--format csv needs the results, which --store none does not keep."
            )
        }
        if let unknown = failIf.first(where: { FailCondition($0) == nil }) {
            throw ValidationError(
                "--fail-if does not know '\(unknown)'. It takes p50, p90, p95, p99, p99.9, mean or max "
                    + "and a time (p99>200ms), errors or mismatches and a count or a share "
                    + "(errors>5, errors>0.1%), and rate and a number (rate<1000), with >, >=, < or <=."
            )
        }
        guard timeout.nanoseconds > 0, connectTimeout.nanoseconds > 0 else {
            throw ValidationError("--timeout and --connect-timeout take a time above 0.")
        }
    }

    func run() throws {
        let found = try part.found()
        let reader = try SessionReader(session)
        let count = try reader.exchangeCount()
        guard count > 0 else { throw SessionError.nothingToReplay(path: session) }
        let correlation = try live.correlation(ofExchanges: count)
        var settings = try replaySettings(reader.recordings(), found?.shard)
        settings.correlation = correlation
        if found != nil { settings.shape.span = 0..<max(1, try reader.lastInstantNs()) }
        let replayer = try Replayer(
            settings,
            captured: captured(reader, withAnswerHeads: correlation != .off)
        )
        if sending.looksAtAll(settings) { try replayer.loadAll() }
        if let found {
            let part =
                replayer.isWhole ? ": \(replayer.requestsPerRound) of \(count) exchanges" : ""
            complain("shard \(found.shard.text), from \(found.source)\(part)")
        }
        live.tell(replayer)
        if sending.dryRun {
            try rehearse(replayer, settings)
            return try sending.judge(replayer, settings)
        }
        try sending.judge(replayer, settings)
        // A shard may have nothing to do: its run has no requests, and all can be merged.
        guard replayer.requestsPerRound > 0 || found != nil else {
            if let methods = sending.methodAllow,
                replayer.skipped.contains(where: { $0.reason == .methodNotAllowed })
            {
                throw Failure("'\(session)' holds no request of --method-allow \(methods).")
            }
            throw SessionError.nothingToReplay(path: session)
        }
        let watch = SignalWatch { count in
            if count == 1 { replayer.stop() } else { replayer.abort() }
        }
        try withExtendedLifetime(watch) {
            try send(replayer, settings, found?.shard)
        }
    }

    /// Tells what would be sent.
    private func rehearse(_ replayer: Replayer, _ settings: ReplaySettings) throws {
        let duration = settings.durationNs.map { Double($0) / 1e9 }
        let report = DryRunReport(
            target: "http://\(settings.target.text)",
            concurrency: settings.mostAtOnce,
            plannedRequests: replayer.plannedRequests,
            durationS: duration,
            lastDueS: replayer.lastDueNs.map { Double($0) / 1e9 },
            needsAllowUnsafe: !sending.allowUnsafe && !settings.staysHere
                && !replayer.unsafeMethods.isEmpty,
            outline: replayer.outline(heads: 3)
        )
        var results = try output.open()
        try results.write(output.format == .json ? report.json : report.text(style: output.style))
        try results.finish()
    }
}
