import Foundation
import LabTestSupport
import Testing

/// Real clients through the forward proxy, each as its users set it up.
@Suite struct ProxyClientsTests {
    private let origin: LabRecord
    private let lab: LabRecord
    private let folder: URL

    init() throws {
        origin = try LabRecord()
        lab = try LabRecord()
        folder = try Place.temporary()
    }

    private var proxy: String { lab.url("") }

    /// What the proxy kept of requests to the origin that were answered 200 by it, once all has ended.
    private func kept() throws -> Int {
        #expect(lab.stop().status == 0)
        #expect(origin.stop().status == 0)
        #expect(
            try lab.sql("SELECT count(*) FROM exchange WHERE outcome <> 'ok' OR status <> 200")
                == "0"
        )
        return Int(
            try lab.sql("SELECT count(*) FROM exchange WHERE target LIKE '\(origin.url("/"))%'")
        ) ?? 0
    }

    private func write(_ name: String, _ text: String) throws -> String {
        let file = folder.appendingPathComponent(name)
        try Data(text.utf8).write(to: file)
        return file.path
    }

    @Test func `curl`() throws {
        let end = try Tool.run("curl", "-s", "-x", proxy, origin.url("/"))
        #expect(end.output == "Hello, World!")
        #expect(try kept() == 1)
    }

    @Test func `python-requests, with a session that keeps its connection`() throws {
        let script = try write(
            "ask.py",
            """
            import requests, sys
            with requests.Session() as session:
                session.proxies = {"http": sys.argv[1]}
                for number in range(5):
                    answer = session.post(sys.argv[2] + "/echo", data={"n": number})
                    assert answer.status_code == 200 and answer.text == f"n={number}", answer.text
            print("well")
            """
        )
        let python = Place.package.appendingPathComponent(".build/venv/bin/python").path
        let end = try Tool.run(python, script, proxy, origin.url(""))
        #expect(end.output == "well\n", "\(end.errors)")
        #expect(try kept() == 5)
        #expect(try lab.sql("SELECT count(DISTINCT connection_id) FROM exchange") == "1")
    }

    @Test func `wrk, which asks in absolute-form where a script tells it to`() throws {
        let script = try write("absolute.lua", "wrk.path = \"\(origin.url("/"))\"")
        let end = try Tool.run(
            "wrk",
            "-t",
            "1",
            "-c",
            "4",
            "-d",
            "1s",
            "-s",
            script,
            "\(proxy)/"
        )
        #expect(!end.output.contains("Non-2xx"), "\(end.output)")
        #expect(!end.output.contains("Socket errors"), "\(end.output)")
        lab.stop()
        origin.stop()
        // It drops what is under way when its time is up.
        #expect(
            try lab.sql(
                "SELECT count(*) > 10, sum(status = 200) > 10 FROM exchange WHERE target LIKE 'http://%'"
            ) == "1|1"
        )
    }

    @Test func `ab`() throws {
        let end = try Tool.run(
            "ab",
            "-q",
            "-n",
            "50",
            "-c",
            "5",
            "-X",
            "127.0.0.1:\(lab.port)",
            origin.url("/")
        )
        #expect(end.output.contains("Complete requests:      50"), "\(end.errors)")
        #expect(end.output.contains("Failed requests:        0"))
        #expect(try kept() == 50)
    }

    @Test func `siege`() throws {
        let settings = try write(
            "siegerc",
            """
            proxy-host = 127.0.0.1
            proxy-port = \(lab.port)
            json_output = false
            protocol = HTTP/1.1
            parser = false
            logging = false

            """
        )
        let end = try Tool.run(
            "siege",
            "-R",
            settings,
            "-q",
            "-c",
            "3",
            "-r",
            "4",
            origin.url("/"),
            environment: ["HOME": folder.path]
        )
        #expect(end.status == 0, "\(end.output) \(end.errors)")
        #expect(try kept() == 12)
    }

    @Test func `git, cloning over http`() throws {
        // A repository as a server of files offers it: git's dumb protocol.
        func git(_ words: String..., in place: URL) throws {
            let end = try Tool(
                ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"] + words,
                in: place
            ).finish()
            #expect(end.status == 0, "\(end.errors)")
        }
        let work = folder.appendingPathComponent("work")
        try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
        try git("init", "-q", in: work)
        try Data("kept\n".utf8).write(to: work.appendingPathComponent("file"))
        try git("add", "file", in: work)
        try git("commit", "-q", "-m", "first", in: work)
        try git("clone", "-q", "--bare", "work", "bare.git", in: folder)
        try git("update-server-info", in: folder.appendingPathComponent("bare.git"))
        let server = try Tool(
            ["python3", "-u", "-m", "http.server", "--bind", "127.0.0.1", "0"],
            in: folder
        )
        defer { server.signal(SIGTERM) }
        let said = try #require(server.outputLine(with: "Serving HTTP on"))
        let port = try #require(said.split(separator: " ").compactMap { Int($0) }.first)
        let end = try Tool(
            [
                "git", "-c", "http.proxy=\(proxy)", "clone", "-q",
                "http://127.0.0.1:\(port)/bare.git", "copy",
            ],
            in: folder
        ).finish()
        #expect(end.status == 0, "\(end.errors)")
        let copy = folder.appendingPathComponent("copy/file")
        #expect(try String(contentsOf: copy, encoding: .utf8) == "kept\n")
        lab.stop()
        origin.stop()
        #expect(
            try lab.sql(
                "SELECT count(*) > 3, sum(target LIKE '%/bare.git/info/refs%') FROM exchange WHERE outcome = 'ok'"
            ) == "1|1"
        )
    }
}
