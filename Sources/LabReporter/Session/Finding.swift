// What a person should know first, in order of how much it matters.

public import LabSession

/// Something that a person should know of a session, in a sentence.
public struct Finding: Codable, Sendable, Equatable {
    /// How much it matters.
    public enum Severity: String, Codable, Sendable {
        /// The recording cannot be trusted.
        case untrusted
        /// Something broke.
        case bad
        /// Something that is worth a look.
        case doubtful
    }

    /// How much it matters.
    public var severity: Severity
    /// A sentence.
    public var sentence: String
    /// The command that shows more; nil where there is none.
    public var next: String?
}

extension Finding {
    /// A zombie that stood longer than this was not reaped by a loop that is awake, nanoseconds.
    static let longZombieNs: Int64 = 100_000_000
    /// A connection waited long to be accepted from here on, nanoseconds; well above the kernel's tick.
    static let longQueueNs: Int64 = 100_000_000
    /// A route is slow when half of its requests take longer than this, nanoseconds.
    static let slowRouteNs: Int64 = 100_000_000
    /// And when it takes this many times as long as half of all requests.
    static let slowRouteFactor: Int64 = 10

    /// The findings of a session, those that matter most first.
    public static func all(_ report: SessionReport) -> [Finding] {
        // The default is left out of a command: it is what one types.
        let session = report.path == "session.db" ? "" : " " + Shell.word(report.path)
        let found =
            losses(report) + deaths(report) + standing(report) + server(report) + slow(report)
            + replays(report)
        return found.map { finding in
            var whole = finding
            whole.next = finding.next?.inserting(session)
            return whole
        }
    }

    private static func losses(_ report: SessionReport) -> [Finding] {
        report.recordings.flatMap { part -> [Finding] in
            let name = "Recording \(part.recording.id)"
            switch part.identity.verdict {
            case .holds: return []
            case .open:
                return [
                    Finding(
                        severity: .doubtful,
                        sentence: "\(name) goes on: its accounts cannot be checked yet."
                    )
                ]
            case .abandoned:
                return [
                    Finding(
                        severity: .untrusted,
                        sentence: "\(name) has no end: its recorder was killed. What it had not "
                            + "committed is not in the file, and how much that was nobody knows."
                    )
                ]
            case .uncounted:
                return [
                    Finding(
                        severity: .untrusted,
                        sentence: "\(name) ended without the fork server's own counts: "
                            + "whether anything was lost is not known."
                    )
                ]
            case .broken:
                let example = part.identity.lostExamples.first.map { "lab show \($0)" }
                return part.identity.faults.map { fault in
                    Finding(
                        severity: .untrusted,
                        sentence: "\(name) does not add up: \(fault)",
                        next: fault.hasPrefix("Exchanges") ? example : nil
                    )
                }
            }
        }
    }

    private static func deaths(_ report: SessionReport) -> [Finding] {
        let serving = report.children.deaths.filter { $0.exchangeID != nil }
        let idle = report.children.deaths.filter { $0.exchangeID == nil }
        let shown = serving.prefix(8).map { death in
            let target = SafeText.cut(SafeText.line(death.target ?? ""), to: 48)
            let request = SafeText.line(death.method ?? "") + " " + target
            let who =
                death.count == 1 ? "Child \(death.pid)" : "\(Quantity.count(death.count)) children"
            return Finding(
                severity: .bad,
                sentence: "\(who) \(Ending.verb(death)) while serving "
                    + (death.count == 1 ? "\(request)." : "requests such as \(request)."),
                next: death.exchangeID.map { "lab show \($0)" }
            )
        }
        let rest = serving.dropFirst(8).reduce(0) { $0 + $1.count }
        let more = Finding(
            severity: .bad,
            sentence: "\(Quantity.count(rest, "more child", "more children")) died while serving.",
            next: "lab list --where \"outcome = 'child_died'\""
        )
        let idleCount = idle.reduce(0) { $0 + $1.count }
        let unoccupied = Finding(
            severity: .doubtful,
            sentence:
                "\(Quantity.count(idleCount, "child", "children")) died while serving nothing."
        )
        return shown + (rest > 0 ? [more] : []) + (idleCount > 0 ? [unoccupied] : [])
    }

