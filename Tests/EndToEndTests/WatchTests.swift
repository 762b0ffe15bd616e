import Foundation
import LabTestSupport
import Testing

/// `lab replay --watch` and `--spawn`: what the target's processes cost, for a single run.
@Suite(.timeLimit(.minutes(3))) struct WatchTests {
    /// A server in Python that spends what a request's path says.
    private static let program = """
        import http.server, mmap, os, sys, time

        class Spender(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words):
                pass

            def do_HEAD(self):
                self.do_GET()

            def do_GET(self):
                if self.path == "/touch":
                    # 1,024 pages that nobody had, small ones whatever the machine likes.
                    pages = mmap.mmap(-1, 4 << 20)
                    pages.madvise(mmap.MADV_NOHUGEPAGE)
                    for place in range(0, 4 << 20, 4096):
                        pages[place] = 1
                    pages.close()
                elif self.path == "/spin":
                    end = time.process_time() + 0.2
                    while time.process_time() < end:
                        pass
                elif self.path == "/zombie":
                    if os.fork() == 0:
                        os._exit(0)
                elif self.path == "/orphan":
                    reader, writer = os.pipe()
                    child = os.fork()
                    if child == 0:
                        if os.fork() == 0:
                            # It is an orphan once its parent has ended, and then says so.
                            parent = os.getppid()
                            while os.getppid() == parent:
                                time.sleep(0.001)
                            os.write(writer, b"x")
                            time.sleep(30)
                        os._exit(0)
                    os.waitpid(child, 0)
                    os.read(reader, 1)
                elif self.path == "/die":
                    os.abort()
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

        server = http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Spender)
        print("port", server.server_port, flush=True)
        server.serve_forever()
        """

    private struct Answer: Decodable {
        struct Watched: Decodable {
            var pid: Int
            var command: String?
            var cpuS: Double
            var minorFaults: Int
            var majorFaults: Int
            var rssMaxKib: Int
            var descriptorsMax: Int?
            var threadsMax: Int
            var zombiesMax: Int
            var zombiesLeft: Int
            var orphans: Int
            var death: String?
        }

        var requests: Int?
        var errors: Int?
        var watched: Watched?
    }

    private let folder: URL
    private let spender: String
    private var spawn: String { "exec python3 '\(spender)' {port}" }

    init() throws {
        folder = try Place.temporary()
        let file = folder.appendingPathComponent("spender.py")
        try Data(Self.program.utf8).write(to: file)
        spender = file.path
    }

    /// A session that asks for some paths, each on a connection of its own.
    private func session(_ paths: String...) throws -> String {
        let recorder = try LabRecord()
        for path in paths { try recorder.get(path) }
        #expect(recorder.stop().status == 0)
        return recorder.session
    }

    private func replay(_ session: String, _ options: String...) throws -> Finished {
        try Tool([Place.lab, "replay", session, "-c", "1"] + options).finish()
    }

    private func answer(_ text: String) throws -> Answer {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Answer.self, from: Data(text.utf8))
    }

    @Test func `a server that is started for it costs what its requests cost`() throws {
        let quiet = try session("/", "/", "/")
        let end = try replay(quiet, "--spawn", spawn, "--json")
        #expect(end.status == 0, "\(end.errors)")
        let little = try #require(try answer(end.output).watched)
        #expect(little.command == spawn && little.death == nil && little.orphans == 0)
        #expect(little.zombiesMax == 0 && little.zombiesLeft == 0 && little.threadsMax == 1)
        #expect(little.rssMaxKib > 4000)
        #expect(try #require(little.descriptorsMax) >= 3)

        let session = try session("/touch", "/touch", "/spin", "/zombie", "/orphan")
        let more = try replay(session, "--spawn", spawn, "--json", "--label", "costly")
        #expect(more.status == 0, "\(more.errors)")
        let much = try #require(try answer(more.output).watched)
        #expect(much.minorFaults >= little.minorFaults + 2000, "\(much)")
        #expect(much.cpuS >= little.cpuS + 0.15, "\(much)")
        #expect(much.zombiesLeft == 1 && much.zombiesMax >= 1, "\(much)")
        #expect(much.orphans == 1, "\(much)")
        // It is ended, and what it left too.
        #expect(kill(pid_t(much.pid), 0) != 0)
        #expect(try Tool.run("pgrep", "-f", spender).output.isEmpty)

        // And it is on record.
        let report = try Tool.run(Place.lab, "report", session, "--run", "costly")
        for text in [
            "The target's processes, from \(much.pid)", "1 at the end", "orphans        1",
        ] {
            #expect(report.output.contains(text), "\(report.output)")
        }
        let kept = try Tool.run(Place.lab, "report", session, "--run", "costly", "--json")
        #expect(try answer(kept.output).watched?.minorFaults == much.minorFaults)
        let text = try replay(session, "--spawn", spawn)
        #expect(text.output.contains("page faults"), "\(text.output)")
    }

    @Test func `a server that runs already is watched, and left as it was`() throws {
        let server = try Tool(["python3", spender, "0"])
        defer { server.signal(SIGKILL) }
        let line = try #require(server.outputLine(with: "port"))
        let target = "http://127.0.0.1:\(line.split(separator: " ")[1])"
        let end = try replay(
            try session("/touch", "/zombie"),
            "--watch",
            "\(server.pid)",
            "--target",
            target,
            "--json"
        )
        #expect(end.status == 0, "\(end.errors)")
        let watched = try #require(try answer(end.output).watched)
        #expect(watched.pid == Int(server.pid) && watched.command == nil)
        #expect(watched.minorFaults >= 1000 && watched.zombiesLeft == 1, "\(watched)")
        #expect(kill(server.pid, 0) == 0)

        // One that ends half way: told, and what was done is kept.
        let deadly = try session("/", "/", "/die", "/")
        let death = try replay(
            deadly,
            "--watch",
            "\(server.pid)",
            "--target",
            target,
            "--json"
        )
        #expect(death.status == 3, "\(death.errors)")
        #expect(death.errors.contains("process that was watched, \(server.pid), ended"))
        #expect(try answer(death.output).watched?.death == "it is gone")
        #expect(try answer(death.output).requests == 4)
    }

    @Test func `a server that dies half way ends the replay with 3, and its figures are kept`()
        throws
    {
        let session = try session("/", "/touch", "/die", "/")
        let end = try replay(session, "--spawn", spawn, "--json", "--label", "deadly")
        #expect(end.status == 3, "\(end.errors)")
        #expect(end.errors.contains("signal 6"), "\(end.errors)")
        let told = try answer(end.output)
        #expect(told.requests == 4 && told.errors == 2)
        #expect(told.watched?.death == "signal 6")
        let report = try Tool.run(Place.lab, "report", session, "--run", "deadly")
        #expect(report.output.contains("ended          signal 6"), "\(report.output)")
    }

    @Test func `what can't be watched is a sentence, and nothing is sent`() throws {
        let session = try session("/")
        let gone = try Tool(["true"])
        _ = gone.finish()
        let cases: [(words: [String], status: Int32, sentence: String)] = [
            (["--watch", "\(gone.pid)"], 2, "There is no process \(gone.pid) to watch"),
            (["--watch", "\(getpid())"], 2, "this replay descends from it"),
            (["--watch", "0"], 64, "--watch takes the PID"),
            (["--watch", "1", "--spawn", "x {port}"], 64, "--spawn starts one"),
            (["--spawn", "python3 server.py"], 64, "put {port} in it"),
            (["--spawn", "x {port}", "--target", "http://127.0.0.1:1"], 64, "leave --target out"),
            (["--spawn", "echo no such thing >&2; exit 7 # {port}"], 2, "no such thing"),
            (["--spawn", "/no/such/program {port}"], 2, "exit code 127"),
            (
                ["--spawn", "exec sleep 60 # {port}", "--ready-timeout", "300ms"], 2,
                "--ready-timeout"
            ),
        ]
        for (words, status, sentence) in cases {
            let end = try Tool([Place.lab, "replay", session] + words).finish()
            #expect(end.status == status, "\(words): \(end.errors)")
            #expect(end.errors.contains(sentence), "\(words): \(end.errors)")
        }
        let report = try Tool.run(Place.lab, "report", session, "--run", "1")
        #expect(report.status == 2, "no run was begun: \(report.output)")
    }
}
