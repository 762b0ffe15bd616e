// One arm of one round: a fresh server, the session sent to it, what came back and what it cost.

import CLabLinux
import LabComparer
import LabExchange
import LabReplayer
import LabWire

/// Where an arm's requests go.
enum ArmTarget {
    /// To a server that is started for it.
    case command(BuildCommand)
    /// To one that runs already.
    case running(Authority, addresses: [ReplayAddress])
}

/// Sends a session to the arms of a comparison.
final class ArmRunner {
    let exchanges: [CapturedExchange]
    let targets: [Arm: ArmTarget]
    private let byID: [Int64: CapturedExchange]
    private let options: Options
    /// Where the servers that are started listen.
    let port: Int
    /// Requests that ended a server when they were sent alone, and some that did not.
    private var killers: Set<Int64> = []
    private var innocent: Set<Int64> = []
    /// How many requests are tried to find the one that ends a server.
    private static let mostSuspects = 10
    /// What a person asked for, by a signal, while a replay ran.
    let interruption: Interruption

    /// How requests are sent.
    struct Options {
        var concurrency: Int
        var timeoutNs: Int64
        var readyTimeoutNs: Int64
        var warmup: Int
        var reset: String?
        /// What stands in `Host`, the same for all arms, so that no answer differs by it.
        var host: Authority?
        var keepsHopByHop: Bool
    }

    /// The most bytes of an answer's content that are kept for comparing.
    private static let mostContentBytes = 64 << 20

    init(
        exchanges: [CapturedExchange],
        targets: [Arm: ArmTarget],
        options: Options,
        interruption: Interruption
    ) throws {
        self.exchanges = exchanges
        self.targets = targets
        self.options = options
        self.interruption = interruption
        byID = Dictionary(exchanges.map { ($0.id, $0) }) { first, _ in first }
        guard let port = Readiness.freePort() else {
            throw Failure("Cannot find a free port on 127.0.0.1: \(lastError()).")
        }
        // One port for all arms: servers write it into their answers.
        self.port = port
    }

    /// Runs the whole session against an arm.
    func run(_ arm: Arm) throws -> ArmRecord {
        if let record = try run(arm, warmup: options.warmup) { return record }
        // It died of a request that only was to warm it up: the ones that count are sent all the same.
        return try run(arm, warmup: 0) ?? ArmRecord(answers: [:])
    }

    /// nil where the server died while it was warmed up; the request that did it is known then.
    private func run(_ arm: Arm, warmup: Int) throws -> ArmRecord? {
        var early: [ReplayResult]?
        let (results, cost) = try withServer(of: arm) { server in
            if warmup > 0 {
                let results = try send(exchanges, to: arm, server, most: warmup)
                if server?.death(after: results) != nil {
                    early = results
                    return ([ReplayResult](), ServerCost?.none)
                }
                // What warming up cost belongs to the start.
                server?.watch()
                server?.markStart()
            }
            let results = try send(exchanges, to: arm, server)
            _ = server?.death(after: results)
            return (results, server?.cost())
        }
        if let early {
            try hunt(early, at: arm)
            return nil
        }
        let hasDied = cost?.death != nil
        if hasDied { try hunt(results, at: arm) }
        return ArmRecord(answers: answers(results, hasDied: hasDied), cost: cost)
    }

    /// Answers to requests that were sent alone, and which of them ended the server.
    typealias Alone = [Int64: ObservedAnswer]

    /// Sends some requests to an arm, each alone and one after the other; where one ends the server,
    /// the rest goes to a fresh one.
    func sendAlone(_ ids: [Int64], to arm: Arm) throws -> Alone {
        var found: Alone = [:]
        var rest = ids[...]
        while !rest.isEmpty {
            try withServer(of: arm) { server in
                while let id = rest.popFirst() {
                    guard let exchange = byID[id] else { continue }
                    let results = try send([exchange], to: arm, server)
                    found.merge(answers(results, hasDied: false).mapValues(\.answer)) { $1 }
                    if server?.death(after: results) != nil {
                        killers.insert(id)
                        return
                    }
                }
            }
        }
        return found
    }

