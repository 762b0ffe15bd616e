// The wall clock, for people; durations never come from it.

import CLabLinux
import Glibc

/// The wall clock and the monotonic clock at one moment.
struct Moment {
    /// RFC 3339, UTC, microseconds.
    let wall: String
    /// CLOCK_MONOTONIC, ns.
    let monotonicNs: Int64

    static var now: Moment {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        let monotonic = clab_monotonic_ns()
        var seconds = time.tv_sec
        var parts = tm()
        gmtime_r(&seconds, &parts)
        func padded(_ number: some BinaryInteger, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date =
            "\(parts.tm_year + 1900)-\(padded(parts.tm_mon + 1, 2))-\(padded(parts.tm_mday, 2))"
        let clock =
            "\(padded(parts.tm_hour, 2)):\(padded(parts.tm_min, 2)):\(padded(parts.tm_sec, 2))"
        return Moment(
            wall: "\(date)T\(clock).\(padded(time.tv_nsec / 1000, 6))Z",
            monotonicNs: monotonic
        )
    }
}
