import Foundation
import LabTestSupport
import Testing

/// What a child has of its parents while it serves: no signal of theirs, and no descriptor.
@Suite struct ChildStateTests {
    /// A request that its child sleeps over.
    private struct Sleeper {
        let client: RawClient
        let child: Int32

        init(_ lab: LabRecord) throws {
            client = try RawClient(port: lab.port)
            try client.send("GET /sleep/60?n=\(client.localPort) HTTP/1.1\r\nHost: a\r\n\r\n")
            // It is on record before the application runs.
            var found: Int32?
            while found == nil {
                found = Int32(
                    try lab.sql(
                        "SELECT child_pid FROM exchange WHERE target = '/sleep/60?n=\(client.localPort)'"
                    )
                )
            }
            child = try #require(found)
        }
    }

    private static let handled = bits([SIGCHLD, SIGINT, SIGTERM])

    /// What a process ignores, without 32 and 33: these are the C library's own, and its
    /// posix_spawn(3) leaves them ignored in whatever it starts.
    private func ignored(by pid: Int32) throws -> UInt64 {
        try ProcessFacts.signals("SigIgn", of: pid) & ~Self.bits([32, 33])
    }

    private static func bits(_ signals: [Int32]) -> UInt64 {
        signals.reduce(0) { $0 | 1 << UInt64($1 - 1) }
    }

    @Test func `a child blocks, ignores and handles no signal`() throws {
        let lab = try LabRecord(["--drain-timeout", "0s"], under: ["env", "--default-signal"])
        let child = try Sleeper(lab).child
        #expect(try ProcessFacts.signals("SigBlk", of: child) == 0)
        #expect(try ignored(by: child) == 0)
        #expect(try ProcessFacts.signals("SigCgt", of: child) & Self.handled == 0)
        // The fork server itself handles and blocks them, and such a look at it does see that.
        let server = try lab.forkServer()
        #expect(try ProcessFacts.signals("SigCgt", of: server) & Self.handled == Self.handled)
        lab.stop()
    }

    @Test func `a child ignores what its user ignored, and blocks nothing all the same`() throws {
        let lab = try LabRecord(
            ["--drain-timeout", "0s"],
            under: ["env", "--default-signal", "--ignore-signal=HUP", "--block-signal=USR1"]
        )
        let child = try Sleeper(lab).child
        #expect(try ProcessFacts.signals("SigBlk", of: lab.pid) & Self.bits([SIGUSR1]) != 0)
        #expect(try ProcessFacts.signals("SigBlk", of: child) == 0)
        #expect(try ignored(by: child) == Self.bits([SIGHUP]))
        lab.stop()
    }

    /// `exec` with descriptors that nobody told lab of: low ones, lab's own numbers, and high ones.
    private static let strangers = [
        "sh", "-c", "exec 3</dev/zero 4</dev/zero 5</dev/zero 9</dev/zero && exec \"$@\"", "sh",
    ]

    @Test(arguments: [[], strangers])
    func `a child holds its client, the frames, the drain, and no other descriptor`(
        command: [String]
    ) throws {
        let lab = try LabRecord(["--drain-timeout", "0s"], under: command)
        let server = try ProcessFacts.descriptors(of: lab.forkServer())
        // Of several, so that one could hold another's client.
        let sleepers = try (0..<3).map { _ in try Sleeper(lab) }
        for sleeper in sleepers {
            var held = try ProcessFacts.descriptors(of: sleeper.child)
            for number: Int32 in 0...2 { held[number] = nil }
            #expect(held.removeValue(forKey: 4) == server[4], "the frames")
            let client = try socket(from: lab.port, to: sleeper.client.localPort)
            let clients = held.filter { $0.value == client }
            #expect(clients.count == 1)
            for number in clients.keys { held[number] = nil }
            #expect(held.count == 1, "the drain, and not \(held)")
            for (number, name) in held {
                // The same pipe as the server's, and the end that only reads.
                #expect(name.hasPrefix("pipe:") && server.values.contains(name))
                #expect(try isOnlyRead(number, of: sleeper.child))
            }
        }
        if !command.isEmpty {
            // So it was given them.
            #expect(try ProcessFacts.descriptors(of: lab.pid).values.contains("/dev/zero"))
        }
        lab.stop()
    }

    /// The socket at lab's end of a connection, as `/proc/PID/fd` names it.
    private func socket(from port: Int, to other: Int) throws -> String {
        let table = try #require(ProcessFacts.text("/proc/net/tcp"))
        let ends = [port, other].map { String($0, radix: 16, uppercase: true) }
            .map { ":" + String(repeating: "0", count: 4 - $0.count) + $0 }
        let line = try #require(
            table.split(separator: "\n").map { $0.split(separator: " ") }.first {
                $0.count > 9 && $0[1].hasSuffix(ends[0]) && $0[2].hasSuffix(ends[1])
            }
        )
        return "socket:[\(line[9])]"
    }

    private func isOnlyRead(_ descriptor: Int32, of pid: Int32) throws -> Bool {
        let facts = try #require(ProcessFacts.text("/proc/\(pid)/fdinfo/\(descriptor)"))
        let flags = try #require(facts.split(separator: "\n").first { $0.hasPrefix("flags:") })
        return flags.hasSuffix("0")
    }
}
