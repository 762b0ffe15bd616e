import Foundation
import LabTestSupport
import Testing

/// Shards under schedulers, by the scripts that are shipped.
@Suite struct ClusterTests {
    /// A session of 20 connections with 2 requests each, and a server to send it to.
    private struct Scene {
        let session: String
        let server: LabRecord
        let run: String

        init() throws {
            let lab = try LabRecord()
            for number in 0..<20 {
                try Tool.run("curl", "-s", lab.url("/?\(number)"), lab.url("/bytes/\(number)"))
            }
            lab.stop()
            session = lab.session
            server = try LabRecord()
            run = try Place.temporary().appendingPathComponent("run.db").path
        }

        func sql(_ query: String) throws -> String {
            try Tool.run("sqlite3", run, query).output.trimmingCharacters(in: .newlines)
        }

        /// Every exchange was sent once, by whichever shard, and every answer counted once.
        func checkTheRun() throws {
            #expect(
                try sql(
                    "SELECT count(*), count(DISTINCT exchange_id), sum(matches) FROM replay_result"
                ) == "40|40|40"
            )
            #expect(
                try server.sql("SELECT count(*), count(DISTINCT target) FROM exchange") == "40|40"
            )
            #expect(
                try sql(
                    "SELECT count(DISTINCT shard), sum(count) FROM histogram WHERE series = 'service'"
                ) == "4|40"
            )
            #expect(
                try sql("SELECT json_extract(summary, '$.requests') FROM replay_run") == "40"
            )
            #expect(
                try sql("SELECT json_array_length(settings, '$.shards') FROM replay_run") == "4"
            )
        }
    }

    private func script(_ name: String) -> String {
        Place.package.appendingPathComponent("Scripts/cluster/\(name)").path
    }

    @Test(.enabled(if: getuid() == 0, "slurmd must be started by root"))
    func `four tasks of a Slurm array make one replay`() throws {
        let scene = try Scene()
        let end = try Tool.run(
            script("try-slurm"),
            Place.lab,
            scene.session,
            scene.server.url(""),
            scene.run
        )
        scene.server.stop()
        #expect(end.status == 0, "\(end.errors)")
        for task in 1...4 {
            #expect(end.errors.contains("lab: shard \(task)/4, from SLURM_ARRAY_TASK_ID: "))
        }
        try scene.checkTheRun()
    }

    @Test func `four jobs of GNU parallel make one replay`() throws {
        let scene = try Scene()
        let end = try Tool.run(
            script("replay-parallel"),
            "4",
            scene.session,
            scene.server.url(""),
            scene.run,
            "--concurrency",
            "3",
            environment: ["LAB": Place.lab]
        )
        scene.server.stop()
        #expect(end.status == 0, "\(end.errors)")
        #expect(end.output.contains("requests       40"))
        try scene.checkTheRun()
        #expect(try scene.sql("SELECT concurrency FROM replay_run") == "12")
    }

    @Test func `the command of the Kubernetes Job is one that its shell runs`() throws {
        let scene = try Scene()
        let folder = try Place.temporary()
        let manifest = try String(contentsOfFile: script("replay-job.yaml"), encoding: .utf8)
        let lines = manifest.split(separator: "\n", omittingEmptySubsequences: false)
        let start = try #require(lines.firstIndex { $0.hasSuffix("- |") })
        let command = lines[(start + 1)...].prefix { $0.hasPrefix("              ") }
            .joined(separator: "\n")
            .replacingOccurrences(of: "/sessions", with: "\(folder.path)/sessions")
            .replacingOccurrences(of: "/scratch", with: "\(folder.path)/scratch")
        let files = FileManager.default
        for name in ["sessions", "scratch"] {
            try files.createDirectory(
                at: folder.appendingPathComponent(name),
                withIntermediateDirectories: true
            )
        }
        try files.copyItem(atPath: scene.session, toPath: "\(folder.path)/sessions/session.db")
        let path = Place.products.path + ":" + (ProcessInfo.processInfo.environment["PATH"] ?? "")
        for index in 0..<4 {
            let end = try Tool.run(
                "/bin/sh",
                "-c",
                command,
                environment: [
                    "PATH": path, "TARGET": scene.server.url(""), "LAB_SHARDS": "4",
                    "JOB_COMPLETION_INDEX": "\(index)",
                ]
            )
            #expect(end.status == 0, "\(end.errors)")
        }
        scene.server.stop()
        let results = (0..<4).map { "\(folder.path)/sessions/results/shard-\($0).db" }
        let end = try Tool([Place.lab, "merge"] + results + ["-o", scene.run]).finish()
        #expect(end.status == 0, "\(end.errors)")
        try scene.checkTheRun()
    }
}
