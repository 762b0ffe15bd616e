import LabExchange
import LabTestSupport
import Testing

@testable import LabComparer

/// Whole comparisons of builds whose faults are known.
@Suite struct ComparerTests {
    @Test func `identical builds pass, however noisy their answers are`() {
        let verdicts = (0..<8).map {
            SyntheticComparison(SyntheticBuild(), seed: UInt64($0)).comparison.verdict
        }
        #expect(!verdicts.contains(.regression))
        #expect(verdicts.filter { $0 == .pass }.count >= 7, "\(verdicts)")
    }

    @Test(arguments: [
        (SyntheticBuild.Fault.lostHeader, "content", "header cache-control is missing"),
        (.newForm, "content", "body.at is of another type"),
        (.hungryForCPU, "cpu", "CPU time"),
        (.touchesPages, "memory", "minor page faults +"),
        (.readsPagesAgain, "memory", "major page faults +"),
        (.leaksZombies, "process", "zombies were left standing"),
        (.slowRoute, "latency", "latency +"),
        (.diesAtOneRequest, "errors", "outcome differs"),
        (.textPrice, "content", "body.price is of another type"),
        (.someErrors, "errors", "status differs"),
    ])
    func `each planted fault is found and named, and nothing else is`(
        fault: SyntheticBuild.Fault,
        kind: String,
        what: String
    ) {
        for seed in 100..<102 {
            let end = SyntheticComparison(SyntheticBuild(fault: fault), seed: UInt64(seed))
            #expect(end.comparison.verdict == .regression, "\(end.reasons)")
            #expect(
                end.reasons.allSatisfy { $0.hasPrefix(kind) && $0.contains(what) }
                    && !end.reasons.isEmpty,
                "\(end.reasons)"
            )
            if fault == .slowRoute || fault == .diesAtOneRequest {
                #expect(Set(end.comparison.reasons.map(\.route)).count == 1)
            }
        }
    }

    @Test func `a field more is told and is no regression, unless one is strict`() {
        let build = SyntheticBuild(fault: .addsField)
        let end = SyntheticComparison(build, seed: 7)
        #expect(end.comparison.verdict == .pass)
        #expect(
            end.comparison.findings.contains { $0.key.place == "body.more" && $0.state == .change }
        )
        var settings = ComparisonSettings()
        settings.isStrict = true
        let strict = SyntheticComparison(build, seed: 7, settings: settings)
        #expect(strict.comparison.verdict == .regression)
    }

    @Test func `a rule makes a finding go, and is counted`() {
        let rule = Rule(
            endpoint: "*",
            path: "header cache-control",
            action: .ignore,
            reason: "it moved to the cache in front"
        )
        let end = SyntheticComparison(
            SyntheticBuild(fault: .lostHeader),
            seed: 8,
            rules: RuleBook(rules: [rule], today: "2026-11-25")
        )
        #expect(end.comparison.verdict == .pass)
        #expect(end.comparison.ruleUse == [end.rounds * 120])
    }

    @Test func `the noise that was learned is listed with its counts`() {
        let end = SyntheticComparison(SyntheticBuild(), seed: 9)
        let noise = end.comparison.findings.filter { $0.state == .noise }.map(\.key.place)
        for place in ["body.at", "body.tags", "body.instance"] { #expect(noise.contains(place)) }
        #expect(end.comparison.findings.allSatisfy { $0.examples.count <= 5 })
    }

    @Test func `nothing in common is nothing to compare, and little in common is inconclusive`() {
        var comparer = Comparer(
            requests: SyntheticBuild.requests,
            settings: ComparisonSettings(),
            rules: RuleBook()
        )
        let empty = ArmRecord(answers: [:])
        comparer.add(
            ComparedRound(
                order: [.candidate, .baseline],
                arms: [.baseline: empty, .candidate: empty, .control: empty]
            )
        )
        #expect(comparer.judge(look: 0, tellsTails: false).verdict == .nothing)

        var random = SplitMix64(seed: 1)
        var half = SyntheticBuild().run(&random)
        let whole = SyntheticBuild().run(&random)
        half.answers = half.answers.filter { $0.key < 60 }
        var other = Comparer(
            requests: SyntheticBuild.requests,
            settings: ComparisonSettings(),
            rules: RuleBook()
        )
        for _ in 0..<10 {
            other.add(
                ComparedRound(
                    order: Arm.allCases,
                    arms: [.baseline: whole, .candidate: half, .control: whole]
                )
            )
        }
        let end = other.judge(look: 0, tellsTails: false)
        #expect(end.verdict == .inconclusive)
        #expect(end.reasons.contains { $0.what == "too little was compared" })
    }

    @Test func `page faults that are few or come in one burst are nobody's fault`() {
        var settings = ComparisonSettings()
        settings.looks = Looks(first: 10, most: 10)
        var comparer = Comparer(
            requests: SyntheticBuild.requests,
            settings: settings,
            rules: RuleBook()
        )
        var random = SplitMix64(seed: 3)
        let arms = Arm.allCases.map { ($0, SyntheticBuild().run(&random)) }
        for round in 0..<10 {
            var arms = Dictionary(uniqueKeysWithValues: arms)
            for arm in Arm.allCases {
                // None, or a handful; the candidate once many, when the kernel had dropped a file.
                arms[arm]?.cost?.minorFaults = arm == .candidate ? 700 : 3 * round
                arms[arm]?.cost?.majorFaults = arm == .candidate && round == 4 ? 9000 : 0
            }
            comparer.add(ComparedRound(order: Arm.allCases, arms: arms))
        }
        let end = comparer.judge(look: 0)
        let faults = end.shifts.filter { [.minorFaults, .majorFaults].contains($0.measure) }
        #expect(faults.map(\.verdict) == [.equivalent, .equivalent])
        #expect(end.reasons.allSatisfy { $0.kind != .memory }, "\(end.reasons)")
    }

    @Test func `one round alone never passes`() {
        var settings = ComparisonSettings()
        settings.looks = Looks(first: 1, most: 1)
        let end = SyntheticComparison(SyntheticBuild(), seed: 4, settings: settings)
        #expect(end.comparison.verdict == .inconclusive)
    }

    @Test func `verdicts have the exit codes of the contract`() {
        #expect(Verdict.allCases.map(\.exitCode) == [0, 1, 2, 3, 4])
    }
}
