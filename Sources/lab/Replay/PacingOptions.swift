// lab replay: when sessions start, and when their requests are sent.

public import ArgumentParser
import CLabLinux
public import LabReplayer

/// The shape of the load.
struct PacingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "When requests are sent: asap (as soon as the one before is answered), recorded (when they were captured; sessions too, an open loop), think (after the recorded time between an answer and the next request).",
            valueName: "pace"
        )
    )
    var pace = LoadShape.Pace.asap

    @Option(help: ArgumentHelp("Recorded gaps are divided by this: 2, 2x or 200%.", valueName: "f"))
    var speed: SpeedFactor?

    @Option(
        help: ArgumentHelp(
            "No gap inside a session, or between the starts of two, is longer than this.",
            valueName: "t"
        )
    )
    var maxGap: Duration?

    @Option(
        name: [.customShort("R"), .long],
        help: ArgumentHelp("Start so many sessions in a second: an open loop.", valueName: "r")
    )
    var rate: ArrivalRate?

    @Option(
        help: ArgumentHelp(
            "What --rate counts: sessions, or requests in captured order.",
            valueName: "unit"
        )
    )
    var rateUnit: LoadShape.Rate.Unit?

    @Option(
        help: ArgumentHelp(
            "How starts at a --rate are spread: const, or poisson as independent clients come.",
            valueName: "how"
        )
    )
    var arrival: LoadShape.Rate.Arrival?

    @Option(help: ArgumentHelp("What --arrival poisson draws its gaps from.", valueName: "n"))
    var seed: UInt64?

    @Option(
        help: ArgumentHelp(
            "How many sessions may be under way in an open loop, shared among threads and shards; one that can't start is counted as dropped. (default: 10000)",
            valueName: "n"
        )
    )
    var maxInFlight: Int?

    @Option(
        help: ArgumentHelp(
            "Leave the first so many requests, or the requests of this first time, out of all figures; they are sent, checked and stored. --requests and --duration count after them.",
            valueName: "t|n"
        )
    )
    var warmup: Warmup?

    @Option(
        help: ArgumentHelp(
            "How long requests in flight have to end after --duration or SIGINT.",
            valueName: "t"
        )
    )
    var gracefulStop = Duration(nanoseconds: 5_000_000_000)

    @Option(
        help: ArgumentHelp(
            "When to start: RFC 3339, such as 2026-11-25T16:00:00Z, or +5s.",
            valueName: "time"
        )
    )
    var startAt: StartTime?

    func validate() throws {
        if rate == nil, rateUnit != nil || arrival != nil || seed != nil {
            throw ValidationError("--rate-unit, --arrival and --seed need --rate.")
        }
        if rateUnit == .requests, pace != .asap {
            throw ValidationError(
                "--rate-unit requests says when each request is sent, and so does --pace \(pace.rawValue). Give one of them."
            )
        }
        if pace == .asap, speed != nil || maxGap != nil {
            throw ValidationError("--speed and --max-gap need --pace recorded or --pace think.")
        }
        if let maxInFlight, !(1...100_000).contains(maxInFlight) {
            throw ValidationError("--max-in-flight takes a number from 1 to 100000.")
        }
        if maxInFlight != nil, !shape.isOpen {
            throw ValidationError(
                "--max-in-flight bounds an open loop: give --rate or --pace recorded, or bound a closed one with --concurrency."
            )
        }
    }

    /// The load that is asked for.
    var shape: LoadShape {
        var shape = LoadShape()
        shape.pace = pace
        shape.speed = speed?.factor ?? 1
        shape.maxGapNs = maxGap?.nanoseconds
        shape.rate = rate.map {
            LoadShape.Rate(
                perSecond: $0.perSecond,
                unit: rateUnit ?? .sessions,
                arrival: arrival ?? .const,
                seed: seed ?? 1
            )
        }
        shape.maxInFlight = maxInFlight ?? min(10_000, OpenFileLimit.mostConnections)
        return shape
    }

    /// Says what keeps the load from being what was asked for.
    func warn() {
        if let startAt, startAt.pastNs > 0 {
            complain(
                "--start-at is \(Double(startAt.pastNs / 1_000_000) / 1000) s past; sending starts at once."
            )
        }
        if shape.isOpen || shape.pace != .asap, clab_epoll_is_fine() == 0 {
            complain(
                "This kernel has no epoll_pwait2 (Linux 5.11): waits end on the millisecond, and the rest of one is spent in calls that do not wait, which costs CPU time."
            )
        }
    }

    /// Puts the load into settings.
    func apply(to settings: inout ReplaySettings) {
        settings.shape = shape
        settings.graceNs = gracefulStop.nanoseconds
        switch warmup {
        case .requests(let count): settings.warmupRequests = count
        case .time(let time): settings.warmupNs = time.nanoseconds
        case nil: break
        }
        settings.startAtNs = startAt.map { $0.monotonicNs }
    }
}

extension LoadShape.Pace: ExpressibleByArgument {}
extension LoadShape.Rate.Unit: ExpressibleByArgument {}
extension LoadShape.Rate.Arrival: ExpressibleByArgument {}
