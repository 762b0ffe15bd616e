import Foundation
import LabTestSupport
import Testing

/// Targets that fail, in each way: right counts, the right exit code, an end, and bounded memory.
@Suite(.timeLimit(.minutes(3))) struct ReplayFailureTests {
    /// A server in Python, a thread per connection: what it does about a request its path says, unless
    /// it was told to be good.
    private static let program = """
        import socket, struct, sys, threading, time

        def answer(body, more=b""):
            return b"HTTP/1.1 200 OK\\r\\n" + more + b"Content-Length: %d\\r\\n\\r\\n" % len(body) + body

        def serve(client):
            pending = b""
            while True:
                while b"\\r\\n\\r\\n" not in pending:
                    more = client.recv(65536)
                    if not more:
                        return client.close()
                    pending += more
                head, pending = pending.split(b"\\r\\n\\r\\n", 1)
                path = "/good" if sys.argv[1] == "good" else head.split()[1].decode()
                try:
                    if path == "/reset":
                        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                        return client.close()
                    elif path == "/hang":
                        client.recv(1)
                        return client.close()
                    elif path == "/slow":
                        for byte in answer(b"hello"):
                            client.sendall(bytes([byte]))
                            time.sleep(0.005)
                    elif path == "/garbage":
                        client.sendall(b"220 mail.example ESMTP\\r\\n\\r\\n")
                        return client.close()
                    elif path == "/close":
                        client.sendall(answer(b"hello"))
                        return client.close()
                    elif path == "/cut":
                        client.sendall(answer(b"hello")[:-2])
                        return client.close()
                    elif path == "/silence":
                        return client.close()
                    elif path == "/big":
                        client.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 104857600\\r\\n\\r\\n")
                        for _ in range(1600):
                            client.sendall(b"0123456789abcdef" * 4096)
                    elif path == "/endless-head":
                        client.sendall(b"HTTP/1.1 200 OK\\r\\n")
                        while True:
                            client.sendall(b"X-More: and more\\r\\n" * 1000)
                    elif path == "/endless-content":
                        client.sendall(b"HTTP/1.1 200 OK\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
                        while True:
                            client.sendall(b"10000\\r\\n" + b"x" * 65536 + b"\\r\\n")
                    else:
                        client.sendall(answer(b"hello"))
                except OSError:
                    return client.close()

        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        print("port", listener.getsockname()[1], flush=True)
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()
        """

    /// Runs a command and tells on standard error how much memory it took at most, KiB.
    private static let measured = """
        import resource, subprocess, sys
        code = subprocess.run(sys.argv[1:]).returncode
        print("peak", resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
        sys.exit(code)
        """

    private struct Totals: Decodable {
        var requests: Int
        var ok: Int
        var errors: Int
        var mismatches: Int
        var outcomes: [String: Int]
    }

    private static func start(_ mood: String) throws -> (Tool, Int) {
        let server = try Tool(["python3", "-c", program, mood])
        guard let port = server.outputLine(with: "port ").flatMap({ Int($0.dropFirst(5)) }) else {
            throw Trouble("the server did not start: \(server.finish().errors)")
        }
        return (server, port)
    }

    /// A session with a request for each path, each on a connection of its own, all answered well.
    private func recorded(_ paths: [String]) throws -> LabRecord {
        let (good, port) = try Self.start("good")
        defer { good.signal(SIGKILL) }
        let lab = try LabRecord(["--upstream", "http://127.0.0.1:\(port)"])
        for path in paths { try lab.get(path) }
        lab.stop()
        return lab
    }

    private func replay(
        _ lab: LabRecord,
        _ port: Int,
        _ words: String...
    ) throws -> (Totals, Finished) {
        let end = try Tool(
            [
                "python3", "-c", Self.measured, Place.lab, "replay", lab.session, "--target",
                "http://127.0.0.1:\(port)", "--json",
            ] + words
        ).finish()
        return (try JSONDecoder().decode(Totals.self, from: Data(end.output.utf8)), end)
    }

    private func peakKiB(_ end: Finished) throws -> Int {
        let line = end.errors.split(separator: "\n").last { $0.hasPrefix("peak ") }
        return try #require(line.flatMap { Int($0.dropFirst(5)) })
    }

    @Test func `each failure has its name, and those beside it are not touched`() throws {
        let paths = [
            "/reset", "/hang", "/slow", "/garbage", "/close", "/cut", "/silence", "/endless-head",
            "/endless-content", "/fine",
        ]
        let lab = try recorded(paths + paths)
        let (bad, port) = try Self.start("bad")
        defer { bad.signal(SIGKILL) }
        let (totals, end) = try replay(lab, port, "--timeout", "3s", "-c", "4")
        #expect(end.status == 0)
        #expect(
            totals.outcomes == ["ok": 6, "reset": 4, "timeout": 4, "malformed": 4, "truncated": 2]
        )
        #expect(totals.requests == 20 && totals.ok == 6 && totals.errors == 14)
        #expect(totals.mismatches == 14)
        #expect(
            try lab.sql(
                """
                SELECT group_concat(target || ' ' || r.outcome, ', ') FROM (
                SELECT DISTINCT e.target, r.outcome FROM replay_result r
                JOIN exchange e ON e.id = r.exchange_id ORDER BY 1) r
                """
            )
                == "/close ok, /cut truncated, /endless-content timeout, /endless-head malformed, "
                + "/fine ok, /garbage malformed, /hang timeout, /reset reset, /silence reset, /slow ok"
        )
        // What has no end is read until its time is over, and not gathered.
        #expect(try peakKiB(end) < 200 << 10)
        #expect(
            try lab.sql(
                "SELECT max(length(b.bytes)) FROM replay_result r JOIN body b ON b.id = r.body_id"
            ) == "1048576"
        )
        let (_, gated) = try replay(
            lab,
            port,
            "--timeout",
            "3s",
            "-c",
            "20",
            "--fail-if",
            "errors>0"
        )
        #expect(gated.status == 1)
    }

    @Test func `an answer of 100 MiB is read to its end in little memory`() throws {
        let lab = try recorded(["/big", "/big", "/fine"])
        let (bad, port) = try Self.start("bad")
        defer { bad.signal(SIGKILL) }
        let (totals, end) = try replay(lab, port, "--timeout", "60s", "--max-stored-body", "4KiB")
        #expect(end.status == 0)
        #expect(totals.ok == 3 && totals.mismatches == 2)
        #expect(
            try lab.sql(
                """
                SELECT count(*), b.size, b.truncated, length(b.bytes) FROM replay_result r
                JOIN body b ON b.id = r.body_id WHERE NOT matches
                """
            ) == "2|104857600|1|4096"
        )
        #expect(try peakKiB(end) < 100 << 10)
    }

    @Test(arguments: [
        ("/reset", 2, "reset"), ("/silence", 2, "reset"), ("/garbage", 2, "malformed"),
        ("/hang", 2, "timeout"), ("/cut", 1, "truncated"),
    ])
    func `where every request fails the exit code says whether the target ever answered`(
        path: String,
        status: Int32,
        outcome: String
    ) throws {
        let lab = try recorded([path, path, path])
        let (bad, port) = try Self.start("bad")
        defer { bad.signal(SIGKILL) }
        let (totals, end) = try replay(lab, port, "--timeout", "1s")
        #expect(end.status == status)
        #expect(totals.outcomes == [outcome: 3])
        #expect(end.errors.contains("3 \(outcome)"))
        #expect(try lab.sql("SELECT end_reason FROM replay_run") == "failed")
        // The control: the same session at a server that is well.
        let (good, well) = try Self.start("good")
        defer { good.signal(SIGKILL) }
        let (fine, after) = try replay(lab, well)
        #expect(after.status == 0 && fine.mismatches == 0)
    }

    @Test func `where nobody listens it ends at once, and says so`() throws {
        let lab = try recorded(["/fine"])
        let (totals, end) = try replay(lab, try ScriptedServer.freePort())
        #expect(end.status == 2)
        #expect(totals.outcomes == ["refused": 1])
        #expect(end.errors.contains("never answered: 1 refused"))
    }
}
