// Why a session file could not be used, in sentences: what failed, on what, why, what to do.

/// Why a session file could not be used.
public enum SessionError: Error, Equatable, CustomStringConvertible {
    /// There is no such file.
    case missing(path: String)
    /// There is a file already, and nobody asked to add to it.
    case exists(path: String)
    /// The file is there and holds not one byte.
    case empty(path: String)
    /// The file is not a lab session.
    case notASession(path: String)
    /// The file was written by a newer lab.
    case tooNew(path: String, format: Int, newestKnown: Int)
    /// The file was written by a lab of before its first release.
    case tooOld(path: String, format: Int, oldestKnown: Int)
    /// Another process writes to the file.
    case busy(path: String)
    /// The file system is full.
    case full(path: String)
    /// The file could not be opened, read or written.
    case failed(path: String, doing: String, reason: String)
    /// The session holds nothing that can be sent again.
    case nothingToReplay(path: String)
    /// The session has no exchange of that number.
    case noSuchExchange(id: Int64, path: String)
    /// The session has no replay run of that number or label.
    case noSuchRun(name: String, path: String)
    /// The replay run has no result of that exchange.
    case noSuchResult(id: Int64, run: String, path: String)

    /// A sentence.
    public var description: String {
        switch self {
        case .missing(let path):
            "Cannot open '\(path)': there is no such file. Record one with: lab record --output '\(path)'."
        case .exists(let path):
            "Will not overwrite '\(path)': a session is never overwritten. "
                + "Add to it with --append, or name another file with --output."
        case .empty(let path):
            "Cannot read '\(path)': the file is empty. "
                + "The recording may never have begun; record again into another file."
        case .notASession(let path):
            "Cannot read '\(path)': it is not a lab session. Give a file that 'lab record' wrote."
        case .tooNew(let path, let format, let newest):
            "Cannot read '\(path)': its format is \(format); this lab reads up to \(newest). "
                + "Use the lab that recorded it, or a newer one."
        case .tooOld(let path, let format, let oldest):
            "Cannot read '\(path)': its format is \(format), of before the first release; this lab reads "
                + "from \(oldest) on. Record it again."
        case .busy(let path):
            "Cannot write to '\(path)': another 'lab record' is writing to it. "
                + "Wait for it to end, or name another file with --output."
        case .full(let path):
            "Cannot write to '\(path)': no space is left on its file system. "
                + "Free some space, or name a file elsewhere with --output."
        case .failed(let path, let doing, let reason):
            "Cannot \(doing) '\(path)': \(reason)."
        case .nothingToReplay(let path):
            "Cannot replay '\(path)': it holds no request that can be sent again. "
                + "Record some traffic first; 'lab list' shows what a session holds."
        case .noSuchExchange(let id, let path):
            "There is no exchange \(id) in '\(path)'. 'lab list' shows the numbers there are."
        case .noSuchRun(let name, let path):
            "There is no replay run '\(name)' in '\(path)'. 'lab report' lists the runs there are."
        case .noSuchResult(let id, let run, let path):
            "The replay run '\(run)' in '\(path)' has no result of exchange \(id): it did not send it, "
                + "or kept nothing (--store none)."
        }
    }
}
