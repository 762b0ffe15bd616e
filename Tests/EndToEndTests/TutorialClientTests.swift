import Foundation
import LabTestSupport
import Testing

/// The tutorial's client against its three servers.
///
/// 128 processes at once send one request each, with bare line feeds, and are gone: they read no
/// answer, and nobody waits for them.
@Suite struct TutorialClientTests {
    private static let clients = 128

    private static let script = """
        import os, socket, sys
        for number in range(\(clients)):
            if os.fork() == 0:
                client = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
                client.sendall(b"GET /?%d HTTP/1.1\\nHost: localhost\\n\\n" % number)
                os._exit(0)
        """

    /// How the children of a server stand after such a client.
    private struct Scene {
        let lab: LabRecord
        let standing: Int
        let living: Int
        /// What the server's own rows say: SIGCHLDs that were delivered, and children reaped for them.
        let signals: Int
        let reaped: Int
    }

    /// Plays it until every child has ended: each stands or was reaped, by the server's own account.
    private func play(_ reaping: String) throws -> Scene {
        let lab = try LabRecord(["--reap", reaping])
        let server = try lab.forkServer()
        #expect(try Tool.run("python3", "-c", Self.script, "\(lab.port)").status == 0)
        var scene: Scene?
        let hasEnded = try eventually {
            let children = ProcessFacts.children(of: server)
            let counts = try lab.sql(
                "SELECT total(json_extract(detail, '$.signals')), total(json_extract(detail, '$.reaped')) FROM server_event WHERE kind = 'sigchld'"
            ).split(separator: "|").compactMap { Double($0).map { Int($0) } }
            let standing = children.count(where: \.isZombie)
            scene = Scene(
                lab: lab,
                standing: standing,
                living: children.count - standing,
                signals: try #require(counts.first),
                reaped: try #require(counts.last)
            )
            return children.count == standing && standing + counts[1] == Self.clients
        }
        #expect(hasEnded, "\(String(describing: scene))")
        return try #require(scene)
    }

    /// All is on record, and each child's fate is the true one, whenever it was waited for.
    private func checkTheEnd(_ lab: LabRecord) throws {
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql(
                "SELECT count(*), count(DISTINCT target), sum(outcome = 'ok'), sum(status = 200) FROM exchange"
            ) == "128|128|128|128"
        )
        #expect(
            try lab.sql("SELECT count(*) FROM deviation WHERE code = 'bare-line-feed'") == "128"
        )
        #expect(
            try lab.sql(
                "SELECT count(*), sum(fate = 'exited' AND exit_code = 0 AND wait_status = 0), sum(reaped_ns > exiting_ns) FROM child"
            ) == "128|128|128"
        )
        let check = try Tool.run(Place.lab, "check", lab.session)
        #expect(check.status == 0, "\(check.output)")
    }

    @Test func `drain leaves none standing`() throws {
        let scene = try play("drain")
        #expect(scene.standing == 0)
        #expect(scene.reaped == 128)
        try checkTheEnd(scene.lab)
        #expect(
            try scene.lab.sql("SELECT count(*) FROM server_event WHERE kind = 'zombies'") == "0"
        )
    }

    @Test func `never leaves all 128 standing until the end`() throws {
        let scene = try play("never")
        #expect(scene.standing == 128)
        #expect(scene.reaped == 0)
        // The server counts them too, and says so.
        #expect(
            try eventually {
                try scene.lab.sql(
                    "SELECT max(json_extract(detail, '$.standing')) FROM server_event WHERE kind = 'zombies'"
                ) == "128"
            }
        )
        #expect(try scene.lab.sql("SELECT count(*) FROM child WHERE fate <> 'running'") == "0")
        try checkTheEnd(scene.lab)
    }

    @Test func `once leaves as many standing as signals were missed`() throws {
        let scene = try play("once")
        #expect(scene.reaped == scene.signals)
        #expect(scene.standing == 128 - scene.signals)
        #expect(
            try scene.lab.sql("SELECT count(*) FROM child WHERE fate = 'running'")
                == "\(scene.standing)"
        )
        try checkTheEnd(scene.lab)
    }
}
