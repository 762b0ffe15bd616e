// A running `lab record`, and the session that it makes.

public import Foundation

/// A running `lab record` on a free port.
public final class LabRecord {
    /// The port that it listens on.
    public let port: Int
    /// The session file.
    public let session: String
    private let tool: Tool

    /// Starts it and waits until it listens.
    ///
    /// With `under` it is started by that command, which must become it by `exec`: `env`, or a shell
    /// that sets a limit first.
    public init(
        _ options: [String] = [],
        session: String? = nil,
        in folder: URL? = nil,
        under command: [String] = []
    ) throws {
        self.session = try session ?? Place.temporary().appendingPathComponent("session.db").path
        tool = try Tool(
            command + [Place.lab, "record", "--port", "0", "--output", self.session] + options,
            in: folder
        )
        guard let line = tool.line(with: "lab: listening on http://"),
            let port = line.split(separator: ":").last.flatMap({ Int($0) })
        else {
            let end = tool.finish()
            throw Trouble("lab record did not listen: \(end.status) \(end.errors)")
        }
        self.port = port
    }

    /// The URL of a path.
    public func url(_ path: String) -> String { "http://127.0.0.1:\(port)\(path)" }

    /// The recorder's PID.
    public var pid: Int32 { tool.pid }

    /// The fork server's PID.
    public func forkServer() throws -> Int32 {
        let found = try Tool.run("pgrep", "-P", "\(pid)", "lab-forkserver").output
        guard let pid = Int32(found.trimmingCharacters(in: .whitespacesAndNewlines)) else {
            throw Trouble("there is no fork server under \(pid)")
        }
        return pid
    }

    /// Waits until standard output has a line with `text`; with `-v` or `--json` lines come as things end.
    public func outputLine(with text: String) -> String? { tool.outputLine(with: text) }

    /// Waits until standard error has a line with `text`.
    public func line(with text: String) -> String? { tool.line(with: text) }

    /// Sends a signal to the recorder.
    public func signal(_ number: Int32) { tool.signal(number) }

    /// Waits for its end.
    public func finish() -> Finished { tool.finish() }

    /// Ends it as Ctrl-C does and waits.
    @discardableResult
    public func stop() -> Finished {
        signal(SIGINT)
        return finish()
    }

    /// Fetches a path with curl and gives the answer's body.
    @discardableResult
    public func get(_ path: String, _ options: String...) throws -> String {
        try Tool(["curl", "-s", "--max-time", "30"] + options + [url(path)]).finish().output
    }

    /// Sends bytes over one connection, ends its side, and gives all that comes back.
    public func exchange(_ request: String) throws -> String {
        let client = try RawClient(port: port)
        try client.send(request)
        return client.readToEnd()
    }

    /// What sqlite3 answers.
    public func sql(_ query: String) throws -> String { try LabRecord.sql(session, query) }

    /// What sqlite3 answers about a session.
    public static func sql(_ session: String, _ query: String) throws -> String {
        let end = try Tool.run("sqlite3", session, query)
        guard end.status == 0 else { throw Trouble("sqlite3: \(end.errors)") }
        return end.output.trimmingCharacters(in: .newlines)
    }
}

/// What stops a test that could not even begin.
public struct Trouble: Error, CustomStringConvertible {
    /// What happened.
    public let description: String

    /// Makes trouble.
    public init(_ description: String) { self.description = description }
}
