// Rules files: read whole, written whole.

import FoundationEssentials
import Glibc
import LabComparer

/// A rules file.
enum RuleFile {
    /// The bytes of a file.
    ///
    /// - Throws: ``Failure`` where it can't be read.
    static func read(_ path: String) throws -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw Failure("Cannot read the rules in '\(path)': \(lastError()).")
        }
        defer { close(file) }
        var all: [UInt8] = []
        var room = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file, &room, room.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                throw Failure("Cannot read the rules in '\(path)': \(lastError()).")
            }
            if count == 0 { return all }
            all += room.prefix(count)
        }
    }

    private struct File: Encodable {
        struct Entry: Encodable {
            var endpoint: String
            var path: String
            var kind: String?
            var action: String
            var tolerance: Double?
            var key: String?
            var reason: String
            var expires: String?
        }

        var rules: [Entry]
    }

    /// Writes rules to a file, by way of another one: it is never half written.
    ///
    /// - Throws: ``Failure`` where it can't.
    static func write(_ rules: [Rule], to path: String) throws {
        let entries = rules.map { rule in
            var entry = File.Entry(
                endpoint: rule.endpoint,
                path: rule.path,
                kind: rule.kind?.rawValue,
                action: rule.action.word,
                reason: rule.reason,
                expires: rule.expires
            )
            switch rule.action {
            case .tolerance(let share): entry.tolerance = share
            case .key(let name): entry.key = name
            case .ignore, .shape, .set, .multiset: break
            }
            return entry
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let bytes = Array(try encoder.encode(File(rules: entries))) + [0x0A]
        try writeFile(bytes, to: path + ".new")
        guard rename(path + ".new", path) == 0 else {
            throw Failure("Cannot write '\(path)': \(lastError()).")
        }
    }
}

/// Writes a whole file.
///
/// - Throws: ``Failure`` where it can't.
func writeFile(_ bytes: [UInt8], to path: String) throws {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw Failure("Cannot write '\(path)': \(lastError()).") }
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        if count < 0, errno == EINTR { continue }
        guard count > 0 else {
            let reason = lastError()
            close(file)
            throw Failure("Cannot write '\(path)': \(reason).")
        }
        rest = rest.dropFirst(count)
    }
    guard close(file) == 0 else { throw Failure("Cannot write '\(path)': \(lastError()).") }
}
