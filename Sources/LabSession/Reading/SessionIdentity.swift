// Nothing lost, and provably so: what the fork server counted against the rows there are.

/// The accounts of one recording, and whether they add up.
///
///     accepted = recorded + failed         the fork server's count = rows of `connection` + failed forks
///     forks = reaped + living + unknown    the fork server's count = rows of `child`, by what is known
///
/// The left sides are counted where `accept` and `fork` return and travel in the `drain` event that
/// ends a recording; the right sides are counted in the file. A frame that was lost between the two
/// breaks the sum.
public struct SessionIdentity: Codable, Sendable, Equatable {
    /// Whether the accounts can be trusted.
    public enum Verdict: String, Codable, Sendable {
        /// They add up.
        case holds
        /// The recording goes on. Nothing to check yet.
        case open
        /// The recording has no end, and nobody records: its recorder was killed, and what it had not
        /// committed is not known.
        case abandoned
        /// The recording ended and the fork server's counts are not in the file.
        case uncounted
        /// They do not add up, or an exchange was lost.
        case broken
    }

    /// Connections that `accept` returned, by the fork server's count.
    public var accepted: Int?
    /// Connections on record.
    public var recorded: Int
    /// Connections for which `fork` failed, by the fork server's count.
    public var failed: Int?
    /// Forks that succeeded, by the fork server's count.
    public var forks: Int?
    /// Children that `wait4` returned, by the fork server's count.
    public var waited: Int?
    /// Children on record with the time of their reaping.
    public var reaped: Int
    /// Children on record that live, as far as is known.
    public var living: Int
    /// Children on record whose end was not seen, or that nobody waited for.
    public var unknown: Int
    /// Children on record whose fate and times contradict each other.
    public var contradictory: Int
    /// Exchanges with no outcome whose child is not known to be dead.
    public var unfinished: Int
    /// Exchanges with no outcome whose child is dead: nobody said how they ended.
    public var lost: Int
    /// Some of the lost exchanges.
    public var lostExamples: [Int64]
    /// What does not add up, a sentence each.
    public var faults: [String]
    /// Whether all this can be trusted.
    public var verdict: Verdict

    /// Whether a program should refuse to build on this recording.
    public var isTrustworthy: Bool { verdict == .holds || verdict == .open }
}

/// What is counted for ``SessionIdentity`` on the way through the tables.
struct IdentityCounts {
    var connections = 0
    var children = 0
    var reaped = 0
    var living = 0
    var unknown = 0
    var runningButReaped = 0
    var endedButNotReaped = 0
    var unfinished = 0
    var lost = 0
    var lostExamples: [Int64] = []
    var drain: DrainCounts?

    mutating func addChild(fate: String, isReaped: Bool) {
        children += 1
        switch (fate, isReaped) {
        case ("running", false): living += 1
        case ("unknown", false), ("unreaped", false): unknown += 1
        case (_, false): endedButNotReaped += 1
        case ("running", true), ("unknown", true): runningButReaped += 1
        case (_, true): reaped += 1
        }
    }

    mutating func addWithoutOutcome(exchange id: Int64, childIsDead: Bool) {
        guard childIsDead else {
            unfinished += 1
            return
        }
        lost += 1
        if lostExamples.count < 5 { lostExamples.append(id) }
    }
}

/// What the fork server says of itself when it ends.
struct DrainCounts: Equatable {
    var accepted: Int
    var forks: Int
    var forkFailed: Int
    var reaped: Int?
}

extension SessionIdentity {
    init(_ counts: IdentityCounts, hasEnded: Bool) {
        let drain = counts.drain
        accepted = drain?.accepted
        recorded = counts.connections
        failed = drain?.forkFailed
        forks = drain?.forks
        waited = drain?.reaped
        reaped = counts.reaped
        living = counts.living
        unknown = counts.unknown
        contradictory = counts.runningButReaped + counts.endedButNotReaped
        unfinished = counts.unfinished
        lost = counts.lost
        lostExamples = counts.lostExamples
        faults = drain.map { Self.faults($0, counts) } ?? []
        faults += Self.faults(counts)
        verdict =
            if !faults.isEmpty { .broken } else if drain != nil { .holds } else if hasEnded {
                .uncounted
            } else { .open }
    }

    private static func faults(_ drain: DrainCounts, _ counts: IdentityCounts) -> [String] {
        var faults: [String] = []
        let recorded = counts.connections + drain.forkFailed
        if drain.accepted != recorded {
            let missing = drain.accepted - recorded
            faults.append(
                "Of \(drain.accepted) accepted connections \(recorded) are accounted for: "
                    + (missing > 0 ? "\(missing) lost." : "\(-missing) too many.")
            )
        }
        let known = counts.reaped + counts.living + counts.unknown
        if drain.forks != known {
            let missing = drain.forks - known
            faults.append(
                "Of \(drain.forks) forked children \(known) are accounted for: "
                    + (missing > 0 ? "\(missing) lost." : "\(-missing) too many.")
            )
        }
        if let waited = drain.reaped, waited != counts.reaped {
            faults.append(
                "Of \(waited) children that were waited for \(counts.reaped) are on record as reaped."
            )
        }
        return faults
    }

    private static func faults(_ counts: IdentityCounts) -> [String] {
        var faults: [String] = []
        if counts.runningButReaped > 0 {
            faults.append(
                "Children that were reaped, and are said to have no end: \(counts.runningButReaped)."
            )
        }
        if counts.endedButNotReaped > 0 {
            faults.append(
                "Children that are said to have ended, with no reaping on record: \(counts.endedButNotReaped)."
            )
        }
        if counts.lost > 0 {
            faults.append("Exchanges without an outcome, whose children are dead: \(counts.lost).")
        }
        return faults
    }
}
