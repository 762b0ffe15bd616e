// Bodies, each distinct one once.

import GRDB

/// Finds or adds rows of `body`.
struct BodyShelf {
    private let insert: PreparedStatement
    private let find: PreparedStatement
    private let complete: PreparedStatement
    /// The bodies met last.
    ///
    /// It is emptied when it is full: the index in the file knows the rest.
    private var known: [[UInt8]: Int64] = [:]

    init(_ db: Database) throws {
        // SQLite gives the numbers: a recording and a replay may write into one file at a time.
        insert = try PreparedStatement(
            db,
            "INSERT INTO body (digest, size, truncated, bytes) VALUES (?, ?, ?, ?) RETURNING id"
        )
        find = try PreparedStatement(
            db,
            "SELECT id FROM body WHERE digest = ? AND truncated <= ? ORDER BY truncated LIMIT 1"
        )
        complete = try PreparedStatement(
            db,
            "UPDATE body SET truncated = 0, bytes = ? WHERE id = ?"
        )
    }

    /// The row of a body.
    ///
    /// - Parameters:
    ///   - digest: SHA-256 of the whole body.
    ///   - size: Its length, bytes.
    ///   - bytes: The body, or its beginning.
    /// - Returns: Its number.
    /// - Throws: `DatabaseError`.
    mutating func id(digest: [UInt8], size: Int64, bytes: [UInt8]) throws -> Int64 {
        if let id = known[digest] { return id }
        let isTruncated = Int64(bytes.count) < size
        var found = try stored(digest, orTruncated: isTruncated)
        if found == nil, !isTruncated, let cut = try stored(digest, orTruncated: true) {
            // An earlier recording kept less of it than there is now.
            complete.bind(blob: bytes)
            complete.bind(cut)
            try complete.run()
            found = cut
        }
        let id = try found ?? added(digest, size, bytes, isTruncated)
        if known.count >= 8192 { known.removeAll(keepingCapacity: true) }
        if !isTruncated { known[digest] = id }
        return id
    }

    /// The row of a body that came in; nil where there was none.
    mutating func id(_ body: BodyIntake) throws -> Int64? {
        guard let digest = body.digest else { return nil }
        return try id(digest: digest, size: body.size, bytes: body.bytes)
    }

    /// Forgets what it knows: after a rollback some of it is not in the file.
    mutating func forget() { known.removeAll() }

    private func stored(_ digest: [UInt8], orTruncated: Bool) throws -> Int64? {
        find.bind(blob: digest)
        find.bind(orTruncated ? 1 : 0)
        return try find.number()
    }

    private func added(
        _ digest: [UInt8],
        _ size: Int64,
        _ bytes: [UInt8],
        _ isTruncated: Bool
    ) throws -> Int64 {
        insert.bind(blob: digest)
        insert.bind(size)
        insert.bind(isTruncated ? 1 : 0)
        insert.bind(blob: bytes)
        guard let id = try insert.number() else {
            throw DatabaseError(resultCode: .SQLITE_INTERNAL, message: "a body got no number")
        }
        return id
    }
}
