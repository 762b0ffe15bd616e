// Speeds, rates and moments as people type them.

import ArgumentParser
import CLabLinux
import FoundationEssentials
import Glibc

/// A speed: `2`, `2x`, `200%`; above 0.
struct SpeedFactor: ExpressibleByArgument {
    let factor: Double

    init?(argument: String) {
        let isShare = argument.hasSuffix("%")
        let number = Double(
            isShare || argument.hasSuffix("x") ? argument.dropLast() : argument[...]
        )
        guard let number, number.isFinite, number > 0 else { return nil }
        factor = isShare ? number / 100 : number
        guard factor >= 1e-6, factor <= 1e9 else { return nil }
    }
}

/// A rate: `100`, `0.5`, `100/s`, `30/m`; above 0.
struct ArrivalRate: ExpressibleByArgument {
    let perSecond: Double

    init?(argument: String) {
        let parts = argument.split(separator: "/", omittingEmptySubsequences: false)
        guard let number = parts.first.flatMap({ Double($0) }), number.isFinite, number > 0 else {
            return nil
        }
        switch parts.count > 1 ? parts[1] : "s" {
        case "s" where parts.count <= 2: perSecond = number
        case "m" where parts.count == 2: perSecond = number / 60
        case "h" where parts.count == 2: perSecond = number / 3600
        default: return nil
        }
        guard perSecond >= 1e-6, perSecond <= 1e8 else { return nil }
    }
}

/// A warm-up: a time with its unit (`5s`), or a number of requests (`100`).
enum Warmup: ExpressibleByArgument {
    case requests(Int)
    case time(Duration)

    init?(argument: String) {
        if let count = Int(argument) {
            guard count >= 0 else { return nil }
            self = .requests(count)
        } else if let time = Duration(argument: argument) {
            self = .time(time)
        } else {
            return nil
        }
    }
}

/// A moment on the wall clock (RFC 3339), or so long from now (`+5s`).
struct StartTime: ExpressibleByArgument {
    /// The moment, nanoseconds of `CLOCK_MONOTONIC`: as the clocks stand to each other now.
    let monotonicNs: Int64
    /// How long it had been past when it was read, nanoseconds; below 0 where it was to come.
    let pastNs: Int64

    init?(argument: String) {
        let now = clab_monotonic_ns()
        if argument.hasPrefix("+") {
            guard let wait = Duration(argument: String(argument.dropFirst())) else { return nil }
            pastNs = -wait.nanoseconds
        } else {
            guard let moment = Self.moment(argument) else { return nil }
            var time = timespec()
            clock_gettime(CLOCK_REALTIME, &time)
            pastNs = Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec) - moment
        }
        let (sum, isOver) = now.subtractingReportingOverflow(pastNs)
        guard !isOver else { return nil }
        monotonicNs = sum
    }

    /// Nanoseconds since 1970 of `2026-11-25T16:00:00.5Z` or `…+01:00` (RFC 3339 5.6).
    private static func moment(_ text: String) -> Int64? {
        let form =
            /(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)/
        guard let found = text.wholeMatch(of: form)?.output,
            let year = Int32(found.1), let month = Int32(found.2), let day = Int32(found.3),
            let hour = Int32(found.4), let minute = Int32(found.5), let second = Int32(found.6),
            year >= 1970, year < 2200, (1...12).contains(month), (1...31).contains(day), hour < 24,
            minute < 60,
            second <= 60
        else { return nil }
        var parts = tm()
        parts.tm_year = year - 1900
        parts.tm_mon = month - 1
        parts.tm_mday = day
        parts.tm_hour = hour
        parts.tm_min = minute
        parts.tm_sec = second
        var seconds = Int64(timegm(&parts))
        // The 31st of a month that has 30 days would be the 1st of the next one.
        guard parts.tm_mday == day else { return nil }
        let offset = found.8
        if offset.count == 6, let hours = Int64(offset.dropFirst().prefix(2)),
            let minutes = Int64(offset.suffix(2))
        {
            seconds -= (offset.hasPrefix("-") ? -1 : 1) * (hours * 3600 + minutes * 60)
        }
        let fraction = String(found.7 ?? "0")
        let padded = fraction + String(repeating: "0", count: 9 - fraction.count)
        return seconds * 1_000_000_000 + (Int64(padded) ?? 0)
    }
}
