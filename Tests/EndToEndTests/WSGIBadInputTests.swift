import Foundation
import LabTestSupport
import Testing

/// What stops `lab record --app` before it listens: a sentence, exit code 2, and no session left behind.
@Suite struct WSGIBadInputTests {
    /// Runs it in a folder with one module; gives its end, and whether a session is there.
    private func record(
        _ source: String,
        app: String = "module:app",
        _ options: [String] = [],
        python: String = WSGIApplications.python
    ) throws -> (end: Finished, leftSession: Bool) {
        let folder = try Place.temporary()
        try source.write(
            to: folder.appendingPathComponent("module.py"),
            atomically: true,
            encoding: .utf8
        )
        let end = try Tool(
            [
                Place.lab, "record", "--port", "0", "--app", app, "--python", python, "--duration",
                "1ms",
            ]
                + options,
            in: folder
        ).finish()
        let session = folder.appendingPathComponent("session.db").path
        return (end, FileManager.default.fileExists(atPath: session))
    }

    private static let good = "def app(environ, start_response): pass"

    @Test(arguments: [
        ("raise RuntimeError('at import')", "module:app", "RuntimeError: at import"),
        ("import not_there", "module:app", "No module named 'not_there'"),
        ("def app(:", "module:app", "SyntaxError"),
        ("import sys; sys.exit(4)", "module:app", "SystemExit: 4"),
        (good, "other:app", "No module named 'other'"),
        (good, "module:other", "module 'module' has no attribute 'other'"),
        ("app = 5", "module:app", "module:app is int and can't be called"),
    ])
    func `an application that can't be imported`(
        source: String,
        app: String,
        said: String
    ) throws {
        let (end, leftSession) = try record(source, app: app)
        #expect(end.status == 2)
        #expect(end.errors.contains(said))
        #expect(end.errors.contains("Cannot import the application '\(app)' from '/"))
        #expect(!end.errors.contains("lab gateway") && !end.errors.contains("listening"))
        #expect(!end.errors.contains("gone before it could serve"))
        #expect(!leftSession)
    }

    /// 2 is also what the server leaves with after it has said why it can't begin.
    @Test(arguments: [0, 2, 4])
    func `an application that ends the process when it is imported`(code: Int) throws {
        let (end, leftSession) = try record("import os; os._exit(\(code))")
        #expect(end.status == 2)
        #expect(
            end.errors.contains(
                "gone before it could serve, while it imported the application 'module:app': it left with "
                    + "exit code \(code)."
            )
        )
        #expect(!leftSession)
    }

    @Test func `an application that starts a thread when it is imported, and --lazy for it`() throws
    {
        let source = """
            import threading, time
            threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()
            \(Self.good)
            """
        let (end, leftSession) = try record(source)
        #expect(end.status == 2)
        #expect(end.errors.contains("starts a thread when it is imported"))
        #expect(end.errors.contains("--lazy"))
        #expect(!leftSession)
        #expect(try record(source, ["--lazy"]).end.status == 0)
    }

    @Test(arguments: [
        ("/nowhere/python3", "Cannot run the Python '/nowhere/python3': No such file or directory"),
        ("/bin/true", "'/bin/true' did not answer as a Python 3 does"),
        ("/bin/false", "'/bin/false' did not answer as a Python 3 does"),
    ])
    func `no Python`(python: String, said: String) throws {
        let (end, leftSession) = try record(Self.good, python: python)
        #expect(end.status == 2)
        #expect(end.errors.contains(said) && end.errors.contains("--python"))
        #expect(!leftSession)
    }

    @Test(arguments: [
        ("1", "apt-get install libpython3.11"), ("0", "built without a shared library"),
    ])
    func `a Python whose library is not here`(isShared: String, said: String) throws {
        let folder = try Place.temporary()
        let python = folder.appendingPathComponent("python").path
        let script = """
            #!/bin/sh
            printf '%s\\n' lab cpython 3.11 /usr/bin/python3 0 \(isShared) libpython3.11.so.1.0 /nowhere /nowhere
            """
        try script.write(toFile: python, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: python)
        let (end, _) = try record(Self.good, python: python)
        #expect(end.status == 2)
        #expect(end.errors.contains(said))
    }

    @Test func `a Python that is too old`() throws {
        let python = try Place.temporary().appendingPathComponent("python").path
        try "#!/bin/sh\nprintf '%s\\n' lab cpython 3.8 /usr/bin/python3 0 1 x y z\n"
            .write(toFile: python, atomically: true, encoding: .utf8)
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: python)
        let (end, _) = try record(Self.good, python: python)
        #expect(end.status == 2)
        #expect(end.errors.contains("is cpython 3.8; an application needs CPython 3.9 or newer"))
    }

    @Test(arguments: ["module", "module:", ":app", "a:b:c", "a..b:c"])
    func `an application that is not named as MODULE and CALLABLE`(app: String) throws {
        let (end, _) = try record(Self.good, app: app)
        #expect(end.status == 64)
        #expect(end.errors.contains("--app takes MODULE:CALLABLE, such as wsgi:app"))
    }

    @Test func `a folder that is not there, and options that go with no application`() throws {
        let (end, _) = try record(Self.good, ["--app-dir", "/nowhere"])
        #expect(end.status == 2)
        #expect(end.errors.contains("Cannot use --app-dir '/nowhere': No such file or directory"))
        #expect(try record(Self.good, ["--upstream", "http://a"]).end.status == 64)
        for option in ["--lazy", "--reload", "--warm=/"] {
            #expect(try Tool.run(Place.lab, "record", option).status == 64, "\(option)")
        }
        for options in [["--lazy", "--reload"], ["--warm", "no-path"], ["--reload", "--serial"]] {
            #expect(try record(Self.good, options).end.status == 64, "\(options)")
        }
    }

    @Test func `a lazy application that can't be imported is an answer of 500 each time`() throws {
        let folder = try Place.temporary()
        try "raise RuntimeError('late')".write(
            to: folder.appendingPathComponent("module.py"),
            atomically: true,
            encoding: .utf8
        )
        let lab = try LabRecord([
            "--app", "module:app", "--app-dir", folder.path, "--python", WSGIApplications.python,
            "--lazy",
        ])
        for _ in 0..<2 { #expect(try lab.get("/", "-i").hasPrefix("HTTP/1.1 500 ")) }
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql("SELECT DISTINCT outcome, error FROM exchange")
                == "app_error|the application raised RuntimeError: late"
        )
    }
}
