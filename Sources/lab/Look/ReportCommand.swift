// `lab report`: what a session holds, in sections; or one of its replays in detail.

import ArgumentParser
import Glibc
import LabReporter
import LabSession

/// `lab report`.
struct ReportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Tell what a session holds: latencies, exits, zombies, replays.",
        discussion: """
            Exits with 3 where the recording cannot be trusted: its accounts do not add up, or an \
            exchange was lost.
            """
    )

    @Argument(help: "The session to read.") var session = "session.db"
    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("One replay in detail, by its number or label.", valueName: "run")
    )
    var runName: String?
    @Flag(help: "One JSON object instead of text.") var json = false

    func run() throws {
        let reader = try SessionReader(session)
        var results = Results()
        if let runName {
            let detail = try reader.run(runName)
            try results.write(
                json ? JSONReport.text(detail) : RunReport(detail, style: Results.style).text
            )
            return try results.finish()
        }
        let report = try reader.report()
        try results.write(
            json ? JSONReport.text(report) : TextReport(report, style: Results.style).text
        )
        try results.finish()
        guard report.isTrustworthy else {
            throw Failure(
                "The accounts of '\(session)' do not add up: what it says is not to be trusted. "
                    + "The section Accounts says what is missing.",
                code: ExitStatus.untrusted
            )
        }
    }
}

/// Where results go, held back until there is enough to be worth a system call: standard output, or a
/// file that was asked for.
struct Results {
    private var held: [UInt8] = []
    private let descriptor: Int32
    /// What a failure names; nil for standard output.
    private let path: String?

    /// Standard output.
    init() { self.init(descriptor: STDOUT_FILENO, path: nil) }

    /// An open descriptor, and the file that it was opened for.
    init(descriptor: Int32, path: String?) {
        self.descriptor = descriptor
        self.path = path
    }

    /// Writes text.
    mutating func write(_ text: String) throws { try write(Array(text.utf8)) }

    /// Writes bytes.
    mutating func write(_ bytes: [UInt8]) throws {
        held += bytes
        if held.count >= 64 << 10 { try finish() }
    }

    /// Writes what is still held back; without it a full disk would pass for success.
    mutating func finish() throws {
        var rest = held[...]
        while !rest.isEmpty {
            let written = rest.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            if written < 0, errno == EINTR { continue }
            // A reader that has seen enough is no failure: `lab list | head`.
            if written < 0, errno == EPIPE { throw ExitCode.success }
            guard written > 0 else {
                throw Failure(
                    "Cannot write the results\(path.map { " to '\($0)'" } ?? ""): "
                        + "\(String(cString: strerror(errno)))."
                )
            }
            rest = rest.dropFirst(written)
        }
        held.removeAll(keepingCapacity: true)
    }

    /// Colours on a terminal, unless `NO_COLOR` (https://no-color.org) or the terminal forbids them.
    static var style: Style {
        let isForbidden = variable("NO_COLOR").map { !$0.isEmpty } ?? false
        return isTerminal && !isForbidden && variable("TERM") != "dumb" ? .ansi : .plain
    }

    /// The columns of the terminal; 100 where there is none.
    static var width: Int {
        var size = winsize()
        guard isTerminal, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else {
            return 100
        }
        return min(Int(size.ws_col), 200)
    }

    private static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    private static func variable(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }
    }
}
