// Could this comparison fire? The old build is compared with itself, and with itself with a fault in
// it, once for each fault.
//
//     rounds of the old build ──▶ Comparer: must name nothing
//              └── candidate's arm ▶ PlantedFault ▶ Comparer: must name it     (one for each)
//
// The faults are planted between what was seen of an arm and the judge, so all that judges is the very
// thing that judges a new build: rules, noise, thresholds, rounds. What is before it, the sending and
// the watching, was done for real.

import LabExchange

/// Plants faults into a comparison of a build with itself.
public struct SelfCheck: Sendable {
    private struct Planted: Sendable {
        let fault: PlantedFault
        var comparer: Comparer
        /// How many answers it changed; of a server's fault, how many arms.
        var count = 0
    }

    private let requests: [ComparedRequest]
    private let settings: ComparisonSettings
    /// The comparison in which nothing was planted.
    private var control: Comparer
    private var planted: [Planted] = []
    private var omitted: [FaultPlan.Omitted] = []
    private var isPlanned = false

    /// Makes a check; what it is given is what a comparison would be.
    public init(requests: [ComparedRequest], settings: ComparisonSettings, rules: RuleBook) {
        self.requests = requests
        self.settings = settings
        control = Comparer(requests: requests, settings: settings, rules: rules)
    }

    /// How many rounds there were.
    public var rounds: Int { control.rounds }

    /// How many questions of latency and cost are asked at once.
    public var questions: Int { control.questions }

    // MARK: Rounds

    /// Takes a round, of which all arms were the old build.
    public mutating func add(_ round: ComparedRound) {
        let (baseline, candidate) = (round.arms[.baseline], round.arms[.candidate])
        let answers = round.arms[.control]
        plan(cost: candidate?.cost) { [requests] sample in
            for request in requests {
                sample(
                    request,
                    baseline?.answers[request.id],
                    candidate?.answers[request.id],
                    answers?.answers[request.id]
                )
            }
        }
        control.add(round)
        let number = control.rounds
        for index in planted.indices {
            let fault = planted[index].fault
            var changed = round
            for (id, answer) in candidate?.answers ?? [:] {
                guard let new = fault.planted(in: answer, to: id, round: number) else { continue }
                planted[index].count += 1
                changed.arms[.candidate]?.answers[id] = new
            }
            if let cost = candidate?.cost, fault.isOfServer {
                changed.arms[.candidate]?.cost = fault.planted(in: cost)
                planted[index].count += 1
            }
            planted[index].comparer.add(changed)
        }
    }

    /// Chooses the faults, once, by answers of the old build.
    ///
    /// - Parameters:
    ///   - cost: What a server of it cost, where that was seen.
    ///   - each: Calls what it is given for each request with its answers at the three arms.
    public mutating func plan(
        cost: ServerCost? = nil,
        _ each: ((ComparedRequest, TimedAnswer?, TimedAnswer?, TimedAnswer?) -> Void) throws -> Void
    ) rethrows {
        guard !isPlanned else { return }
        isPlanned = true
        var samples: [AnswerSample] = []
        var counts: [String: Int] = [:]
        try each { request, baseline, candidate, control in
            guard let baseline, counts[request.route, default: 0] < FaultPlan.samplesPerRoute
            else { return }
            counts[request.route, default: 0] += 1
            samples.append(
                AnswerSample(
                    request: request,
                    baseline: baseline,
                    others: [candidate, control].compactMap { $0 }
                )
            )
        }
        let plan = FaultPlan(
            samples: samples,
            cost: cost,
            requests: requests,
            settings: settings,
            comparer: control
        )
        planted = plan.faults.map { Planted(fault: $0, comparer: control) }
        omitted = plan.omitted
    }

    /// Begins a round whose answers are given one by one.
    public mutating func beginRound(order: [Arm]) {
        control.beginRound(order: order)
        for index in planted.indices { planted[index].comparer.beginRound(order: order) }
    }

    /// Takes one request's answers of the round that was begun last; nil where there is none.
    public mutating func add(
        _ request: ComparedRequest,
        baseline: TimedAnswer?,
        candidate: TimedAnswer?,
        control answer: TimedAnswer?
    ) {
        control.add(request, baseline: baseline, candidate: candidate, control: answer)
        for index in planted.indices {
            let fault = planted[index].fault
            let new = candidate.flatMap { fault.planted(in: $0, to: request.id, round: rounds) }
            if new != nil { planted[index].count += 1 }
            planted[index].comparer.add(
                request,
                baseline: baseline,
                candidate: new ?? candidate,
                control: answer
            )
        }
    }

    // MARK: Confirming

    /// The requests that are to be sent again, alone.
    public var unconfirmed: Set<Int64> {
        Set(([control] + planted.map(\.comparer)).flatMap(\.unconfirmed).flatMap(\.exchangeIDs))
    }

    /// Takes note of what they were answered, each time at both arms.
    public mutating func confirm(_ again: [SentAgain]) {
        control.confirm(again)
        for index in planted.indices {
            let fault = planted[index].fault
            let changed = again.map { one in
                let answers = one.candidate.map { id, answer in
                    let timed = TimedAnswer(answer, serviceNs: 0)
                    return (id, fault.planted(in: timed, to: id, round: nil)?.answer ?? answer)
                }
                return SentAgain(
                    baseline: one.baseline,
                    candidate: Dictionary(uniqueKeysWithValues: answers)
                )
            }
            planted[index].comparer.confirm(changed)
        }
    }

    // MARK: Judging

    /// Judges what there is.
    ///
    /// - Parameters:
    ///   - look: Which look this is, from 0.
    ///   - passesInconclusive: Whether an inconclusive comparison would be let pass.
    /// - Returns: What became of each fault, and of the comparison in which there is none.
    public func judge(look: Int, passesInconclusive: Bool) -> SelfCheckResult {
        let rows = planted.map { one in
            let comparison = one.comparer.judge(look: look, tellsTails: false)
            return SelfCheckRow(
                one.fault,
                in: comparison,
                count: one.count,
                passesInconclusive: passesInconclusive
            )
        }
        return SelfCheckResult(
            control: control.judge(look: look, tellsTails: false),
            rows: rows + omitted.map { SelfCheckRow($0) },
            passesInconclusive: passesInconclusive
        )
    }
}
