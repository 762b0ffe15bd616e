// lab record --app: which application, and which Python runs it.

import ArgumentParser
import Glibc
import LabForkServer
import LabPython

/// The options of a WSGI application.
struct ApplicationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Host a WSGI application (PEP 3333), imported once before the first fork, such as wsgi:app.",
            valueName: "module:callable"
        )
    )
    var app: String?

    @Option(
        help: ArgumentHelp(
            "The folder that comes first on the application's sys.path.",
            valueName: "dir"
        )
    )
    var appDir = "."

    @Option(
        help: ArgumentHelp(
            "The Python that runs the application; one in a virtual environment has its packages.",
            valueName: "command"
        )
    )
    var python = "python3"

    @Flag(
        help:
            "Import the application in each child: for one that starts threads when it is imported."
    )
    var lazy = false

    @Option(
        help: ArgumentHelp(
            "Have it answer GET of this target, unrecorded, before the first fork: its children begin warm.",
            discussion:
                "Whatever it does for that request it does in the server and in two children.",
            valueName: "target"
        )
    )
    var warm: String?

    @Flag(
        help:
            "Import it anew for the next connection when a file that it was loaded from has changed."
    )
    var reload = false

    func validate() throws {
        guard let app else {
            if lazy || reload || warm != nil {
                throw ValidationError("--lazy, --reload and --warm go with --app.")
            }
            return
        }
        if lazy, reload || warm != nil {
            throw ValidationError(
                "--lazy imports in each child: it goes without --reload and --warm."
            )
        }
        if let warm, !warm.hasPrefix("/") || warm.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7F })
        {
            throw ValidationError("--warm takes a path and query, such as /health?warm=up.")
        }
        guard Self.parts(of: app) != nil else {
            throw ValidationError(
                "--app takes MODULE:CALLABLE, such as wsgi:app, and not '\(app)'."
            )
        }
    }

    /// The module and the callable; nil where they are not two dotted names.
    private static func parts(of app: String) -> (module: String, callable: String)? {
        let parts = app.split(separator: ":", omittingEmptySubsequences: false)
        let areNames = parts.allSatisfy { part in
            part.split(separator: ".", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
        }
        guard parts.count == 2, areNames else { return nil }
        return (String(parts[0]), String(parts[1]))
    }

    /// What the fork server is told of the application; nil where there is none.
    ///
    /// - Throws: ``Failure`` where there is no such folder, or no Python that can host it.
    func settings() throws -> PythonSettings? {
        guard let app, let (module, callable) = Self.parts(of: app) else { return nil }
        guard let place = realpath(appDir, nil) else {
            throw Failure(
                "Cannot use --app-dir '\(appDir)': \(String(cString: strerror(errno))). Give the folder "
                    + "that holds the module '\(module)'."
            )
        }
        defer { free(place) }
        do throws(PythonInstallation.Failure) {
            let python = try PythonInstallation(asking: python)
            return PythonSettings(
                library: python.library,
                executable: python.executable,
                usesUTF8: python.usesUTF8,
                folder: String(cString: place),
                module: module,
                callable: callable,
                isLazy: lazy,
                reloads: reload,
                warmTarget: warm ?? ""
            )
        } catch {
            throw Failure(error.description)
        }
    }
}
