// The few calls on files that SQLite does not make for us.

import Glibc

let existsNumber = EEXIST
let fullNumber = ENOSPC

func errorNumber() -> Int32 { errno }

func errorText() -> String { String(cString: strerror(errno)) }

/// Makes a file that must not exist yet, for its owner alone.
func createFile(_ path: String) -> Int32 {
    Glibc.open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
}

func closeFile(_ descriptor: Int32) { _ = Glibc.close(descriptor) }

func removeFile(_ path: String) { _ = unlink(path) }

/// The size of a file, or nil where there is none.
func fileSize(_ path: String) -> Int? {
    var facts = stat()
    return stat(path, &facts) == 0 ? Int(facts.st_size) : nil
}

/// Whether this user may write the file and its folder.
func mayWrite(_ path: String) -> Bool {
    let folder = path.lastIndex(of: "/").map { String(path[...$0]) } ?? "."
    return access(path, W_OK) == 0 && access(folder, W_OK) == 0
}
