// `lab merge`: the shards of one replay, each in its own file, become one run in a new one.

import ArgumentParser
import Foundation
import LabReplayer
import LabReporter
import LabSession

/// `lab merge`.
struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge",
        abstract: "Join the runs of shards into one run in a new session.",
        discussion: """
            Each SESSION is a copy of one session in which lab replay --shard I/N has sent one shard. The \
            recording is written once, all results are carried over, and histograms are added bucket by \
            bucket, so percentiles are those of one replay. Other runs in the files are left out.

            Exit codes: 0 done; 2 the files are not shards of one replay; 3 done, but a shard is \
            missing, or did not come to its end.
            """
    )

    @Argument(help: ArgumentHelp("The copies of the session.", valueName: "session"))
    var sessions: [String]

    @Option(name: .shortAndLong, help: ArgumentHelp("The new session to write.", valueName: "file"))
    var output: String

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp(
            "The run to take of each, by number or label; by default the last one of a shard.",
            valueName: "run"
        )
    )
    var runName: String?

    @Option(help: "What to call the merged run.")
    var label: String?

    @Flag(help: "Print one JSON object instead of text.")
    var json = false

    func run() throws {
        let runs = try sessions.map { try ShardRun(path: $0, run: runName) }
            .sorted { $0.index < $1.index }
        let missing = try ShardRun.check(runs)
        guard let first = runs.first else { throw ValidationError("Give the sessions to merge.") }
        let merger = try RunMerger(output, first: first)
        for run in runs { try merger.add(run, shiftNs: shift(of: run, to: first)) }
        let words = MergedWords(
            runs,
            buckets: try merger.buckets(),
            durationNs: try merger.durationNs(),
            label: label ?? first.label ?? "\(RunMerger.runID)"
        )
        try merger.end(merged(runs, words))
        var results = Results()
        if json {
            try results.write(words.json + "\n")
        } else {
            let detail = try SessionReader(output).run("\(RunMerger.runID)")
            try results.write(RunReport(detail, style: Results.style).text)
        }
        try results.finish()
        try judge(runs, missing)
    }

    /// What brings a run's instants to the first run's clock.
    ///
    /// Both say what their clock showed when the wall clock showed their start; the wall clocks of
    /// machines differ by what NTP leaves.
    private func shift(of run: ShardRun, to first: ShardRun) -> Int64 {
        let betweenNs = wallNs(run.startedAt) - wallNs(first.startedAt)
        return betweenNs - (run.anchorNs - first.anchorNs)
    }

    private func wallNs(_ text: String) -> Int64 {
        let whole = text.prefix(19)
        let fraction = text.dropFirst(20).prefix { $0.isNumber }.prefix(9)
        let seconds = (try? Date(String(whole) + "Z", strategy: .iso8601))?.timeIntervalSince1970
        let padding = String(repeating: "0", count: 9 - fraction.count)
        return Int64(seconds ?? 0) * 1_000_000_000 + (Int64(fraction + padding) ?? 0)
    }

    private func merged(_ runs: [ShardRun], _ words: MergedWords) -> ShardRun {
        var merged = runs[0]
        merged.label = label ?? merged.label
        merged.startedAt = runs.map(\.startedAt).min() ?? merged.startedAt
        merged.endedAt = runs.map(\.endedAt).max() ?? merged.endedAt
        merged.endReason =
            runs.first { $0.endReason == "interrupted" }?.endReason
            ?? (runs.allSatisfy { $0.endReason == "failed" } ? "failed" : "done")
        merged.concurrency = runs.reduce(0) { $0 + $1.concurrency }
        merged.summary = words.json
        var settings = MergedWords.members(of: merged.settings)
        settings["shard"] = nil
        settings["shards"] = .array(
            runs.map { run in
                .object([
                    "index": .integer(run.index), "count": .integer(run.count),
                    "started_at": .text(run.startedAt), "end_reason": .text(run.endReason),
                    "concurrency": .integer(run.concurrency),
                    "host_facts": .object(MergedWords.members(of: run.hostFacts)),
                ])
            }
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if let data = try? encoder.encode(settings) {
            merged.settings = String(decoding: data, as: UTF8.self)
        }
        return merged
    }

    private func judge(_ runs: [ShardRun], _ missing: [Int]) throws {
        let interrupted = runs.filter { $0.endReason == "interrupted" }
        for run in interrupted {
            complain("shard \(run.index)/\(run.count) in '\(run.path)' was interrupted.")
        }
        let count = runs[0].count
        if !missing.isEmpty {
            let names = missing.prefix(10).map { "\($0)/\(count)" }.joined(separator: ", ")
            complain(
                "\(missing.count) of \(count) shards are missing: "
                    + "\(names)\(missing.count > 10 ? ", …" : ""). The merged run is not the whole replay."
            )
        }
        if !missing.isEmpty || !interrupted.isEmpty { throw ExitNow(ExitStatus.untrusted) }
    }
}
