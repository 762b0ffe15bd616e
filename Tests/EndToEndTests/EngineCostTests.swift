import Foundation
import LabTestSupport
import Testing

/// What a request costs the one who sends it, in system calls: counts, which a busy machine leaves alone.
@Suite struct `The cost of a replayed request` {
    /// How often each system call is made by a replay of so many requests, all threads together.
    private func calls(_ requests: Int, _ session: String, _ target: String) throws -> [String: Int]
    {
        let file = try Place.temporary().appendingPathComponent("calls").path
        let end = try Tool.run(
            "strace",
            "-f",
            "-qq",
            "-c",
            "-U",
            "calls,name",
            "-o",
            file,
            Place.lab,
            "replay",
            session,
            "--target",
            target,
            "-n",
            "\(requests)",
            "-c",
            "20",
            "--json"
        )
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
        let folder = try Place.temporary()
        let port = try ScriptedServer.freePort()
        try """
        worker_processes 1; daemon off; error_log \(folder.path)/error.log; pid \(folder.path)/pid;
        events { worker_connections 64; }
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

        // The slope leaves out what starting and ending cost.
        let short = try calls(1000, lab.session, target)
        let long = try calls(5000, lab.session, target)
        func more(_ call: String) -> Int { (long[call] ?? 0) - (short[call] ?? 0) }
        #expect(more("sendto") == 4000)
        #expect(more("recvfrom") == 4000)
        #expect(more("epoll_ctl") <= 40)
        #expect(more("connect") <= 40)
    }
}
