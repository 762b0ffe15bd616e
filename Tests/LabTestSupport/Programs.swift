// Small programs that a test writes and runs.

public import Foundation

/// A folder of executable files.
public struct Programs {
    /// Where they are.
    public let folder: URL

    /// Writes files of these names and texts.
    public init(_ texts: [String: String], mode: Int = 0o755) throws {
        folder = try Place.temporary()
        for (name, text) in texts { try add(name, text, mode: mode) }
    }

    /// Writes one more.
    public func add(_ name: String, _ text: String, mode: Int = 0o755) throws {
        try Data(text.utf8).write(to: folder.appendingPathComponent(name))
        try FileManager.default.setAttributes(
            [.posixPermissions: mode],
            ofItemAtPath: path(name)
        )
    }

    /// The path of a file in the folder.
    public func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
}
