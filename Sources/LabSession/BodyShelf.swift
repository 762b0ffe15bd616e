// Bodies, each distinct one once.

import GRDB

/// Finds or adds rows of `body`.
struct BodyShelf {
    private let insert: PreparedStatement
    private let find: PreparedStatement
    private var nextID: Int64
    /// The bodies met last.
    ///
    /// It is emptied when it is full: the index in the file knows the rest.
    private var known: [[UInt8]: Int64] = [:]

    init(_ db: Database) throws {
        insert = try PreparedStatement(
            db,
            "INSERT INTO body (id, digest, size, truncated, bytes) VALUES (?, ?, ?, ?, ?)"
        )
        find = try PreparedStatement(
            db,
            "SELECT id FROM body WHERE digest = ? AND truncated <= ? LIMIT 1"
        )
        nextID = (try Int64.fetchOne(db, sql: "SELECT max(id) FROM body") ?? 0) + 1
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
        find.bind(blob: digest)
        find.bind(isTruncated ? 1 : 0)
        var id = try find.number()
        if id == nil {
            insert.bind(nextID)
            insert.bind(blob: digest)
            insert.bind(size)
            insert.bind(isTruncated ? 1 : 0)
            insert.bind(blob: bytes)
            try insert.run()
            id = nextID
            nextID += 1
        }
        if known.count >= 8192 { known.removeAll(keepingCapacity: true) }
        if !isTruncated { known[digest] = id }
        return id ?? 0
    }

    mutating func id(_ body: BodyIntake) throws -> Int64? {
        guard let digest = body.digest else { return nil }
        return try id(digest: digest, size: body.size, bytes: body.bytes)
    }

    /// Forgets what it knows: after a rollback some of it is not in the file.
    mutating func forget() { known.removeAll() }
}
