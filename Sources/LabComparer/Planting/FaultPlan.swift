// Which faults are planted, and where: a place is chosen that the old build's own answers agree on, so
// that what is planted there can be told from noise.

import LabExchange

/// One request and what the old build answered to it, twice or three times.
struct AnswerSample {
    var request: ComparedRequest
    var baseline: TimedAnswer
    var others: [TimedAnswer]
}

/// The faults that are planted into one comparison.
struct FaultPlan {
    /// A fault that is not planted.
    struct Omitted: Sendable {
        var name: String
        var kind: ReasonKind
        /// Whether the comparison was told not to look for it; else there is no place for it.
        var isNotAsked: Bool
        var why: String
    }

    private(set) var faults: [PlantedFault] = []
    private(set) var omitted: [Omitted] = []

    /// How many answers of a route are looked at for a place.
    static let samplesPerRoute = 20
    /// How many places of an answer are tried.
    private static let mostPlaces = 100
    /// How many times the threshold a planted change is.
    private static let thresholds = 6.0

    private let settings: ComparisonSettings
    private let samples: [(route: String, samples: [AnswerSample])]
    private let requests: [String: [Int64]]
    private let comparer: Comparer
    private var turn = 0

    /// Plans.
    ///
    /// - Parameters:
    ///   - samples: Some requests with the old build's answers.
    ///   - cost: What a server of the old build cost; nil where that was not seen.
    ///   - requests: All requests of a round.
    ///   - settings: How it is judged.
    ///   - comparer: A comparer with the rules, to ask what differs.
    init(
        samples: [AnswerSample],
        cost: ServerCost?,
        requests: [ComparedRequest],
        settings: ComparisonSettings,
        comparer: Comparer
    ) {
        self.settings = settings
        self.comparer = comparer
        self.requests = Dictionary(grouping: requests, by: \.route).mapValues { $0.map(\.id) }
        let counts = self.requests.mapValues(\.count)
        // Routes with many requests first: most of the traffic is theirs.
        self.samples = Dictionary(grouping: samples, by: \.request.route)
            .sorted { (counts[$1.key] ?? 0, $0.key) < (counts[$0.key] ?? 0, $1.key) }
            .map { (route: $0.key, samples: $0.value) }
        planErrors(among: requests.count)
        planContent()
        planLatency()
        planCosts(cost)
    }

    // MARK: Answers

    private mutating func planErrors(among count: Int) {
        planAnswers("a server error", .errors, [.status], every: 3) { _ in [.status(500)] }
        planAnswers("an answer cut off", .errors, [.outcome], every: 3) { _ in [.cutOff] }
        let name = "errors now and then"
        guard asks(.errors, name), !samples.isEmpty else { return }
        let share = min(1, max(0.05, 3 / Double(max(1, count))))
        faults.append(
            PlantedFault(
                name: name,
                kind: .errors,
                route: nil,
                sign: "status \(DifferenceKind.status.words)",
                change: .atRandom(.status(500), share: share, seed: settings.seed)
            )
        )
    }

    private mutating func planContent() {
        planAnswers("a header left out", .content, [.missing], every: 2) { sample in
            ResponseFields(sample.head).names.map { .dropHeader($0) }
        }
        planAnswers("a value of another type", .content, [.type], every: 2) { sample in
            Self.paths(sample).map { .retype($0) }
        }
        planAnswers("a member renamed", .content, [.missing], every: 2) { sample in
            Self.paths(sample).map { .rename($0) }
        }
        planAnswers("another value", .content, [.value], every: 2) { sample in
            let paths = Self.paths(sample)
            return paths.isEmpty
                ? Self.words(sample).map { .reword($0) } : paths.map { .revalue($0) }
        }
    }

    /// Plans a fault of answers, on the first route in turn that has a place for it.
    private mutating func planAnswers(
        _ name: String,
        _ kind: ReasonKind,
        _ kinds: Set<DifferenceKind>,
        every: Int,
        _ proposals: (ObservedAnswer) -> [AnswerChange]
    ) {
        guard asks(kind, name) else { return }
        let start = turn
        turn += 1
        var hidden: PlantedFault?
        for offset in samples.indices {
            let (route, samples) = samples[(start + offset) % samples.count]
            let all = requests[route] ?? []
            let chosen = Set(all.indices.filter { $0 % every == 0 }.map { all[$0] })
            guard
                let sample = samples.first(where: {
                    chosen.contains($0.request.id) && $0.baseline.answer.outcome == .ok
                })
            else { continue }
            let noise = noise(of: samples)
            for change in proposals(sample.baseline.answer).prefix(Self.mostPlaces) {
                let answer = sample.baseline.answer
                let changed = change.applied(to: answer)
                func fault(_ difference: Difference?) -> PlantedFault? {
                    guard let key = difference?.key, !noise.contains(key) else { return nil }
                    return PlantedFault(
                        name: name,
                        kind: kind,
                        route: route,
                        sign: "\(key.place) \(key.kind.words)",
                        change: .answers(change, of: chosen)
                    )
                }
                func isWanted(_ difference: Difference) -> Bool {
                    kinds.contains(difference.key.kind) && difference.severity.gates
                }
                let seen = comparer.differences(route: route, answer, changed)
                if let found = fault(seen.first(where: isWanted)) {
                    faults.append(found)
                    return
                }
                let bare = AnswerComparison.differences(answer, changed, rules: .none)
                hidden = hidden ?? fault(bare.differences.first(where: isWanted))
            }
        }
        if var hidden {
            // It is planted all the same, to show that nobody would see it.
            hidden.isForgiven = true
            faults.append(hidden)
        } else {
            omit(name, kind, "no answer has a place for it on which the baseline's own agree")
        }
    }

