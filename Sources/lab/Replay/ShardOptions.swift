// Which part of the sessions this process sends, as it was told or as a scheduler's environment says.

import ArgumentParser
import Glibc
import LabReplayer

/// `--shard`, and what stands in its place.
struct ShardOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Send part I of N of the sessions; taken from a Slurm array, a Kubernetes Indexed Job (with LAB_SHARDS) or GNU parallel (with LAB_SHARDS).",
            valueName: "i/n"
        )
    )
    var shard: Shard?

    /// The shard, and where it was read; nil for all sessions.
    ///
    /// What was typed goes before what the environment says: `--shard 1/1` sends all of it.
    func found(
        in environment: (String) -> String? = { name in
            getenv(name).map { String(cString: $0) }
        }
    ) throws -> FoundShard? {
        if let shard { return FoundShard(shard: shard, source: "--shard") }
        return try FoundShard(slurm: environment)
            ?? FoundShard(index: "JOB_COMPLETION_INDEX", from: 0, environment)
            ?? FoundShard(index: "PARALLEL_SEQ", from: 1, environment)
    }
}

/// A shard, and what named it.
struct FoundShard {
    let shard: Shard
    let source: String

    init(shard: Shard, source: String) {
        self.shard = shard
        self.source = source
    }

    /// The task of a Slurm array: its number, and the numbers that there are.
    init?(slurm environment: (String) -> String?) throws {
        let name = "SLURM_ARRAY_TASK_ID"
        guard let text = environment(name) else { return nil }
        let id = try Self.number(text, name)
        func number(_ name: String, ifNone value: Int?) throws -> Int {
            guard let text = environment(name) else {
                if let value { return value }
                throw ValidationError(
                    "SLURM_ARRAY_TASK_ID is set and \(name) is not, so the number of shards is not "
                        + "known. Say it with --shard I/N; --shard 1/1 sends all."
                )
            }
            return try Self.number(text, name)
        }
        let count = try number("SLURM_ARRAY_TASK_COUNT", ifNone: nil)
        let first = try number("SLURM_ARRAY_TASK_MIN", ifNone: nil)
        let step = max(1, try number("SLURM_ARRAY_TASK_STEP", ifNone: 1))
        guard (id - first) % step == 0,
            let shard = Shard(index: (id - first) / step + 1, count: count)
        else {
            throw ValidationError(
                "The Slurm array has \(count) tasks from \(first) on in steps of \(step), and this "
                    + "is task \(id), so its shard is not known. Give the array as a range, such as "
                    + "--array=1-\(count), or say --shard I/N."
            )
        }
        self.init(shard: shard, source: name)
    }

    /// An index that a scheduler gives, and the number of shards in `LAB_SHARDS`.
    init?(index name: String, from first: Int, _ environment: (String) -> String?) throws {
        guard let text = environment(name) else { return nil }
        guard let shards = environment("LAB_SHARDS") else {
            // GNU parallel numbers its jobs whatever they are for; an Indexed Job is for this.
            guard name == "JOB_COMPLETION_INDEX" else { return nil }
            throw ValidationError(
                "JOB_COMPLETION_INDEX is set and LAB_SHARDS is not, so the number of shards is not "
                    + "known. Set LAB_SHARDS to the Job's completions; --shard 1/1 sends all."
            )
        }
        let index = try Self.number(text, name) - first + 1
        let count = try Self.number(shards, "LAB_SHARDS")
        guard let shard = Shard(index: index, count: count) else {
            throw ValidationError(
                "\(name) is \(text) and LAB_SHARDS is \(shards), which is no shard: the one counts "
                    + "from \(first), the other says how many there are."
            )
        }
        self.init(shard: shard, source: "\(name) and LAB_SHARDS")
    }

    private static func number(_ text: String, _ name: String) throws -> Int {
        guard let number = Int(text), number >= 0 else {
            throw ValidationError("\(name) is '\(text)', which is no number from 0 up.")
        }
        return number
    }
}
