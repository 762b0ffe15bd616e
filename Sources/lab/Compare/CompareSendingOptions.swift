// Which requests are sent, and how.

import ArgumentParser
import LabExchange
import LabReplayer
import LabSession
import LabWire

/// The options of sending.
struct CompareSendingOptions: ParsableArguments {
    @Option(
        name: .shortAndLong,
        help: "How many connections at once; where a server is busy with one route, others wait."
    )
    var concurrency = 4

    @Option(
        help: ArgumentHelp(
            "Send so many requests to each fresh server before the ones that count.",
            valueName: "n"
        )
    )
    var warmup = 20

    @Option(
        help: ArgumentHelp(
            "Run this before each server is started, to restore its files or database.",
            valueName: "command"
        )
    )
    var reset: String?

    @Flag(help: "Send requests that change something (POST, PUT, PATCH, DELETE) without a --reset.")
    var allowUnsafe = false

    @Flag(help: "Leave such requests out, and do not count them as not compared.")
    var skipUnsafe = false

    @Option(
        help: ArgumentHelp(
            "Send only the exchanges of which this is true, as lab list --where takes it.",
            valueName: "expr"
        )
    )
    var filter: String?

    @Option(help: ArgumentHelp("How long an answer may take.", valueName: "t"))
    var timeout = Duration(nanoseconds: 10_000_000_000)

    @Option(help: ArgumentHelp("How long a build may take until it answers.", valueName: "t"))
    var readyTimeout = Duration(nanoseconds: 20_000_000_000)

    @Option(help: "What makes the order of arms repeatable.")
    var seed: UInt64 = 1

    func validate() throws {
        guard (1...10_000).contains(concurrency) else {
            throw ValidationError("--concurrency takes a number from 1 to 10000.")
        }
        guard warmup >= 0 else { throw ValidationError("--warmup takes a number from 0 up.") }
        guard timeout.nanoseconds > 0, readyTimeout.nanoseconds > 0 else {
            throw ValidationError("--timeout and --ready-timeout take a time above 0.")
        }
    }

    /// The exchanges that are sent, and what was left out.
    struct Selection {
        var exchanges: [CapturedExchange]
        /// What is not sent, a sentence each.
        var leftOut: [String]
        /// Whether hop-by-hop fields are sent as captured.
        var keepsHopByHop: Bool
    }

    /// Reads what is to be sent.
    ///
    /// - Throws: ``Failure`` where nothing is, or where what changes state may not be sent.
    func select(from session: String) throws -> Selection {
        let reader = try SessionReader(session)
        var exchanges = try reader.capturedExchanges()
        var leftOut: [String] = []
        if let filter {
            var wanted: Set<Int64> = []
            do {
                try reader.forEachExchange(where: filter) { wanted.insert($0.id) }
            } catch let error as ExpressionError {
                throw Failure(error.description, code: ExitCode.validationFailure.rawValue)
            }
            exchanges.removeAll { !wanted.contains($0.id) }
        }
        let keepsHopByHop = try reader.recordings().last?.upstream == nil
        let all = exchanges.count
        exchanges.removeAll { !isSendable($0, keepsHopByHop) }
        if exchanges.count < all {
            leftOut.append("\(all - exchanges.count) exchanges can't be sent again.")
        }
        if reset == nil, !allowUnsafe {
            let unsafe = exchanges.filter { !isSafe($0) }.count
            if unsafe > 0 {
                guard skipUnsafe else {
                    throw Failure(
                        "\(unsafe) of the \(exchanges.count) requests may change something at the "
                            + "server (POST, PUT, PATCH, DELETE), so arms would not start alike. Restore "
                            + "its state with --reset COMMAND, send them all the same with "
                            + "--allow-unsafe, or leave them out with --skip-unsafe."
                    )
                }
                exchanges.removeAll { !isSafe($0) }
                leftOut.append("\(unsafe) requests that may change something were left out.")
            }
        }
        guard !exchanges.isEmpty else {
            throw Failure(
                "There is nothing to compare: no request of '\(session)' can be sent.",
                code: ExitStatus.nothing
            )
        }
        return Selection(exchanges: exchanges, leftOut: leftOut, keepsHopByHop: keepsHopByHop)
    }

    private func isSafe(_ exchange: CapturedExchange) -> Bool {
        guard let head = try? RequestHead(parsing: exchange.requestHead, limits: .wide) else {
            return false
        }
        return head.method.equals("GET") || head.method.equals("HEAD")
            || head.method.equals("OPTIONS") || head.method.equals("TRACE")
    }

    private func isSendable(_ exchange: CapturedExchange, _ keepsHopByHop: Bool) -> Bool {
        // The replayer itself is asked, so that both always agree.
        let settings = ReplaySettings(
            target: Authority(host: "127.0.0.1", port: 80),
            addresses: [],
            keepsHopByHop: keepsHopByHop
        )
        return Replayer(exchanges: [exchange], settings: settings).requestsPerRound == 1
    }

    func options(_ selection: Selection, builds host: Authority?) -> ArmRunner.Options {
        ArmRunner.Options(
            concurrency: concurrency,
            timeoutNs: timeout.nanoseconds,
            readyTimeoutNs: readyTimeout.nanoseconds,
            warmup: warmup,
            reset: reset,
            host: host,
            keepsHopByHop: selection.keepsHopByHop
        )
    }
}
