// Heads of replayed answers, equal ones once where they come close together.

import GRDB

/// Adds rows of `replay_head`.
struct HeadShelf {
    private let insert: PreparedStatement
    /// The heads met last.
    ///
    /// Heads differ by their dates above all, which change once a second. So there is no index over
    /// them: one that was forgotten meanwhile is another row.
    private var known: [[UInt8]: Int64] = [:]

    init(_ db: Database) throws {
        insert = try PreparedStatement(
            db,
            "INSERT INTO replay_head (bytes) VALUES (?) RETURNING id"
        )
    }

    /// The row of a head.
    ///
    /// - Throws: `DatabaseError`.
    mutating func id(_ head: [UInt8]) throws -> Int64 {
        if let id = known[head] { return id }
        insert.bind(blob: head)
        guard let id = try insert.number() else {
            throw DatabaseError(resultCode: .SQLITE_INTERNAL, message: "a head got no number")
        }
        if known.count >= 4096 { known.removeAll(keepingCapacity: true) }
        known[head] = id
        return id
    }

    /// Forgets what it knows: after a rollback some of it is not in the file.
    mutating func forget() { known.removeAll() }
}
