// Opening a session for reading where SQLite needs help: a folder that may not be written.

internal import GRDB
import Glibc

extension SessionFile {
    /// Opens a session to read it, in a folder that may not be written too.
    ///
    /// A reader of a WAL file makes a `-shm` file beside it. Where that cannot be, and there is no
    /// `-wal` file to miss, nobody can be writing: SQLite may take the file for immutable.
    static func open(forReader path: String) throws(SessionError) -> SessionFile {
        do {
            return try open(reading: path)
        } catch {
            guard case .failed = error, access(folder(of: path), W_OK) != 0,
                access(path, R_OK) == 0, fileSize(path + "-wal") == nil
            else { throw error }
            return try open(immutable: path)
        }
    }

    /// Opens a session that nobody can be writing to.
    static func open(immutable path: String) throws(SessionError) -> SessionFile {
        do {
            var configuration = Configuration()
            configuration.readonly = true
            let file = SessionFile(
                path: path,
                queue: try DatabaseQueue(path: immutableAddress(path), configuration: configuration)
            )
            try file.checkIdentity()
            return file
        } catch {
            throw SessionError(error, path: path, doing: "open")
        }
    }

    private static func folder(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// A `file:` address (https://www.sqlite.org/uri.html): all but the plainest bytes escaped.
    private static func immutableAddress(_ path: String) -> String {
        var address = "file:"
        for byte in path.utf8 {
            switch byte {
            case 0x2D...0x39, 0x41...0x5A, 0x5F, 0x61...0x7A:
                address.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                address += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return address + "?immutable=1"
    }
}
