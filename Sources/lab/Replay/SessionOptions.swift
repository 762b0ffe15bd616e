// lab replay: what is taken for one client, and on which connections its requests go.

public import ArgumentParser
public import LabReplayer

/// Which captured connections make a session, and how they are sent.
struct SessionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Which captured connections make a session, whose requests are sent one after the other: connection (each is one), client (of one address; client:T where gaps of up to T belong to it, 60s), or cookie:NAME (that sent or were set the same value).",
            valueName: "rule"
        )
    )
    var sessions = SessionRule.connection

    @Option(
        help: ArgumentHelp(
            "On which connections requests go: captured (as recorded), session (one for each), shared (kept from session to session), per-request. Default: captured, but shared in a closed loop with --requests or --duration.",
            valueName: "use"
        )
    )
    var connections: ConnectionUse?

    @Option(
        help: ArgumentHelp(
            "How many passes over the session at most; with --requests or --duration, whichever ends first.",
            valueName: "n"
        )
    )
    var loop: Int?

    func validate() throws {
        if let loop, loop < 1 { throw ValidationError("--loop takes a number from 1 up.") }
    }
}

extension SessionRule: ExpressibleByArgument {
    /// Reads `connection`, `client`, `client:T` or `cookie:NAME`.
    public init?(argument: String) {
        let parts = argument.split(
            separator: ":",
            maxSplits: 1,
            omittingEmptySubsequences: false
        )
        switch (parts[0], parts.count > 1 ? String(parts[1]) : nil) {
        case ("connection", nil): self = .connection
        case ("client", nil): self = .client(gapNs: SessionRule.usualGapNs)
        case ("client", let time?):
            guard let gap = Duration(argument: time) else { return nil }
            self = .client(gapNs: gap.nanoseconds)
        case ("cookie", let name?) where !name.isEmpty: self = .cookie(name: name)
        default: return nil
        }
    }

    /// As it is typed.
    public var defaultValueDescription: String {
        switch self {
        case .connection: "connection"
        case .client(let gapNs): "client:\(Duration(nanoseconds: gapNs).defaultValueDescription)"
        case .cookie(let name): "cookie:\(name)"
        }
    }
}

extension ConnectionUse: ExpressibleByArgument {}