    /// Where the old build's answers differ from themselves.
    private func noise(of samples: [AnswerSample]) -> Set<DifferenceKey> {
        var found: Set<DifferenceKey> = []
        for sample in samples {
            for other in sample.others {
                let list = AnswerComparison.differences(
                    sample.baseline.answer,
                    other.answer,
                    rules: .none
                )
                found.formUnion(list.differences.map(\.key))
            }
        }
        return found
    }

    private static func paths(_ answer: ObservedAnswer) -> [JSONPath] {
        guard let plain = PlainContent(answer), let document = JSONDocument(plain.bytes) else {
            return []
        }
        return JSONPath.scalars(of: document, most: mostPlaces)
    }

    /// Words of a text, each once.
    private static func words(_ answer: ObservedAnswer) -> [[UInt8]] {
        guard let plain = PlainContent(answer) else { return [] }
        func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) }
        var found: [[UInt8]] = []
        for word in plain.bytes.split(whereSeparator: { !isLetter($0) }) where word.count >= 2 {
            let word = Array(word)
            if !found.contains(word) { found.append(word) }
            if found.count == mostPlaces { break }
        }
        return found
    }

    // MARK: Times and costs

    private mutating func planLatency() {
        let name = "slower answers"
        guard asks(.latency, name) else { return }
        let route = samples.first { _, samples in
            samples.contains { $0.baseline.answer.outcome == .ok }
        }
        guard let (route, samples) = route else {
            return omit(name, .latency, "no request was answered")
        }
        // As the judge does it: routes with few requests are one.
        let rare = requests.filter { $0.value.count < settings.leastRequests }
        let isTogether = rare[route] != nil && rare.count > 1
        let ids = isTogether ? rare.values.flatMap { $0 } : requests[route] ?? []
        let typical = Center.median(samples.map(\.baseline.serviceNs)) ?? 0
        faults.append(
            PlantedFault(
                name: name,
                kind: .latency,
                route: isTogether ? ShiftJudge.others : route,
                sign: "\(Measure.latency.words) +",
                change: .slower(
                    ns: max(Self.thresholds * settings.threshold * typical, 4 * settings.leastNs),
                    of: Set(ids)
                )
            )
        )
    }

    private mutating func planCosts(_ cost: ServerCost?) {
        let names: [(Measure, String)] = [
            (.cpu, "more CPU time"), (.memory, "more memory"), (.minorFaults, "more minor faults"),
            (.majorFaults, "more major faults"),
        ]
        for (measure, name) in names
        where asks(measure.kind, name) && sees(cost, measure.kind, name) {
            faults.append(
                PlantedFault(
                    name: name,
                    kind: measure.kind,
                    route: nil,
                    sign: "\(measure.words) +",
                    change: .cost(
                        measure,
                        share: Self.thresholds * settings.threshold(of: measure),
                        amount: 3 * settings.least(of: measure)
                    )
                )
            )
        }
        let ends: [(String, String, PlantedFault.Change)] = [
            ("a zombie", "zombies were left standing", .zombie),
            ("an orphan", "outlived their parent", .orphan),
            ("a death", "the server died", .death),
        ]
        for (name, sign, change) in ends where asks(.process, name) && sees(cost, .process, name) {
            faults.append(
                PlantedFault(name: name, kind: .process, route: nil, sign: sign, change: change)
            )
        }
    }

    // MARK: What is left out

    private mutating func asks(_ kind: ReasonKind, _ name: String) -> Bool {
        guard !settings.failsOn.contains(kind) else { return true }
        let why =
            settings.isStored && kind != .content && kind != .errors
            ? "stored replays do not tell it" : "--fail-on leaves it out"
        omitted.append(Omitted(name: name, kind: kind, isNotAsked: true, why: why))
        return false
    }

    private mutating func sees(_ cost: ServerCost?, _ kind: ReasonKind, _ name: String) -> Bool {
        guard cost == nil else { return true }
        let why = "the processes of a server that runs already are not seen"
        omitted.append(Omitted(name: name, kind: kind, isNotAsked: true, why: why))
        return false
    }

    private mutating func omit(_ name: String, _ kind: ReasonKind, _ why: String) {
        omitted.append(Omitted(name: name, kind: kind, isNotAsked: false, why: why))
    }
}
