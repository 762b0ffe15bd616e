// What `lab record` tells `lab-forkserver`, as command-line arguments: visible in `ps`.

public import LabWire

/// The settings of a fork server.
public struct ForkServerSettings: Sendable, Equatable {
    /// What answers a request that is not for another host.
    public enum Mode: Sendable, Equatable {
        /// The built-in application.
        case builtIn
        /// Another server: its name for `Host`, and its addresses, each with the port.
        case upstream(Authority, addresses: [Authority])
        /// A CGI program, or a directory of such (RFC 3875): its whole path.
        case cgi(String)
        /// A WSGI application in this process; for `lab-forkserver-python` only.
        case python(PythonSettings)
    }

    /// How children that ended are waited for: the tutorial's three servers.
    public enum Reaping: String, Sendable, CaseIterable {
        /// `wait4` until nobody is left, whenever a SIGCHLD came.
        case drain
        /// One `wait4` for each SIGCHLD that is delivered; signals coalesce, so zombies stay.
        case once
        /// No waiting until the recording ends.
        case never
    }

    /// The descriptor of the listening socket.
    public static let listener: Int32 = 3
    /// The descriptor of the socket that frames are sent on.
    public static let frames: Int32 = 4

    /// What answers.
    public var mode: Mode
    /// The address that the listening socket is bound to: `SERVER_NAME` and `SERVER_PORT`.
    public var serverName: Authority
    /// Whether requests in absolute-form are forwarded, and CONNECT tunnelled, to the host that
    /// they name.
    public var forwards: Bool
    /// The name in `Via`, which no other fork server has; see ``newPseudonym()``.
    public var pseudonym: String
    /// How the servers that requests are sent on to are told of the client.
    public var forwardedFields: ForwardedFields
    /// How children are waited for.
    public var reaping: Reaping
    /// The most children at a time, zombies included; 0 for no limit.
    ///
    /// More connections wait in the queue.
    public var mostChildren: Int
    /// Whether the server serves each connection itself, one after the other, and forks nobody.
    public var isSerial: Bool
    /// The most requests that one child answers; 0 for no limit.
    public var maxRequestsPerChild: Int
    /// How long a child may take over a request, from its head to its answer's end; ns, 0 for ever.
    public var childTimeoutNs: Int64
    /// How long a head may take, from its first byte, or from the connection for the first; ns.
    public var headerTimeoutNs: Int64
    /// How long a connection may idle between requests; ns.
    public var idleTimeoutNs: Int64
    /// How long an upstream may be silent; ns.
    public var upstreamTimeoutNs: Int64
    /// The most bytes of a request head.
    public var maxHeaderBytes: Int
    /// Whether a client is shown why an application failed.
    public var showsErrors: Bool
    /// Faults that a test asks for.
    public var faults: FaultPlan
    /// What the image of this process before hands on; nil in the first.
    package var succession: Succession?

    /// Makes settings; the defaults are those of `lab record`.
    public init(
        mode: Mode = .builtIn,
        serverName: Authority,
        forwards: Bool = true,
        pseudonym: String = "lab",
        forwardedFields: ForwardedFields = .none,
        reaping: Reaping = .drain,
        mostChildren: Int = 0,
        isSerial: Bool = false,
        maxRequestsPerChild: Int = 0,
        childTimeoutNs: Int64 = 0,
        headerTimeoutNs: Int64 = 30_000_000_000,
        idleTimeoutNs: Int64 = 60_000_000_000,
        upstreamTimeoutNs: Int64 = 60_000_000_000,
        maxHeaderBytes: Int = 64 << 10,
        showsErrors: Bool = false,
        faults: FaultPlan = FaultPlan()
    ) {
        self.mode = mode
        self.serverName = serverName
        self.forwards = forwards
        self.pseudonym = pseudonym
        self.forwardedFields = forwardedFields
        self.reaping = reaping
        self.mostChildren = mostChildren
        self.isSerial = isSerial
        self.maxRequestsPerChild = maxRequestsPerChild
        self.childTimeoutNs = childTimeoutNs
        self.headerTimeoutNs = headerTimeoutNs
        self.idleTimeoutNs = idleTimeoutNs
        self.upstreamTimeoutNs = upstreamTimeoutNs
        self.maxHeaderBytes = maxHeaderBytes
        self.showsErrors = showsErrors
        self.faults = faults
    }

