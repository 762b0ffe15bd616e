// Values out of a row that cannot trap: SQLite columns hold what a writer put there, and a file
// may come from anywhere. A value of another type reads as none.

internal import GRDB

extension Row {
    func intIfAny(_ column: Int) -> Int64? {
        Int64.fromDatabaseValue(self[column] as DatabaseValue)
    }

    func int(_ column: Int) -> Int64 { intIfAny(column) ?? 0 }

    func count(_ column: Int) -> Int { Int(clamping: int(column)) }

    func textIfAny(_ column: Int) -> String? {
        String.fromDatabaseValue(self[column] as DatabaseValue)
    }

    func text(_ column: Int) -> String { textIfAny(column) ?? "" }

    func doubleIfAny(_ column: Int) -> Double? {
        Double.fromDatabaseValue(self[column] as DatabaseValue)
    }

    func bytesIfAny(_ column: Int) -> [UInt8]? {
        switch (self[column] as DatabaseValue).storage {
        case .blob(let data): Array(data)
        case .string(let text): Array(text.utf8)
        default: nil
        }
    }
}

extension Cursor {
    /// All that is left, as an array.
    func array() throws -> [Element] { try Array(self) }
}
