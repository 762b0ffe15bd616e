// The bytes that stored results name: heads and contents, read when they are asked for.

internal import GRDB

/// Reads heads and contents by their rows, and keeps a few of them.
///
/// Valid within the call that gave it. Not for several threads.
public final class StoredBytes {
    private let contentRow: PreparedStatement
    private let headRow: PreparedStatement
    private var contents: [Int64: (bytes: [UInt8], isWhole: Bool)] = [:]
    private var heads: [Int64: [UInt8]] = [:]
    private var size = 0
    /// The most bytes that are kept.
    private static let most = 32 << 20

    init(_ db: Database) throws {
        contentRow = try PreparedStatement(db, "SELECT bytes, truncated FROM body WHERE id = ?")
        headRow = try PreparedStatement(db, "SELECT bytes FROM replay_head WHERE id = ?")
    }

    /// The bytes of a stored content, or of its beginning where no more was kept; nothing where there
    /// is none of that number.
    ///
    /// - Throws: An error of SQLite's where the file cannot be read.
    public func content(_ id: Int64) throws -> (bytes: [UInt8], isWhole: Bool) {
        if let known = contents[id] { return known }
        contentRow.bind(id)
        var found: (bytes: [UInt8], isWhole: Bool) = ([], true)
        try contentRow.forEachRow { found = ($0.bytesIfAny(0) ?? [], $0.int(1) == 0) }
        makeRoom(found.bytes.count)
        contents[id] = found
        return found
    }

    /// The bytes of a stored head; nothing where there is none of that number.
    ///
    /// - Throws: An error of SQLite's where the file cannot be read.
    public func head(_ id: Int64) throws -> [UInt8] {
        if let known = heads[id] { return known }
        headRow.bind(id)
        var found: [UInt8] = []
        try headRow.forEachRow { found = $0.bytesIfAny(0) ?? [] }
        makeRoom(found.count)
        heads[id] = found
        return found
    }

    private func makeRoom(_ count: Int) {
        // What an entry takes besides its bytes counts too: heads are short, and many.
        size += count + 128
        guard size > Self.most else { return }
        contents.removeAll()
        heads.removeAll()
        size = count + 128
    }
}
