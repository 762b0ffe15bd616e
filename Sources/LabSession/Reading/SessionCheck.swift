// Whether a session is whole: the file, its rows, and the accounts of its recordings.

internal import GRDB

/// What a check of a session found.
public struct SessionCheck: Codable, Sendable, Equatable {
    /// The session's path, as the user gave it.
    public var path: String
    /// What SQLite's integrity check says, where it does not say that all is well.
    public var damage: [String]
    /// Rows that point to a row that is not there, counted by table.
    public var dangling: [String: Int]
    /// The recordings, each with its accounts.
    public var recordings: [RecordingReport]

    /// Whether the file is sound and every recording adds up.
    public var isGood: Bool {
        damage.isEmpty && dangling.isEmpty && recordings.allSatisfy(\.identity.isTrustworthy)
    }
}

extension SessionReader {
    /// Checks the whole session; takes as long as reading all of it.
    ///
    /// - Throws: ``SessionError`` where the file cannot be read at all.
    public func check() throws(SessionError) -> SessionCheck {
        let (damage, dangling) = try read { db in
            let said = try String.fetchAll(db, sql: "PRAGMA integrity_check")
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT \"table\", count(*) FROM pragma_foreign_key_check GROUP BY 1"
            )
            return (
                said == ["ok"] ? [] : said,
                Dictionary(uniqueKeysWithValues: rows.map { ($0.text(0), $0.count(1)) })
            )
        }
        // Of a damaged file nothing else can be believed, or even read.
        let recordings = damage.isEmpty ? try report().recordings : []
        return SessionCheck(
            path: path,
            damage: damage,
            dangling: dangling,
            recordings: recordings
        )
    }
}
