// What the kernel says of a process, in /proc.

import Foundation

/// A process as it was when it was looked at.
public struct ProcessFacts {
    /// Its PID.
    public let pid: Int32
    /// Its state, as `ps` shows it: `R`, `S`, `D`, `T`, `Z`, `X`.
    public let state: Character
    /// Its parent's PID.
    public let parent: Int32

    /// Looks at a process; nil where it is gone.
    public init?(_ pid: Int32) {
        guard let text = Self.text(of: pid, "stat"), let name = text.lastIndex(of: ")") else {
            return nil
        }
        let fields = text[text.index(after: name)...].split(separator: " ")
        guard fields.count > 1, let state = fields[0].first, let parent = Int32(fields[1]) else {
            return nil
        }
        (self.pid, self.state, self.parent) = (pid, state, parent)
    }

    /// Whether it has ended and was not waited for.
    public var isZombie: Bool { state == "Z" }

    /// The children of a process, zombies included.
    public static func children(of pid: Int32) -> [ProcessFacts] {
        (text(of: pid, "task/\(pid)/children") ?? "").split(separator: " ").compactMap {
            Int32($0).flatMap { ProcessFacts($0) }
        }
    }

    /// The processes, zombies apart, that were started with this argument.
    public static func started(with argument: String) -> [Int32] {
        let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return all.compactMap { Int32($0) }.filter {
            (text(of: $0, "cmdline") ?? "").split(separator: "\0").contains { $0 == argument }
        }
    }

    /// A set of signals by its name in `/proc/PID/status`, such as `SigBlk`: signal N is bit N - 1.
    public static func signals(_ name: String, of pid: Int32) throws -> UInt64 {
        let lines = (text(of: pid, "status") ?? "").split(separator: "\n")
        guard let line = lines.first(where: { $0.hasPrefix(name + ":") }),
            let set = UInt64(line.dropFirst(name.count + 1).drop { $0 == "\t" }, radix: 16)
        else { throw Trouble("/proc/\(pid)/status has no \(name)") }
        return set
    }

    /// The open descriptors and what each of them is, such as `socket:[123]` or a path.
    public static func descriptors(of pid: Int32) throws -> [Int32: String] {
        let folder = "/proc/\(pid)/fd"
        var found: [Int32: String] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            guard let number = Int32(name) else { continue }
            found[number] = try FileManager.default.destinationOfSymbolicLink(
                atPath: folder + "/" + name
            )
        }
        return found
    }

    /// What a file of `/proc` says; nil where it can't be read.
    ///
    /// Read to its end: Foundation takes the first piece for all, for these files tell no size.
    public static func text(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 65536)
        while true {
            let got = read(descriptor, &room, room.count)
            guard got >= 0 else { return nil }
            if got == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes += room.prefix(got)
        }
    }

    private static func text(of pid: Int32, _ name: String) -> String? {
        text("/proc/\(pid)/\(name)")
    }
}

/// Asks until the answer is yes; false where it was not within a time that is long for any machine.
public func eventually(
    within time: Duration = .seconds(20),
    _ isSo: () throws -> Bool
) rethrows -> Bool {
    let deadline = ContinuousClock.now + time
    while try !isSo() {
        if ContinuousClock.now > deadline { return false }
        sched_yield()
    }
    return true
}
