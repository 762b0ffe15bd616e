// One SQL statement, prepared once and run for each row.
//
// GRDB opens, migrates and reads. The writer's rows, and whole sessions that are read row by row, go
// through SQLite's own calls: at thousands of rows a second the boxing of every value into a
// DatabaseValue is what would cost most.

import GRDB
import GRDBSQLite

/// A prepared statement with its parameters bound in order.
final class PreparedStatement {
    private let statement: OpaquePointer
    private let connection: OpaquePointer
    private var index: Int32 = 0

    /// - Throws: `DatabaseError` where the SQL does not fit the file.
    init(_ db: Database, _ sql: String) throws {
        guard let connection = db.sqliteConnection else {
            throw DatabaseError(resultCode: .SQLITE_MISUSE, message: "the session is closed")
        }
        var made: OpaquePointer?
        let code = sqlite3_prepare_v3(
            connection,
            sql,
            -1,
            UInt32(SQLITE_PREPARE_PERSISTENT),
            &made,
            nil
        )
        guard code == SQLITE_OK, let made else {
            throw DatabaseError(
                resultCode: ResultCode(rawValue: code),
                message: String(cString: sqlite3_errmsg(connection))
            )
        }
        statement = made
        self.connection = connection
    }

    deinit { sqlite3_finalize(statement) }

    func bind(_ number: some FixedWidthInteger) {
        index += 1
        sqlite3_bind_int64(statement, index, Int64(truncatingIfNeeded: number))
    }

    func bind(_ number: (some FixedWidthInteger)?) {
        if let number { bind(number) } else { bindNull() }
    }

    func bindNull() {
        index += 1
        sqlite3_bind_null(statement, index)
    }

    func bind(text: String) {
        var text = text
        text.withUTF8 { bind(run: UnsafeRawBufferPointer($0), asText: true) }
    }

    func bind(text bytes: [UInt8]) {
        bytes.withUnsafeBytes { bind(run: $0, asText: true) }
    }

    func bind(blob bytes: [UInt8]) {
        bytes.withUnsafeBytes { bind(run: $0, asText: false) }
    }

    private func bind(run: UnsafeRawBufferPointer, asText: Bool) {
        index += 1
        // SQLITE_TRANSIENT: SQLite copies, for the bytes are gone when the statement runs.
        let transient = unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        let start = run.baseAddress ?? UnsafeRawPointer(bitPattern: 1)
        if asText {
            sqlite3_bind_text(
                statement,
                index,
                start?.assumingMemoryBound(to: CChar.self),
                Int32(run.count),
                transient
            )
        } else {
            sqlite3_bind_blob64(statement, index, start, UInt64(run.count), transient)
        }
    }

    /// Runs the statement with what was bound, and makes it ready for the next row.
    ///
    /// - Throws: `DatabaseError` with SQLite's code.
    func run() throws {
        _ = try step()
        finish()
    }

    /// Runs a query for one number.
    func number() throws -> Int64? {
        let hasRow = try step()
        defer { finish() }
        return hasRow ? sqlite3_column_int64(statement, 0) : nil
    }

    /// Runs a query, and calls `body` at each row.
    func forEachRow(_ body: (borrowing StatementRow) throws -> Void) throws {
        defer { finish() }
        while try step() { try body(StatementRow(statement)) }
    }

    /// Goes to the next row, and gives what `body` reads of it; nil after the last one, and the
    /// statement is then ready to be run again.
    func next<Value>(_ body: (borrowing StatementRow) -> Value) throws -> Value? {
        guard try step() else {
            finish()
            return nil
        }
        return body(StatementRow(statement))
    }

    private func step() throws -> Bool {
        let code = sqlite3_step(statement)
        if code == SQLITE_ROW { return true }
        if code == SQLITE_DONE { return false }
        let message = String(cString: sqlite3_errmsg(connection))
        finish()
        throw DatabaseError(resultCode: ResultCode(rawValue: code), message: message)
    }

    /// Forgets what was bound.
    func forget() { finish() }

    private func finish() {
        sqlite3_reset(statement)
        index = 0
    }
}

/// The row that a query is at.
///
/// A value of another type than is asked for reads as none.
struct StatementRow: ~Copyable {
    private let statement: OpaquePointer

    fileprivate init(_ statement: OpaquePointer) { self.statement = statement }

    func intIfAny(_ column: Int32) -> Int64? {
        sqlite3_column_type(statement, column) == SQLITE_INTEGER
            ? sqlite3_column_int64(statement, column) : nil
    }

    func int(_ column: Int32) -> Int64 { intIfAny(column) ?? 0 }

    /// The bytes of a blob, or of a text.
    func bytesIfAny(_ column: Int32) -> [UInt8]? {
        switch sqlite3_column_type(statement, column) {
        case SQLITE_BLOB, SQLITE_TEXT:
            let start = sqlite3_column_blob(statement, column)
            let count = Int(sqlite3_column_bytes(statement, column))
            return Array(UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count))
        default: return nil
        }
    }

    func textIfAny(_ column: Int32) -> String? {
        guard sqlite3_column_type(statement, column) == SQLITE_TEXT,
            let start = sqlite3_column_text(statement, column)
        else { return nil }
        return String(cString: start)
    }

    func text(_ column: Int32) -> String { textIfAny(column) ?? "" }
}
