// Instants of several recordings on one clock. Each has a CLOCK_MONOTONIC of its own, perhaps of
// another boot; what lies between two recordings is no traffic, so one begins where the other ends.

internal import GRDB

/// How instants of one recording become times since the session's first exchange.
struct RecordingClock {
    /// The recording's first instant, nanoseconds of its CLOCK_MONOTONIC.
    var firstNs: Int64 = 0
    /// How long the recordings before it are, nanoseconds.
    var offsetNs: Int64 = 0

    /// The time of an instant; what a damaged file says to lie outside of any recording is kept in.
    func time(of instant: Int64) -> Int64 {
        let (span, isOver) = instant.subtractingReportingOverflow(firstNs)
        guard !isOver, span >= 0, span < Int64.max / 4 else { return offsetNs }
        return offsetNs + span
    }

    /// The clocks by recording.
    static func all(_ db: Database) throws -> [Int64: RecordingClock] {
        // One recording's clock needs no look at all exchanges: the first one is among those of the
        // lowest numbers, which are given as requests come.
        let recordings = try Int64.fetchAll(db, sql: "SELECT id FROM recording LIMIT 2")
        if recordings.count == 1 {
            let firstNs = try Int64.fetchOne(
                db,
                sql: """
                    SELECT min(started_ns) FROM (SELECT started_ns FROM exchange ORDER BY id LIMIT 1000)
                    """
            )
            return [recordings[0]: RecordingClock(firstNs: firstNs ?? 0)]
        }
        let sql = """
            SELECT n.recording_id, min(e.started_ns), max(ifnull(e.response_ended_ns, e.started_ns))
            FROM exchange e JOIN connection n ON n.id = e.connection_id GROUP BY 1 ORDER BY 1
            """
        var clocks: [Int64: RecordingClock] = [:]
        var offset: Int64 = 0
        for row in try Row.fetchAll(db, sql: sql) {
            let clock = RecordingClock(firstNs: row.int(1), offsetNs: offset)
            clocks[row.int(0)] = clock
            offset = min(clock.time(of: row.int(2)), Int64.max / 4)
        }
        return clocks
    }
}