    /// Looks for the request that ended a server: of those that were in flight then, each is sent
    /// alone to a fresh one.
    private func hunt(_ results: [ReplayResult], at arm: Arm) throws {
        let cut = results.filter { [.reset, .truncated].contains($0.outcome) }
        // What went out on a kept connection is sent once more when that closes: by then nobody may
        // listen, and what killed the server is among those that were refused first.
        let refused = results.filter { $0.outcome == .refused }
            .sorted { $0.doneNs < $1.doneNs }.prefix(options.concurrency)
        let unknown = (cut + refused).map(\.exchangeID)
            .filter { !innocent.contains($0) && !killers.contains($0) }
        for id in unknown.prefix(Self.mostSuspects) {
            _ = try sendAlone([id], to: arm)
            if !killers.contains(id) { innocent.insert(id) }
        }
    }

    private func withServer<Value>(
        of arm: Arm,
        _ body: (ServerBuild?) throws -> Value
    ) throws -> Value {
        guard let target = targets[arm] else {
            throw Failure("There is no \(arm.rawValue) to send to.")
        }
        if let reset = options.reset { try run(reset: reset) }
        switch target {
        case .running: return try body(nil)
        case .command(let command):
            let server = try ServerBuild(command, port: port)
            defer { server.end() }
            try server.waitUntilReady(Readiness(port: port), timeoutNs: options.readyTimeoutNs)
            return try body(server)
        }
    }

    private func run(reset: String) throws {
        let command = BuildCommand(text: reset, option: "--reset")
        let process = try ServerBuild(command, port: port)
        let deadline = clab_monotonic_ns() + 60_000_000_000
        while process.death() == nil, clab_monotonic_ns() < deadline { nap() }
        guard process.death() == "exit code 0" else {
            throw Failure(
                "The command of --reset, '\(reset)', failed: "
                    + "\(process.death() ?? "it took more than 60 s").\(process.tail())"
            )
        }
    }

    // MARK: Sending

    private func send(
        _ exchanges: [CapturedExchange],
        to arm: Arm,
        _ server: ServerBuild?,
        most: Int? = nil
    ) throws -> [ReplayResult] {
        let place: Authority
        let addresses: [ReplayAddress]
        switch targets[arm] {
        case .running(let authority, let known)?: (place, addresses) = (authority, known)
        default:
            place = Authority(host: "127.0.0.1", port: port)
            addresses = try ReplaySettings.resolve(place)
        }
        var settings = ReplaySettings(
            target: options.host ?? place,
            addresses: addresses,
            keepsHopByHop: options.keepsHopByHop
        )
        settings.concurrency = options.concurrency
        settings.timeoutNs = options.timeoutNs
        settings.requests = most
        settings.keeping = .all
        settings.mostBodyBytes = Self.mostContentBytes
        let replayer = Replayer(exchanges: exchanges, settings: settings)
        interruption.begin(replayer)
        defer { interruption.end() }
        var results: [ReplayResult] = []
        _ = try replayer.run(
            onResults: { results += $0 },
            onProgress: { _ in server?.watch() }
        )
        if interruption.hasCome { throw ExitNow(ExitStatus.interrupted) }
        return results
    }

    /// The answers by request.
    ///
    /// Of a server that died, what nobody was left to answer is left out: it says nothing about those
    /// requests.
    private func answers(_ results: [ReplayResult], hasDied: Bool) -> [Int64: TimedAnswer] {
        var found: [Int64: TimedAnswer] = [:]
        for var result in results {
            if killers.contains(result.exchangeID), result.outcome != .ok {
                // However its client came to see it.
                result.outcome = .reset
            } else if hasDied, [.refused, .reset].contains(result.outcome) {
                continue
            }
            found[result.exchangeID] = TimedAnswer(
                answer(result),
                serviceNs: Double(result.doneNs - result.sentNs)
            )
        }
        return found
    }

    private func answer(_ result: ReplayResult) -> ObservedAnswer {
        let captured = byID[result.exchangeID]?.responseBody
        let content = result.differingBody?.bytes ?? captured?.bytes ?? []
        let size = result.differingBody?.size ?? captured?.size ?? 0
        return ObservedAnswer(
            outcome: result.outcome,
            status: Int(result.status),
            head: result.head ?? [],
            content: content,
            isWhole: Int(size) == content.count
        )
    }
}
