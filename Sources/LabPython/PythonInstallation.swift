// Which libpython belongs to an interpreter: the interpreter is asked, once.

internal import CLabLinux
internal import Glibc

/// An installed Python: what it says of itself, and where its library is.
public struct PythonInstallation: Sendable, Equatable {
    /// The interpreter's path, in its virtual environment if it has one.
    public let executable: String
    /// The path of libpython.
    public let library: String
    /// Whether it takes text of the system as UTF-8 whatever the locale.
    public let usesUTF8: Bool

    /// Why an interpreter can't host an application.
    public enum Failure: Error, Equatable, CustomStringConvertible {
        /// The command could not be run.
        case notFound(command: String, reason: String)
        /// It ran, and what it said is not what a Python says.
        case notPython(command: String)
        /// It is older than what is known here, or another one than CPython.
        case unfit(command: String, name: String, version: String)
        /// Its library is not installed, or it was built without one.
        case noLibrary(command: String, version: String, name: String, isShared: Bool)

        /// A sentence: what failed, on what, why, what to do.
        public var description: String {
            switch self {
            case .notFound(let command, let reason):
                "Cannot run the Python '\(command)': \(reason). Install python3, or name another by "
                    + "--python, such as --python .venv/bin/python."
            case .notPython(let command):
                "'\(command)' did not answer as a Python 3 does. Name one by --python."
            case .unfit(let command, let name, let version):
                "'\(command)' is \(name) \(version); an application needs CPython 3.9 or newer. Name one "
                    + "by --python."
            case .noLibrary(let command, let version, let name, true):
                "'\(command)' is Python \(version), but its library \(name) is not here. On Debian: "
                    + "apt-get install libpython\(version)"
            case .noLibrary(let command, let version, _, false):
                "'\(command)' is Python \(version) built without a shared library. Build it with "
                    + "--enable-shared, or use Debian's (apt-get install python3 libpython\(version), "
                    + "then --python /usr/bin/python3)."
            }
        }
    }

    private static let question = """
        import sys, sysconfig
        v = sysconfig.get_config_var
        print("lab", sys.implementation.name, "%d.%d" % sys.version_info[:2], sys.executable,
            sys.flags.utf8_mode, v("Py_ENABLE_SHARED") or 0, v("INSTSONAME") or v("LDLIBRARY") or "",
            v("LIBDIR") or "", sys.base_prefix, sep="\\n")
        """

    /// Asks an interpreter what it is.
    ///
    /// - Parameter command: A path, or a name on the PATH.
    /// - Throws: ``Failure``.
    public init(asking command: String) throws(Failure) {
        let said = try answer(of: [command, "-c", Self.question], command)
        let lines = said.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        guard lines.count >= 9, lines[0] == "lab" else { throw .notPython(command: command) }
        let (name, version, libraryName) = (lines[1], lines[2], lines[6])
        let parts = version.split(separator: ".").compactMap { Int($0) }
        guard name == "cpython", parts.count == 2, parts[0] == 3, parts[1] >= 9 else {
            throw .unfit(command: command, name: name, version: version)
        }
        let places = [lines[7], lines[8] + "/lib"].map { "\($0)/\(libraryName)" }
        let isShared = lines[5] == "1"
        guard isShared, let place = places.first(where: { access($0, R_OK) == 0 }) else {
            throw .noLibrary(
                command: command,
                version: version,
                name: libraryName,
                isShared: isShared
            )
        }
        executable = lines[3]
        usesUTF8 = lines[4] == "1"
        library = place
    }
}

/// What a program writes on its standard output; its standard error stays this process's.
private func answer(
    of words: [String],
    _ command: String
) throws(PythonInstallation.Failure) -> String {
    var pipe: (Int32, Int32) = (-1, -1)
    let made = withUnsafeMutablePointer(to: &pipe) {
        $0.withMemoryRebound(to: Int32.self, capacity: 2) { clab_pipe($0) }
    }
    guard made == 0 else {
        throw .notFound(command: command, reason: String(cString: strerror(errno)))
    }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, pipe.1, STDOUT_FILENO)
    defer { posix_spawn_file_actions_destroy(&actions) }
    var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var pid: pid_t = 0
    let error = posix_spawnp(&pid, command, &actions, nil, &arguments, environ)
    close(pipe.1)
    defer { close(pipe.0) }
    guard error == 0 else {
        throw .notFound(command: command, reason: String(cString: strerror(error)))
    }
    var said: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 4096)
    while true {
        let got = read(pipe.0, &room, room.count)
        if got < 0, errno == EINTR { continue }
        guard got > 0 else { break }
        said += room[..<got]
    }
    var status: Int32 = 0
    while waitpid(pid, &status, 0) < 0, errno == EINTR {}
    guard status == 0 else { throw .notPython(command: command) }
    return String(decoding: said, as: UTF8.self)
}