    private static func standing(_ report: SessionReport) -> [Finding] {
        let zombies = report.zombies
        var findings: [Finding] = []
        if zombies.left > 0 {
            findings.append(
                Finding(
                    severity: .bad,
                    sentence: Quantity.count(zombies.left, "child was", "children were")
                        + " left a zombie when the recording ended: nobody waited for "
                        + (zombies.left == 1 ? "it." : "them.")
                )
            )
        }
        if let longest = zombies.longest.first, let least = longest.atLeastNs, least >= longZombieNs
        {
            findings.append(
                Finding(
                    severity: .doubtful,
                    sentence: "Child \(longest.pid) stood as a zombie for at least "
                        + "\(Quantity.duration(least)): the parent did not come to reap it."
                )
            )
        }
        return findings
    }

    private static func server(_ report: SessionReport) -> [Finding] {
        let queue = report.traffic.phases.first { $0.phase == .queue }?.latencyNs
        let waited = queue?.max.flatMap { $0 >= longQueueNs ? $0 : nil }.map { longest in
            Finding(
                severity: .doubtful,
                sentence: "A connection waited \(Quantity.duration(longest)) until it was accepted"
                    + (queue?.p50.map { ", half of them \(Quantity.duration($0)) or more." } ?? ".")
            )
        }
        let sentences = [
            ("accept_failed", Severity.bad, "A connection could not be accepted"),
            ("fork_failed", .bad, "A child could not be forked"),
            ("listen_overflow", .bad, "The listen queue was full and clients had to knock again"),
            ("orphan", .doubtful, "A child left an orphan, which the server adopted and reaped"),
        ]
        return sentences.compactMap { kind, severity, sentence in
            let count = report.events.count(of: kind)
            guard count > 0 else { return nil }
            let often = count == 1 ? "" : ", \(Quantity.count(count)) times"
            let whose = kind == "orphan" ? routesOfOrphans(report) : ""
            return Finding(severity: severity, sentence: sentence + often + whose + ".")
        } + (waited.map { [$0] } ?? [])
    }

    /// The routes that left orphans, those with the most first.
    private static func routesOfOrphans(_ report: SessionReport) -> String {
        let routes = report.costs.filter { $0.orphans > 0 }.sorted { $0.orphans > $1.orphans }
        guard !routes.isEmpty else { return "" }
        let names = routes.prefix(3).map {
            SafeText.cut(SafeText.line("\($0.method) \($0.route)"), to: 48)
        }
        return ": " + names.joined(separator: ", ") + (routes.count > 3 ? ", …" : "")
    }

    private static func slow(_ report: SessionReport) -> [Finding] {
        let typical = report.traffic.phases.first { $0.phase == .total }?.latencyNs.p50
        return report.traffic.routes.compactMap { route -> Finding? in
            guard let typical, let median = route.latencyNs.p50, median >= slowRouteNs,
                median / slowRouteFactor >= typical
            else { return nil }
            let name = SafeText.cut(SafeText.line("\(route.method) \(route.route)"), to: 48)
            return Finding(
                severity: .doubtful,
                sentence:
                    "Half of the requests to \(name) took \(Quantity.duration(median)) or more; "
                    + "half of all took \(Quantity.duration(typical))."
            )
        }.prefix(3).map { $0 }
    }

    private static func replays(_ report: SessionReport) -> [Finding] {
        guard let run = report.runs.last, run.mismatches > 0 else { return [] }
        let name = run.label.map { SafeText.line($0) } ?? "\(run.id)"
        return [
            Finding(
                severity: .doubtful,
                sentence: "In the last replay, \(name), \(Quantity.count(run.mismatches)) of "
                    + "\(Quantity.count(run.requests, "request", "requests")) did not end as captured.",
                next: "lab report --run \(run.id)"
            )
        ]
    }
}

extension String {
    /// A command with words after its verb: `lab show 5` and ` a.db` as `lab show a.db 5`.
    fileprivate func inserting(_ words: String) -> String {
        let parts = split(separator: " ", maxSplits: 2)
        return parts.count == 3 ? "\(parts[0]) \(parts[1])\(words) \(parts[2])" : self + words
    }
}
