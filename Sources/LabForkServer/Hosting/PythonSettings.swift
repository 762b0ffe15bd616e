// Which Python, and which application: a part of what the fork server is told.

/// Where a WSGI application is, and the Python that runs it.
public struct PythonSettings: Sendable, Equatable {
    /// The path of libpython.
    public var library: String
    /// The path of the interpreter, by which Python finds its modules and its virtual environment.
    public var executable: String
    /// Whether Python takes text of the system as UTF-8 whatever the locale (`sys.flags.utf8_mode`).
    public var usesUTF8: Bool
    /// The folder that comes first on `sys.path`.
    public var folder: String
    /// The module that holds the application, such as `shop.wsgi`.
    public var module: String
    /// Its name there, such as `app`.
    public var callable: String
    /// Whether the application is imported in each child, not once before the first.
    public var isLazy: Bool
    /// Whether it is imported anew when a file that it was loaded from has changed.
    public var reloads: Bool
    /// A target that the application answers before it is served, to be warm; empty for none.
    public var warmTarget: String

    /// Makes settings; the defaults stand for what is read from arguments.
    public init(
        library: String = "",
        executable: String = "",
        usesUTF8: Bool = false,
        folder: String = ".",
        module: String = "",
        callable: String = "",
        isLazy: Bool = false,
        reloads: Bool = false,
        warmTarget: String = ""
    ) {
        self.library = library
        self.executable = executable
        self.usesUTF8 = usesUTF8
        self.folder = folder
        self.module = module
        self.callable = callable
        self.isLazy = isLazy
        self.reloads = reloads
        self.warmTarget = warmTarget
    }

    /// As arguments: `key=value` each.
    var arguments: [String] {
        [
            "python-library=\(library)", "python=\(executable)", "python-utf8=\(usesUTF8 ? 1 : 0)",
            "app-dir=\(folder)", "app-module=\(module)", "app-callable=\(callable)",
            "app-lazy=\(isLazy ? 1 : 0)", "app-reload=\(reloads ? 1 : 0)",
            "app-warm=\(warmTarget)",
        ]
    }

    /// Reads one argument; false where it is none of these.
    mutating func read(_ key: Substring, _ value: Substring) -> Bool {
        switch key {
        case "python-library": library = String(value)
        case "python": executable = String(value)
        case "python-utf8": usesUTF8 = value == "1"
        case "app-dir": folder = String(value)
        case "app-module": module = String(value)
        case "app-callable": callable = String(value)
        case "app-lazy": isLazy = value == "1"
        case "app-reload": reloads = value == "1"
        case "app-warm": warmTarget = String(value)
        default: return false
        }
        return true
    }
}
