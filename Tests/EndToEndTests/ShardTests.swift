import Foundation
import LabTestSupport
import Testing

/// Parts of a session, as schedulers hand them out.
@Suite struct ShardTests {
    private func recorded(_ connections: Int) throws -> LabRecord {
        let lab = try LabRecord()
        for number in 0..<connections { _ = try lab.get("/?\(number)") }
        lab.stop()
        return lab
    }

    private func replay(
        _ lab: LabRecord,
        _ words: [String] = [],
        _ environment: [String: String] = [:]
    ) throws -> Finished {
        let target = try LabRecord()
        defer { target.stop() }
        return try Tool(
            [Place.lab, "replay", lab.session, "--target", target.url(""), "--json"] + words,
            environment: environment
        ).finish()
    }

    @Test(arguments: [
        (["--shard", "2/4"], [:], "2/4, from --shard"),
        (
            [],
            [
                "SLURM_ARRAY_TASK_ID": "12", "SLURM_ARRAY_TASK_MIN": "10",
                "SLURM_ARRAY_TASK_COUNT": "4",
            ], "3/4, from SLURM_ARRAY_TASK_ID"
        ),
        (
            [],
            [
                "SLURM_ARRAY_TASK_ID": "6", "SLURM_ARRAY_TASK_MIN": "0",
                "SLURM_ARRAY_TASK_COUNT": "4", "SLURM_ARRAY_TASK_STEP": "2",
            ], "4/4, from SLURM_ARRAY_TASK_ID"
        ),
        (
            [], ["JOB_COMPLETION_INDEX": "0", "LAB_SHARDS": "4"],
            "1/4, from JOB_COMPLETION_INDEX and LAB_SHARDS"
        ),
        ([], ["PARALLEL_SEQ": "4", "LAB_SHARDS": "4"], "4/4, from PARALLEL_SEQ and LAB_SHARDS"),
        (["--shard", "1/2"], ["JOB_COMPLETION_INDEX": "7"], "1/2, from --shard"),
    ])
    func `a shard is taken from where it is said`(
        _ words: [String],
        _ environment: [String: String],
        _ line: String
    ) throws {
        let lab = try recorded(8)
        let end = try replay(lab, words, environment)
        #expect(end.status == 0)
        #expect(end.errors.contains("lab: shard \(line): "), "\(end.errors)")
        let shard = try lab.sql(
            "SELECT json_extract(settings, '$.shard.index') || '/' || json_extract(settings, '$.shard.count') FROM replay_run"
        )
        #expect(line.hasPrefix(shard))
        #expect(try lab.sql("SELECT DISTINCT shard FROM histogram") == String(shard.prefix(1)))
    }

    @Test(arguments: [
        (["--shard", "5/4"], [:], "5/4"),
        (["--shard", "one"], [:], "one"),
        ([], ["SLURM_ARRAY_TASK_ID": "3"], "SLURM_ARRAY_TASK_COUNT is not"),
        (
            [],
            [
                "SLURM_ARRAY_TASK_ID": "9", "SLURM_ARRAY_TASK_MIN": "1",
                "SLURM_ARRAY_TASK_COUNT": "3",
            ], "Give the array as a range"
        ),
        ([], ["JOB_COMPLETION_INDEX": "3"], "Set LAB_SHARDS"),
        ([], ["JOB_COMPLETION_INDEX": "4", "LAB_SHARDS": "4"], "which is no shard"),
        ([], ["JOB_COMPLETION_INDEX": "x", "LAB_SHARDS": "4"], "JOB_COMPLETION_INDEX is 'x'"),
    ])
    func `what names no shard is bad usage`(
        _ words: [String],
        _ environment: [String: String],
        _ sentence: String
    ) throws {
        let end = try replay(recorded(1), words, environment)
        #expect(end.status == 64)
        #expect(end.errors.contains(sentence), "\(end.errors)")
    }

    @Test(arguments: [
        ("1/4", "3"), ("2/4", "3"), ("3/4", "2"), ("4/4", "2"), ("1/20", "1"), ("20/20", "1"),
    ])
    func `--max-in-flight is shared among the shards, and each may have one`(
        shard: String,
        part: String
    ) throws {
        let lab = try recorded(1)
        let options = ["--rate", "1000", "--max-in-flight", "10", "--shard", shard]
        #expect(try replay(lab, options).status == 0)
        #expect(try lab.sql("SELECT concurrency FROM replay_run") == part)
    }

    @Test func `a bound that nobody asked for is each process's own`() throws {
        let lab = try recorded(1)
        for shard in [[], ["--shard", "1/4"]] {
            #expect(try replay(lab, ["--rate", "1000"] + shard).status == 0)
        }
        #expect(
            try lab.sql("SELECT count(*), count(DISTINCT concurrency) FROM replay_run") == "2|1"
        )
    }

    @Test func `a number of GNU parallel's alone is no shard`() throws {
        let end = try replay(recorded(1), [], ["PARALLEL_SEQ": "3"])
        #expect(end.status == 0 && !end.errors.contains("shard"))
    }

    @Test func `a shard without a session has a run without requests`() throws {
        let lab = try recorded(1)
        let ends = try ["1/2", "2/2"].map { try replay(lab, ["--shard", $0]) }
        #expect(ends.map(\.status) == [0, 0])
        #expect(
            try lab.sql("SELECT sum(json_extract(summary, '$.requests')), count(*) FROM replay_run")
                == "1|2"
        )
    }
}
