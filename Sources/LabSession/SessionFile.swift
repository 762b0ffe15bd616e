// Opening a session file: what it must be, who may read it, who may write it.

public import GRDB

/// An open session file.
public struct SessionFile: Sendable {
    /// The path, as the user gave it.
    public let path: String
    /// The connection.
    public let queue: DatabaseQueue

    /// Opens a session to read it, while others may write.
    ///
    /// - Throws: ``SessionError`` where it is missing, empty, no session or too new.
    public static func open(reading path: String) throws(SessionError) -> SessionFile {
        try checkPresence(path)
        var configuration = Configuration()
        // A read-only connection can't take its -wal and -shm files away when it closes. One that
        // may write and promises not to leaves nothing behind.
        configuration.readonly = !mayWrite(path)
        configuration.busyMode = .timeout(5)
        configuration.prepareDatabase { db in try db.execute(sql: "PRAGMA query_only = ON") }
        let file = try connect(path, configuration, "open")
        try file.checkIdentity()
        return file
    }

    /// Opens a session to add to it.
    ///
    /// - Throws: ``SessionError``.
    public static func open(writing path: String) throws(SessionError) -> SessionFile {
        try checkPresence(path)
        let file = try connect(path, writerConfiguration(), "open")
        try file.checkIdentity()
        return file
    }

    /// Makes a new session, readable and writable by its owner alone.
    ///
    /// - Throws: ``SessionError``, ``SessionError/exists(path:)`` above all.
    public static func create(_ path: String) throws(SessionError) -> SessionFile {
        // O_EXCL is what makes "never overwritten" hold against a second recorder too.
        let descriptor = createFile(path)
        guard descriptor >= 0 else {
            if errorNumber() == existsNumber { throw .exists(path: path) }
            if errorNumber() == fullNumber { throw .full(path: path) }
            throw .failed(path: path, doing: "create", reason: errorText())
        }
        closeFile(descriptor)
        let file = try connect(path, writerConfiguration(), "create")
        do {
            try file.queue.writeWithoutTransaction { db in
                // Twice the default: what is written in bulk, results above all, takes half the calls.
                try db.execute(sql: "PRAGMA page_size = 8192")
                try db.execute(sql: "PRAGMA application_id = \(SessionFormat.applicationID)")
                try db.execute(sql: "PRAGMA journal_mode = WAL")
                try db.inTransaction {
                    try db.execute(sql: SessionFormat.schema)
                    try db.execute(sql: "PRAGMA user_version = \(SessionFormat.version)")
                    return .commit
                }
            }
        } catch {
            removeFile(path)
            throw SessionError(error, path: path, doing: "create")
        }
        return file
    }

    private static func writerConfiguration() -> Configuration {
        var configuration = Configuration()
        configuration.busyMode = .timeout(5)
        configuration.foreignKeysEnabled = false
        configuration.prepareDatabase { db in
            // A commit survives the end of any process. WAL with NORMAL syncs at checkpoints only,
            // so a power cut may take the last commits, never the file.
            try db.execute(sql: "PRAGMA synchronous = NORMAL")
            try db.execute(sql: "PRAGMA wal_autocheckpoint = 4000")
        }
        return configuration
    }

    private static func checkPresence(_ path: String) throws(SessionError) {
        switch fileSize(path) {
        case nil: throw .missing(path: path)
        case 0: throw .empty(path: path)
        default: break
        }
    }

    private static func connect(
        _ path: String,
        _ configuration: Configuration,
        _ doing: String
    ) throws(SessionError) -> SessionFile {
        do {
            return SessionFile(
                path: path,
                queue: try DatabaseQueue(path: path, configuration: configuration)
            )
        } catch {
            throw SessionError(error, path: path, doing: doing)
        }
    }

    /// Throws where the file is no session, or one of another format.
    func checkIdentity() throws(SessionError) {
        do {
            let (application, version) = try queue.read { db in
                (
                    try Int64.fetchOne(db, sql: "PRAGMA application_id") ?? 0,
                    try Int64.fetchOne(db, sql: "PRAGMA user_version") ?? 0
                )
            }
            guard application == Int64(SessionFormat.applicationID) else {
                throw SessionError.notASession(path: path)
            }
            guard version <= Int64(SessionFormat.version) else {
                throw SessionError.tooNew(
                    path: path,
                    format: Int(version),
                    newestKnown: Int(SessionFormat.version)
                )
            }
            guard version == Int64(SessionFormat.version) else {
                throw SessionError.tooOld(
                    path: path,
                    format: Int(version),
                    oldestKnown: Int(SessionFormat.version)
                )
            }
        } catch {
            throw SessionError(error, path: path, doing: "read")
        }
    }
}

extension SessionError {
    /// The sentence for an error of SQLite's on a session file.
    public init(_ error: any Error, path: String, doing: String) {
        if let known = error as? SessionError {
            self = known
            return
        }
        guard let error = error as? DatabaseError else {
            self = .failed(path: path, doing: doing, reason: "\(error)")
            return
        }
        switch error.resultCode {
        case .SQLITE_NOTADB: self = .notASession(path: path)
        case .SQLITE_BUSY: self = .busy(path: path)
        case .SQLITE_FULL: self = .full(path: path)
        case .SQLITE_CANTOPEN:
            self = .failed(
                path: path,
                doing: doing,
                reason: "it cannot be opened; check that its folder exists and may be written"
            )
        case .SQLITE_READONLY:
            self = .failed(
                path: path,
                doing: doing,
                reason: "it may not be written; check its permissions"
            )
        default:
            self = .failed(path: path, doing: doing, reason: error.message ?? "\(error.resultCode)")
        }
    }
}
