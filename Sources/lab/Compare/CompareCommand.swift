// lab compare: two builds, the same requests, round after round, and a verdict.

import ArgumentParser
import CLabLinux
import Glibc
import LabComparer
import LabExchange
import LabReplayer
import LabReporter
import LabSession
import LabWire

struct CompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Say what a new build broke: content, errors, latency, CPU, memory, processes.",
        discussion: """
            Each round sends the session to three servers, in random order: the baseline, the candidate, \
            and the baseline again. What differs between the two baselines is noise; what the candidate \
            does in more rounds than they do, or each time it is asked, is a finding. Latency is judged \
            by the round against a practical threshold. It looks after --rounds and goes on to \
            --max-rounds while it can't tell.

            Give the builds as commands, in which {port} is where to listen (each arm then has a fresh \
            server, and its processes are watched), as URLs of servers that run, or as two stored \
            replays, of which content and errors are compared.

            --self-check shows whether such a comparison can fire: with the options that are given the \
            old build is compared with itself, which must name nothing, and with itself with a fault \
            planted in it, which must be named: other statuses, headers and members, answers that are \
            slower, costs, zombies, a death. Exit codes then: 0 all were found; 1 one would have passed, \
            or there was a false alarm; 3 it can't be told; 4 nothing to plant.

            Exit codes: 0 nothing regressed; 1 regression, every reason listed; 2 it could not be done; \
            3 inconclusive: too few rounds, a restless machine, too little answered; 4 nothing to \
            compare; 64 bad usage.
            """
    )

    @Argument(help: "The session whose requests are sent.")
    var session = "session.db"

    @OptionGroup(title: "Builds") var builds: BuildOptions
    @OptionGroup(title: "Sending") var sending: CompareSendingOptions
    @OptionGroup(title: "Judging") var judging: JudgingOptions
    @OptionGroup(title: "Output") var output: ComparisonOutputOptions

    @Flag(
        help: "Show that it can fire: compare the old build with itself, and with planted faults."
    )
    var selfCheck = false

    func validate() throws {
        try builds.validate()
        guard !selfCheck || output.isTextOrJSON else {
            throw ValidationError("--self-check writes text and JSON only.")
        }
    }

    func run() throws {
        do {
            try selfCheck ? checkItself() : compare()
        } catch let failure as Failure {
            try tellFailure(failure.sentence, failure.code)
            throw failure
        } catch let error where error is SessionError || error is ReplayError {
            try tellFailure("\(error)", ExitStatus.couldNot)
            throw error
        }
    }

    /// What could not be done has a verdict, too, for those who read no sentences.
    private func tellFailure(_ sentence: String, _ code: Int32) throws {
        guard code == ExitStatus.couldNot else { return }
        let reason = Reason(
            kind: .process,
            route: nil,
            what: "it could not be done",
            severity: "failed",
            evidence: sentence
        )
        try output.write(report(.failed(reason, seed: sending.seed), requests: 0), showsText: false)
    }

    /// Holds stored replays against each other.
    private func compareRuns() throws {
        let rules = try rules()
        let settings = storedSettings
        let reader = try SessionReader(session)
        let runs = try StoredRuns(
            reader,
            baseline: builds.runs[0],
            candidate: builds.runs[1],
            control: builds.controlRun
        )
        var comparer = Comparer(requests: [], settings: settings, rules: rules)
        comparer.notes = [
            "Stored replays were not interleaved, so latency is told and not judged."
        ]
        if builds.controlRun == nil {
            comparer.notes.append(
                "Without --control-run, a second replay of the old build, noise can't be told from change."
            )
        }
        comparer.beginRound(order: runs.arms)
        try runs.forEachRequest { comparer.add($0, baseline: $1, candidate: $2, control: $3) }
        try finish(
            comparer.judge(look: 0, tellsTails: false),
            rules,
            requests: try reader.exchangeCount(),
            port: try reader.recordings().last?.port ?? 80
        )
    }

    /// Tells a comparison, and ends with its code.
    private func finish(
        _ comparison: Comparison,
        _ rules: RuleBook,
        requests: Int,
        leftOut: [String] = [],
        port: Int
    ) throws {
        var told = report(comparison, requests: requests)
        told.leftOut = leftOut
        told.rules = rules.rules
        told.curls = try curls(comparison, port: port)
        try output.write(told, showsText: true)
        let isForgiven = comparison.verdict == .inconclusive && judging.inconclusive == .pass
        if isForgiven {
            complain("the answer is inconclusive, and --inconclusive pass lets it pass.")
        }
        let code = isForgiven ? 0 : comparison.verdict.exitCode
        if code != 0 { throw ExitNow(code) }
    }

    private func compare() throws {
        guard builds.runs.isEmpty else { return try compareRuns() }
        let rules = try rules()
        let selection = try sending.select(from: session)
        let settings = judging.settings(seed: sending.seed)
        let interruption = Interruption()
        let watch = SignalWatch { _ in interruption.come() }
        let runner = try runner(selection, try builds.targets(), interruption)
        let requests = requests(selection.exchanges)
        var comparer = Comparer(requests: requests, settings: settings, rules: rules)
        comparer.notes = notes(questions: comparer.questions, settings)
        let loop = CompareLoop(
            runner: runner,
            comparer: comparer,
            settings: settings,
            confirmations: judging.confirm
        )
        let comparison = try withExtendedLifetime(watch) { try loop.run() }
        try finish(
            comparison,
            rules,
            requests: requests.count,
            leftOut: selection.leftOut,
            port: builds.port ?? runner.port
        )
    }

    // MARK: What a comparison and a self-check share

    func rules() throws -> RuleBook {
        try judging.ruleBook(today: String(Moment.now.wall.prefix(10)))
    }

    /// The settings of judging stored replays.
    var storedSettings: ComparisonSettings {
        var settings = judging.settings(seed: sending.seed)
        settings.isStored = true
        settings.looks = Looks(first: 1, most: 1)
        // They were not interleaved: a time that differs may be the machine's.
        settings.failsOn.formIntersection([.content, .errors])
        return settings
    }

    func runner(
        _ selection: CompareSendingOptions.Selection,
        _ targets: [Arm: ArmTarget],
        _ interruption: Interruption
    ) throws -> ArmRunner {
        _ = clab_become_subreaper()
        return try ArmRunner(
            exchanges: selection.exchanges,
            targets: targets,
            options: sending.options(selection, builds: try builds.host()),
            interruption: interruption
        )
    }

    func requests(_ exchanges: [CapturedExchange]) -> [ComparedRequest] {
        exchanges.map { ComparedRequest(id: $0.id, route: routeName($0)) }
    }

    private func routeName(_ exchange: CapturedExchange) -> String {
        guard let head = try? RequestHead(parsing: exchange.requestHead, limits: .wide) else {
            return "?"
        }
        return "\(String(decoding: head.method, as: UTF8.self)) \(route(ofTarget: head.target))"
    }

    /// What is settled before the first round: whether so few can tell at all.
    func notes(questions: Int, _ settings: ComparisonSettings) -> [String] {
        let needed = RoundsNeeded.fewest(
            questions: questions,
            alpha: settings.alpha * settings.looks.share(at: settings.looks.rounds.count - 1)
        )
        let most = settings.looks.rounds.last ?? 0
        let sentence =
            "\(questions) questions of latency and cost are asked at once: at least \(needed) "
            + "rounds are needed to call one a regression."
        if needed > most {
            complain(
                "\(sentence) With --max-rounds \(most) the answer can't be a regression of latency."
            )
        }
        return [sentence]
    }

    // MARK: Telling

    private func report(_ comparison: Comparison, requests: Int) -> ComparisonReport {
        ComparisonReport(
            comparison,
            session: session,
            baseline: builds.baseline,
            candidate: builds.candidate,
            requests: requests,
            concurrency: sending.concurrency,
            threshold: judging.threshold.share,
            alpha: judging.alpha
        )
    }

    /// A command for each example, at the port that the builds were started on.
    private func curls(_ comparison: Comparison, port: Int) throws -> [Int64: String] {
        let reader = try SessionReader(session)
        var found: [Int64: String] = [:]
        for finding in comparison.findings where finding.state != .noise {
            for example in finding.examples.prefix(1) where found[example.exchangeID] == nil {
                var detail = try reader.exchange(example.exchangeID)
                detail.recording?.host = "127.0.0.1"
                detail.recording?.port = port
                found[example.exchangeID] = CurlCommand(detail).command
            }
        }
        return found
    }
}

extension HeadLimits {
    /// What was let pass when it was captured is read again.
    static let wide = HeadLimits(headBytes: .max, targetBytes: .max, fields: .max)
}
