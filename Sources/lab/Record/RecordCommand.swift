// lab record: bind, make the session, start the fork server, write down what it tells.

import ArgumentParser
import CLabLinux
import Glibc
import LabForkServer
import LabSession
import LabWire

struct RecordCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Serve or proxy HTTP, a process per connection, and record every exchange.",
        discussion: """
            Without --upstream the built-in application answers, and requests in absolute-form (a \
            client that uses this as its proxy) are forwarded, and CONNECT is tunnelled, as https needs \
            it. A request that an upstream answers 101 becomes a tunnel too, such as a WebSocket. The \
            bytes of a tunnel are kept as the bodies of its exchange. The application answers at / /environ \
            /sleep/SECONDS /deaf/SECONDS (asleep, and deaf to SIGTERM) /status/CODE /bytes/N /echo \
            /spin/MS /allocate/MIB; /crash/SIGNAL and /exit/CODE end the child without an answer, \
            /spawn-zombie and /spawn-orphan leave a \
            process behind.

            With --cgi a program runs for each request (RFC 3875): its environment is the environ on record, \
            its standard input the content, its standard error is kept. --upstream-timeout bounds its \
            silence, --child-timeout its whole run.

            With --app a WSGI application answers (PEP 3333). It is imported once, before the first fork; \
            what it prints and the traceback of an exception are kept with the exchange, and shown by \
            lab show. Its child's exit status, memory and CPU time are the application's own.

            Ctrl-C ends the recording: it stops accepting, lets its children finish, reaps them, and \
            prints a summary. A second Ctrl-C ends it at once. When it listens, one line on standard \
            error says so: lab: listening on http://HOST:PORT
            """
    )

    @Option(help: "The address to listen on.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on; 0 takes a free one.")
    var port = 8888

    @Option(name: [.short, .long], help: "The session file to make.")
    var output = "session.db"

    @Flag(help: "Add to the session file if it is there.")
    var append = false

    @Option(help: ArgumentHelp("Be a reverse proxy in front of this server.", valueName: "url"))
    var upstream: String?

    @Option(
        help: ArgumentHelp(
            "Run this CGI program for each request, or the one that the path names in this directory.",
            valueName: "program"
        )
    )
    var cgi: String?

    @Flag(help: "Show a client why the application failed; else it is only on record.")
    var debug = false

    @OptionGroup var application: ApplicationOptions

    @Flag(help: "Be a forward proxy, CONNECT included, also when listening beyond loopback.")
    var forward = false

    @Option(
        help: ArgumentHelp(
            "Tell the next server of the client: x by X-Forwarded-For, -Proto and -Host, rfc7239 by Forwarded.",
            valueName: "none|x|rfc7239"
        )
    )
    var forwarded = ForwardedFields.none

    @Option(
        help: ArgumentHelp(
            "How children are reaped: drain waits for all at each SIGCHLD, once for one, never at the end only.",
            valueName: "drain|once|never"
        )
    )
    var reap = ForkServerSettings.Reaping.drain

    @Flag(
        help: "Fork nobody: serve each connection here, one after the other; the next client waits."
    )
    var serial = false

    @Option(
        help: ArgumentHelp("How many connections may wait to be accepted.", valueName: "n")
    )
    var backlog = 4096

    @Option(
        help: ArgumentHelp("Accept no more while so many children are there.", valueName: "n")
    )
    var maxChildren: Int?

    @Option(help: ArgumentHelp("End each child after so many requests.", valueName: "n"))
    var maxRequestsPerChild: Int?

    @Option(
        help: ArgumentHelp(
            "How long a child may take over a request; then it is ended, and answered 504.",
            valueName: "t"
        )
    )
    var childTimeout: Duration?

    @Option(help: ArgumentHelp("How long a request's head may take; then 408.", valueName: "t"))
    var headerTimeout = Duration(nanoseconds: 30_000_000_000)

    @Option(help: ArgumentHelp("How long a connection may idle.", valueName: "t"))
    var idleTimeout = Duration(nanoseconds: 60_000_000_000)

    @Option(
        help: ArgumentHelp(
            "How long an upstream or a CGI program may be silent, or a client take nothing; then 504.",
            valueName: "t"
        )
    )
    var upstreamTimeout = Duration(nanoseconds: 60_000_000_000)

    @Option(
        help: ArgumentHelp("How long children may finish their work at the end.", valueName: "t")
    )
    var drainTimeout = Duration(nanoseconds: 10_000_000_000)

    @Option(help: ArgumentHelp("The largest request head; then 431.", valueName: "n"))
    var maxHeaderBytes = ByteCount(bytes: 64 << 10)

    @Option(help: ArgumentHelp("How much of each body is kept.", valueName: "n"))
    var maxStoredBody = ByteCount(bytes: 10 << 20)

    @Option(help: ArgumentHelp("End once so many exchanges have begun.", valueName: "n"))
    var requests: Int?

    @Option(help: ArgumentHelp("End after this time.", valueName: "t"))
    var duration: Duration?

    @Option(
        help: ArgumentHelp(
            "Let every nth call fail, to see what happens then: fork=N, accept=N, abort=N.",
            valueName: "call=n",
            visibility: .hidden
        )
    )
    var fault: [String] = []

    @Flag(name: .shortAndLong, help: "Print a line for each exchange and each child that died.")
    var verbose = false

    @Flag(help: "Print a JSON object for each exchange and each child event.")
    var json = false

    func validate() throws {
        if application.app != nil, upstream != nil || cgi != nil || forward {
            throw ValidationError("--app goes with none of --upstream, --cgi, --forward.")
        }
        if application.reload, serial || childTimeout != nil || reap != .drain {
            throw ValidationError(
                "--reload replaces the server under its children: it goes with none of --serial, "
                    + "--child-timeout, --reap."
            )
        }
        guard (0...65535).contains(port) else {
            throw ValidationError("--port takes a number from 0 to 65535.")
        }
        if let maxRequestsPerChild, maxRequestsPerChild < 1 {
            throw ValidationError("--max-requests-per-child takes a number from 1 up.")
        }
        if let maxChildren, maxChildren < 1 {
            throw ValidationError("--max-children takes a number from 1 up.")
        }
        if let childTimeout, childTimeout.nanoseconds == 0 {
            throw ValidationError("--child-timeout takes a time above 0.")
        }
        if serial, maxChildren != nil || childTimeout != nil || reap != .drain {
            throw ValidationError(
                "--serial forks no children: it goes with none of --max-children, --child-timeout, --reap."
            )
        }
        if cgi != nil, upstream != nil || forward || serial {
            throw ValidationError("--cgi goes with none of --upstream, --forward, --serial.")
        }
        if debug, cgi == nil, application.app == nil {
            throw ValidationError(
                "--debug is about an application's failures: it goes with --app and --cgi."
            )
        }
        guard (1...65535).contains(backlog) else {
            throw ValidationError("--backlog takes a number from 1 to 65535.")
        }
        guard faults() != nil else {
            throw ValidationError("--fault takes fork=N, accept=N or abort=N, N from 1 up.")
        }
        if let requests, requests < 1 {
            throw ValidationError("--requests takes a number from 1 up.")
        }
        guard maxHeaderBytes.bytes >= 256, maxHeaderBytes.bytes <= 16 << 20 else {
            throw ValidationError("--max-header-bytes takes a size from 256 to 16MiB.")
        }
    }

    func run() throws {
        // The interpreter is asked before signals are blocked, which it would inherit.
        let python = try application.settings()
        clab_signals_install()
        var mode = python.map { .python($0) } ?? ForkServerSettings.Mode.builtIn
        if let upstream {
            let name = try authority(ofURL: upstream, option: "--upstream")
            mode = .upstream(name, addresses: try addresses(of: name, option: "--upstream"))
        }
        let program = try cgi.map { try Self.program($0) }
        if let program { mode = .cgi(program) }
        let executable = forkServerPath(
            python == nil ? "lab-forkserver" : "lab-forkserver-python"
        )
        guard access(executable, X_OK) == 0 else {
            throw ForkServerError.cannotStart(path: executable, reason: "it is not there")
        }
        let listener = try Listener(host: host, port: port, backlog: backlog)
        if case .upstream(_, let addresses) = mode,
            addresses.contains(where: { $0.isName(of: listener.bound) })
        {
            throw Failure(
                "--upstream '\(upstream ?? "")' is this server itself: each request would fork without "
                    + "end. Give the server that is to be recorded.",
                code: 64
            )
        }
        let pseudonym = ForkServerSettings.newPseudonym()
        let server = try ForkServerProcess(
            executable: executable,
            listener: listener,
            settings: settings(mode: mode, listener, pseudonym: pseudonym)
        )
        guard server.awaitApplication() else { throw failure(of: server) }
        // The port is ours and the application is there; the session is made only now, so that where
        // either fails no empty file is left behind.
        let file = try openSession()
        let moment = Moment.now
        let writer = try RecordingWriter(
            file,
            RecordingFacts(
                startedAt: moment.wall,
                anchorNs: moment.monotonicNs,
                host: listener.bound.host,
                port: listener.bound.port,
                mode: python != nil
                    ? "wsgi" : program != nil ? "cgi" : upstream != nil ? "upstream" : "builtin",
                upstream: upstream,
                app: application.app ?? program,
                reap: serial ? "serial" : reap.rawValue,
                commandLine: CommandLine.arguments.joined(separator: " "),
                labVersion: labVersion,
                pseudonym: pseudonym,
                forwarded: forwarded.rawValue
            ),
            mostStoredBody: maxStoredBody.bytes
        )
        server.begin(firstConnectionID: writer.firstConnectionID, queueBytes: writer.queueBytes)
        complain("listening on http://\(Self.url(listener.bound))")
        let recording = RecordingLoop(
            server: server,
            writer: writer,
            path: output,
            startedNs: moment.monotonicNs,
            limits: RecordingLoop.Limits(
                requests: requests,
                durationNs: duration?.nanoseconds,
                drainNs: drainTimeout.nanoseconds,
                isSerial: serial
            ),
            printer: RecordPrinter(
                style: json ? .json : verbose ? .lines : .quiet,
                anchorNs: moment.monotonicNs
            )
        )
        try recording.run()
    }

    /// The whole path of a CGI program, or of a directory of such.
    private static func program(_ path: String) throws -> String {
        guard let whole = realpath(path, nil) else {
            throw Failure("Cannot run --cgi '\(path)': \(String(cString: strerror(errno))).")
        }
        defer { free(whole) }
        guard access(whole, X_OK) == 0 else {
            let hint = errno == EACCES ? " Make it executable: chmod +x '\(path)'." : ""
            throw Failure("Cannot run --cgi '\(path)': \(String(cString: strerror(errno))).\(hint)")
        }
        return String(cString: whole)
    }

    private func settings(
        mode: ForkServerSettings.Mode,
        _ listener: Listener,
        pseudonym: String
    ) -> ForkServerSettings {
        ForkServerSettings(
            mode: mode,
            serverName: listener.bound,
            forwards: forward || listener.isLoopback,
            pseudonym: pseudonym,
            forwardedFields: forwarded,
            reaping: reap,
            mostChildren: maxChildren ?? 0,
            isSerial: serial,
            // Who kept a connection open would keep all others waiting.
            maxRequestsPerChild: maxRequestsPerChild ?? (serial ? 1 : 0),
            childTimeoutNs: childTimeout?.nanoseconds ?? 0,
            headerTimeoutNs: headerTimeout.nanoseconds,
            idleTimeoutNs: idleTimeout.nanoseconds,
            upstreamTimeoutNs: upstreamTimeout.nanoseconds,
            maxHeaderBytes: maxHeaderBytes.bytes,
            showsErrors: debug,
            faults: faults() ?? FaultPlan()
        )
    }

    /// Why there is nothing to record: the server has told, unless it was interrupted or killed.
    private func failure(of server: ForkServerProcess) -> any Error {
        if server.stopsSeen > 0 {
            server.killNow()
            _ = server.waitStatus()
            return ExitNow(ExitStatus.interrupted)
        }
        let status = server.waitStatus()
        guard !server.hasSaidWhy else { return ExitNow(ExitStatus.couldNot) }
        let how =
            clab_signalled(status) != 0
            ? "signal \(clab_term_signal(status)) ended it"
            : "it left with exit code \(clab_exit_code(status))"
        let what = application.app.map { ", while it imported the application '\($0)'" } ?? ""
        return Failure("The fork server was gone before it could serve\(what): \(how).")
    }

    /// The faults that were asked for; nil where one of them is none.
    private func faults() -> FaultPlan? {
        var plan = FaultPlan()
        return fault.allSatisfy { plan.add($0) } ? plan : nil
    }

    private static func url(_ authority: Authority) -> String {
        let host = authority.host.contains(":") ? "[\(authority.host)]" : authority.host
        return "\(host):\(authority.port)"
    }

    private func openSession() throws -> SessionFile {
        if append, access(output, F_OK) == 0 { return try SessionFile.open(writing: output) }
        return try SessionFile.create(output)
    }
}
