// The bodies of captured answers: what a result that has the captured content points to.

import GRDB

/// Finds the body of an exchange's answer.
struct CapturedBodies {
    private let find: PreparedStatement
    /// The exchanges met last; a small session is sent over and over.
    private var known: [Int64: (id: Int64, digest: [UInt8])?] = [:]
    private static let mostKnown = 1 << 14

    init(_ db: Database) throws {
        find = try PreparedStatement(
            db,
            """
            SELECT b.id, b.digest FROM exchange e JOIN body b ON b.id = e.response_body_id
            WHERE e.id = ?
            """
        )
    }

    /// The number and the digest of the content of an exchange's answer; nil where it had none.
    ///
    /// - Throws: `DatabaseError`.
    mutating func body(of exchange: Int64) throws -> (id: Int64, digest: [UInt8])? {
        if let body = known[exchange] { return body }
        var body: (id: Int64, digest: [UInt8])?
        find.bind(exchange)
        try find.forEachRow { row in body = (row.int(0), row.bytesIfAny(1) ?? []) }
        if known.count >= Self.mostKnown { known.removeAll(keepingCapacity: true) }
        known[exchange] = .some(body)
        return body
    }
}
