// The replay itself: requests go out, results become rows, and the run gets its end.

import CLabLinux
import Glibc
import LabExchange
import LabReplayer
import LabSession
import LabWire

extension ReplayCommand {
    func send(
        _ replayer: Replayer,
        _ settings: ReplaySettings,
        _ shard: Shard?
    ) throws {
        var report = try output.open()
        let server = try watching.begin(at: settings.target)
        defer { server?.end() }
        let file = try SessionFile.open(writing: session)
        let now = Moment.now
        let writer = try ReplayWriter(
            file,
            ReplayFacts(
                label: label,
                startedAt: now.wall,
                target: "http://\(settings.target.text)",
                concurrency: settings.mostAtOnce,
                pacing: settings.shape.pace.rawValue,
                seed: settings.shape.rate.map { Int64(bitPattern: $0.seed) },
                settings: ReplayWords.settings(
                    settings,
                    filter: filter,
                    correlate: live.correlate,
                    anchorNs: now.monotonicNs,
                    shard
                ),
                hostFacts: ReplayWords.hostFacts(),
                shard: shard?.index ?? 0
            )
        )
        // Of a session that is still being read it is told at the end.
        let isKnown = replayer.isWhole
        if isKnown { replayer.skipped.forEach { complain(ReplayWords.sentence($0)) } }
        pacing.warn()
        let progress = ReplayProgressLine()
        // The rows are written while requests are sent, but never in their way: this thread takes
        // what the sending ones leave. The workers are made before, and keep their priority. Once it
        // has a processor it would keep that until the kernel's next tick, 4 ms or more, whatever its
        // priority: so it asks itself whether others want it.
        var isPolite = false
        let summary = try replayer.run(
            onResults: { results in
                if !isPolite { isPolite = clab_give_way(1) != 0 }
                try writer.write(results) { sched_yield() }
            },
            onProgress: {
                progress.show($0)
                server?.look()
            }
        )
        if isPolite { _ = clab_give_way(0) }
        progress.clear()
        if !isKnown { summary.skipped.forEach { complain(ReplayWords.sentence($0)) } }
        let reason = summary.wasInterrupted ? "interrupted" : summary.ok == 0 ? "failed" : "done"
        let verdicts = failIf.compactMap { FailCondition($0) }
            .map { ($0.text, $0.verdict(on: summary)) }
        var words = ReplayWords(
            run: writer.runID,
            label: label,
            target: "http://\(settings.target.text)",
            settings,
            summary
        )
        words.watched = server?.watched(isSuspect: summary.errors > 0)
        words.failedConditions = verdicts.compactMap { text, verdict in
            if case .fails = verdict { text } else { nil }
        }
        try writer.end(
            histograms: summary.series.map { ($0.name, $0.buckets) },
            summary: words.json,
            reason: reason,
            at: Moment.now.wall
        )
        try output.tell(words, summary, ofRun: writer.runID, in: session, to: &report)
        ReplayWords.warnings(summary).forEach { complain($0) }
        let death = watching.sentence(on: words.watched)
        if let death { complain(death) }
        try judge(summary, settings.target)
        try judge(verdicts.map { $0.1 }, matching: summary)
        if death != nil { throw ExitNow(ExitStatus.untrusted) }
    }
}
