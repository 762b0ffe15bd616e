import Foundation
import LabTestSupport
import Testing

/// With `--reload` the server is replaced under its children, with `--warm` it has asked once before.
@Suite struct WSGIReloadTests {
    private let folder: URL

    init() throws { folder = try Place.temporary() }

    /// Writes the application's module; its size tells each version from the one before.
    private func write(_ answer: String, before: String = "") throws {
        let source = """
            \(before)
            def app(environ, start_response):
                start_response("200 OK", [("Content-Type", "text/plain")])
                return [b"\(answer)"]
            """
        try source.write(
            to: folder.appendingPathComponent("module.py"),
            atomically: true,
            encoding: .utf8
        )
    }

    private func host(_ options: String...) throws -> LabRecord {
        try LabRecord(
            ["--app", "module:app", "--app-dir", folder.path, "--python", WSGIApplications.python]
                + options
        )
    }

    /// Asks until the answer holds `text`; gives how often.
    private func ask(_ lab: LabRecord, until text: String) throws -> Int {
        for count in 1...2000 where try lab.get("/").contains(text) { return count }
        throw Trouble("the answer never held '\(text)'")
    }

    @Test func `a changed file is loaded for the next connection, and no connection is lost`()
        throws
    {
        try write("one")
        let lab = try host("--reload")
        let server = try lab.forkServer()
        #expect(try lab.get("/") == "one")
        // A child of the old application lives through the change.
        let old = try RawClient(port: lab.port)
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        try old.send(request)
        #expect(old.read { $0.hasSuffix("one") }.hasPrefix("HTTP/1.1 200 OK\r\n"))
        try write("number two")
        var count = try 2 + ask(lab, until: "number two")
        try write("number three", before: "raise RuntimeError('not now')")
        count += try ask(lab, until: "the application failed")
        try write("the fourth")
        count += try ask(lab, until: "the fourth")
        #expect(try lab.forkServer() == server)
        let end = lab.stop()
        #expect(end.status == 0)
        #expect(end.errors.contains("RuntimeError: not now"))
        // All that was asked is on record, in one row of accounts.
        #expect(try lab.sql("SELECT count(*) FROM exchange") == "\(count)")
        #expect(
            try lab.sql("SELECT count(*), sum(fate = 'exited'), count(DISTINCT ppid) FROM child")
                == "\(count)|\(count)|1"
        )
        #expect(try Tool.run(Place.lab, "check", lab.session).status == 0)
    }

    @Test func `without it a changed file changes nothing`() throws {
        try write("one")
        let lab = try host()
        try write("number two")
        for _ in 0..<3 { #expect(try lab.get("/") == "one") }
        lab.stop()
    }

    @Test func `a warm application has answered once before the first connection, unrecorded`()
        throws
    {
        try """
        asked = []
        def app(environ, start_response):
            asked.append(environ["PATH_INFO"])
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [repr(asked).encode()]
        """.write(
            to: folder.appendingPathComponent("module.py"),
            atomically: true,
            encoding: .utf8
        )
        let lab = try host("--warm", "/warm?up")
        #expect(try lab.get("/first") == "['/warm', '/first']")
        #expect(try lab.get("/second") == "['/warm', '/second']")
        lab.stop()
        #expect(try lab.sql("SELECT group_concat(target) FROM exchange") == "/first,/second")
        // The usual: nothing has been asked.
        let cold = try host()
        #expect(try cold.get("/first") == "['/first']")
        cold.stop()
    }
}
