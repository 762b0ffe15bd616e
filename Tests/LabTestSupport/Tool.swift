// Real programs, started and watched: the built lab, curl, sqlite3, nginx.

public import Foundation
import Synchronization

/// What a program left behind.
public struct Finished: Sendable {
    /// The exit code; 128 and the signal's number where a signal ended it.
    public let status: Int32
    /// Standard output.
    public let output: String
    /// Standard error.
    public let errors: String
}

/// Where things are.
public enum Place {
    /// The folder that holds Package.swift.
    public static let package: URL = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// The folder of the built executables, of the tests' own configuration.
    public static let products: URL = {
        #if DEBUG
        let configuration = "debug"
        #else
        let configuration = "release"
        #endif
        return package.appendingPathComponent(".build").appendingPathComponent(configuration)
    }()

    /// The built `lab`.
    public static let lab = products.appendingPathComponent("lab").path

    /// The folder of this run's folders; it goes when the tests end.
    private static let root: URL = {
        let root = FileManager.default.temporaryDirectory
            .appendingPathComponent("lab-tests-\(getpid())")
        atexit { try? FileManager.default.removeItem(at: Place.root) }
        return root
    }()

    /// A new empty folder.
    public static func temporary() throws -> URL {
        let folder = root.appendingPathComponent("\(UUID().uuidString.prefix(8))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        return folder
    }
}

/// A running program.
public final class Tool {
    private let process = Process()
    private let output = Collected()
    private let errors = Collected()

    /// Starts a program, found by its path or on the PATH.
    public init(
        _ words: [String],
        in folder: URL? = nil,
        environment: [String: String] = [:]
    ) throws {
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = words
        if let folder { process.currentDirectoryURL = folder }
        var all = ProcessInfo.processInfo.environment
        all["PATH", default: ""] += ":/usr/sbin"
        process.environment = all.merging(environment) { $1 }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output.pipe
        process.standardError = errors.pipe
        try process.run()
        output.collect()
        errors.collect()
    }

    /// The PID.
    public var pid: Int32 { process.processIdentifier }

    /// Sends a signal.
    public func signal(_ number: Int32) { kill(pid, number) }

    /// Waits until standard error holds a line with `text`, and gives that line.
    ///
    /// - Returns: nil where the program ended without it.
    public func line(with text: String) -> String? { errors.line(with: text) }

    /// Waits until standard output holds a line with `text`, and gives that line.
    public func outputLine(with text: String) -> String? { output.line(with: text) }

    /// Waits for the program's end.
    public func finish() -> Finished {
        process.waitUntilExit()
        let status = process.terminationStatus
        return Finished(
            status: process.terminationReason == .exit ? status : 128 + status,
            output: output.all(),
            errors: errors.all()
        )
    }

    /// Runs a program to its end.
    @discardableResult
    public static func run(
        _ words: String...,
        in folder: URL? = nil,
        environment: [String: String] = [:]
    ) throws -> Finished {
        try Tool(words, in: folder, environment: environment).finish()
    }
}

/// Bytes of a pipe, gathered by a thread as they come.
private final class Collected: Sendable {
    let pipe = Pipe()
    private let bytes = Mutex<(data: Data, ended: Bool)>((Data(), false))
    private let changed = DispatchSemaphore(value: 0)

    func collect() {
        Thread.detachNewThread { [self] in
            while true {
                let more = pipe.fileHandleForReading.availableData
                bytes.withLock { state in
                    state.data += more
                    state.ended = more.isEmpty
                }
                changed.signal()
                if more.isEmpty { return }
            }
        }
    }

    func line(with text: String) -> String? {
        while true {
            let (data, ended) = bytes.withLock { $0 }
            let lines = String(decoding: data, as: UTF8.self).split(
                separator: "\n",
                omittingEmptySubsequences: false
            )
            // The last piece has no end yet.
            if let line = lines.dropLast().first(where: { $0.contains(text) }) {
                return String(line)
            }
            if ended { return nil }
            changed.wait()
        }
    }

    func all() -> String {
        while !bytes.withLock({ $0.ended }) { changed.wait() }
        return String(decoding: bytes.withLock { $0.data }, as: UTF8.self)
    }
}