    /// A name for `Via` that no other fork server has had.
    ///
    /// Not its address: a host in a container has the same one, and the same PIDs, as many others.
    public static func newPseudonym() -> String {
        "lab-" + String(UInt32.random(in: 0x1000_0000 ... .max), radix: 16)
    }

    /// The settings as arguments: `key=value` each.
    public var arguments: [String] {
        var arguments = [
            "server=\(full(serverName))",
            "forward=\(forwards ? 1 : 0)", "pseudonym=\(pseudonym)",
            "forwarded=\(forwardedFields.rawValue)",
            "reap=\(reaping.rawValue)", "children=\(mostChildren)",
            "serial=\(isSerial ? 1 : 0)",
            "requests-per-child=\(maxRequestsPerChild)",
            "child-timeout-ns=\(childTimeoutNs)", "header-timeout-ns=\(headerTimeoutNs)",
            "idle-timeout-ns=\(idleTimeoutNs)",
            "upstream-timeout-ns=\(upstreamTimeoutNs)", "header-bytes=\(maxHeaderBytes)",
            "debug=\(showsErrors ? 1 : 0)",
        ]
        if let succession { arguments.append("succession=\(succession.text)") }
        arguments += faults.words.map { "fault=\($0)" }
        switch mode {
        case .builtIn: break
        case .upstream(let name, let addresses):
            arguments.append("upstream=\(full(name))")
            arguments += addresses.map { "address=\(full($0))" }
        case .cgi(let path): arguments.append("cgi=\(path)")
        case .python(let python): arguments += python.arguments
        }
        return arguments
    }

    private func full(_ authority: Authority) -> String {
        let host = authority.host
        return (host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]" : host) + ":\(authority.port)"
    }

    /// Reads arguments; nil where they are not those of this build.
    public init?(arguments: some Sequence<String>) {
        self.init(serverName: Authority(host: "", port: 0))
        var upstream: Authority?
        var addresses: [Authority] = []
        var python = PythonSettings()
        for argument in arguments {
            guard let equals = argument.firstIndex(of: "=") else { return nil }
            let value = argument[argument.index(after: equals)...]
            let authority = Authority(value.utf8, defaultPort: 0)
            let number = Int64(value)
            switch (argument[..<equals], authority, number) {
            case ("server", let authority?, _): serverName = authority
            case ("upstream", let authority?, _): upstream = authority
            case ("address", let authority?, _): addresses.append(authority)
            case ("cgi", _, _): mode = .cgi(String(value))
            case ("forward", _, let number?): forwards = number != 0
            case ("pseudonym", _, _): pseudonym = String(value)
            case ("forwarded", _, _):
                guard let fields = ForwardedFields(rawValue: String(value)) else { return nil }
                forwardedFields = fields
            case ("children", _, let number?): mostChildren = Int(number)
            case ("debug", _, let number?): showsErrors = number != 0
            case ("serial", _, let number?): isSerial = number != 0
            case ("succession", _, _):
                guard let succession = Succession(value) else { return nil }
                self.succession = succession
            case ("fault", _, _):
                guard faults.add(value) else { return nil }
            case ("reap", _, _):
                guard let reaping = Reaping(rawValue: String(value)) else { return nil }
                self.reaping = reaping
            case ("requests-per-child", _, let number?): maxRequestsPerChild = Int(number)
            case ("child-timeout-ns", _, let number?): childTimeoutNs = number
            case ("header-timeout-ns", _, let number?): headerTimeoutNs = number
            case ("idle-timeout-ns", _, let number?): idleTimeoutNs = number
            case ("upstream-timeout-ns", _, let number?): upstreamTimeoutNs = number
            case ("header-bytes", _, let number?): maxHeaderBytes = Int(number)
            default:
                guard python.read(argument[..<equals], value) else { return nil }
            }
        }
        guard !serverName.host.isEmpty else { return nil }
        if let upstream { mode = .upstream(upstream, addresses: addresses) }
        if !python.library.isEmpty { mode = .python(python) }
    }
}
