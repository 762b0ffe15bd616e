import Foundation
import LabTestSupport
import Testing

/// What a request costs the one who sends it, in system calls: counts, which a busy machine leaves alone.
@Suite struct `The cost of a replayed request` {
    /// A session of five exchanges with an nginx, and what that answers at.
    private func stage(
        _ body: (_ session: String, _ target: String) throws -> Void
    ) throws {
        let folder = try Place.temporary()
        let port = try ScriptedServer.freePort()
        try """
        worker_processes 1; daemon off; error_log \(folder.path)/error.log; pid \(folder.path)/pid;
        events { worker_connections 256; }
        http { access_log off; keepalive_requests 1000000; client_body_temp_path \(folder.path)/b;
            proxy_temp_path \(folder.path)/p; fastcgi_temp_path \(folder.path)/f;
            uwsgi_temp_path \(folder.path)/u; scgi_temp_path \(folder.path)/s;
            server { listen 127.0.0.1:\(port); location / { return 200 "Hello, World!"; } } }
        """.write(
            to: folder.appendingPathComponent("nginx.conf"),
            atomically: true,
            encoding: .utf8
        )
        let nginx = try Tool(["nginx", "-c", folder.appendingPathComponent("nginx.conf").path])
        defer {
            nginx.signal(SIGTERM)
            _ = nginx.finish()
        }
        let target = "http://127.0.0.1:\(port)"
        let patience = ["--retry-connrefused", "--retry", "50", "--retry-delay", "0"]
        _ = try Tool(["curl", "-s"] + patience + [target]).finish()
        let lab = try LabRecord(["--upstream", target])
        _ = try Tool.run("curl", "-s", lab.url("/[1-5]"))
        lab.stop()
        try body(lab.session, target)
    }

    /// How often each system call is made by a replay of so many requests, all threads together.
    private func calls(
        _ requests: Int,
        _ session: String,
        _ target: String,
        _ options: [String]
    ) throws -> [String: Int] {
        let file = try Place.temporary().appendingPathComponent("calls").path
        let counting = ["strace", "-f", "-qq", "-c", "-U", "calls,name", "-o", file, Place.lab]
        let replay = ["replay", session, "--target", target, "-n", "\(requests)", "--json"]
        let end = try Tool(counting + replay + options).finish()
        guard end.output.contains(#""ok":\#(requests),"#) else { throw Trouble(end.errors) }
        var calls: [String: Int] = [:]
        for line in try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let count = Int(words[0]) { calls[String(words[1])] = count }
        }
        return calls
    }

    /// Level-triggered, registered once, the next request written where the last answer was read: one
    /// call to send, one to receive, and no more of the rest than how many answers come at a time and
    /// how long it takes ask for.
    @Test func `is one call to send it and one to receive its answer`() throws {
        try stage { session, target in
            // The slope leaves out what starting and ending cost.
            let short = try calls(1000, session, target, ["-c", "20"])
            let long = try calls(5000, session, target, ["-c", "20"])
            func more(_ call: String) -> Int { (long[call] ?? 0) - (short[call] ?? 0) }
            #expect(more("sendto") == 4000)
            #expect(more("recvfrom") == 4000)
            #expect(more("epoll_ctl") <= 40)
            #expect(more("connect") <= 40)
        }
    }

    /// Nothing is stored here: how often results are committed depends on time, which strace stretches.
    ///
    /// `Scripts/bench/replay-cost` counts the rest at full speed.
    @Test func `is little more than these two calls where many connections are served at once`()
        throws
    {
        try stage { session, target in
            let options = ["-c", "100", "--store", "none"]
            let short = try calls(1000, session, target, options)
            let long = try calls(6000, session, target, options)
            let perRequest = Double((long["total"] ?? .max) - (short["total"] ?? 0)) / 5000
            #expect(perRequest >= 2 && perRequest <= 2.1)
            // The control: a connection for each costs more.
            let many = try calls(1000, session, target, options + ["--connections", "per-request"])
            #expect((many["total"] ?? 0) - (short["total"] ?? 0) > 3000)
        }
    }

    @Test(arguments: [
        (["-c", "20"], -1000..<1000), (["-R", "2000", "--rate-unit", "requests"], -1000..<1000),
        // The control: what is kept of an answer is memory.
        (["-c", "20", "--store", "all"], 3000..<1_000_000),
    ])
    func `is no allocation of the threads that send`(load: [String], expected: Range<Int>) throws {
        let folder = try Place.temporary()
        let counter = folder.appendingPathComponent("allocations.so").path
        let source = Place.package.appendingPathComponent("Scripts/bench/allocations.c").path
        _ = try Tool.run("cc", "-O2", "-shared", "-fPIC", "-o", counter, source)
        try stage { session, target in
            func allocations(_ requests: Int) throws -> Int {
                let file = folder.appendingPathComponent("\(requests)").path
                let end = try Tool(
                    [
                        "env", "LAB_ALLOCATIONS=\(file)", "LD_PRELOAD=\(counter)", Place.lab,
                        "replay",
                    ]
                        + [session, "--target", target, "-n", "\(requests)", "--json"] + load
                ).finish()
                guard end.output.contains(#""ok":\#(requests),"#) else { throw Trouble(end.errors) }
                let counts = try String(contentsOfFile: file, encoding: .utf8)
                return try #require(Int(counts.prefix { $0 != " " }))
            }
            // Room for results is made for 8,192 at a time, and anew at each tick of the clock: on a slow
            // machine that is some, and far from one for each of 3,000 requests.
            let more = try allocations(4000) - allocations(1000)
            #expect(expected.contains(more))
        }
    }
}
