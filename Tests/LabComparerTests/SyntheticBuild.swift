// A build in a few lines: what it answers, with the noise that real ones have, and a planted fault.

import LabExchange
import LabTestSupport
import RealModule

@testable import LabComparer

/// A build under test, without a process.
struct SyntheticBuild {
    /// What is wrong with it.
    enum Fault: CaseIterable {
        case none, textPrice, lostHeader, someErrors, slowRoute, hungryForCPU, leaksZombies
        case diesAtOneRequest, newForm, addsField, touchesPages, readsPagesAgain
    }

    var fault = Fault.none
    /// How much each request's time spreads, as a logarithm.
    var deviation = 0.15

    /// The requests: three routes, forty requests each.
    static let requests = (0..<120).map { index in
        ComparedRequest(
            id: Int64(index),
            route: ["GET /items/{id}", "GET /list", "GET /page"][index % 3]
        )
    }

    /// One arm of one round: a fresh server.
    func run(_ random: inout SplitMix64) -> ArmRecord {
        let instance = String(UInt32.random(in: .min ... .max, using: &random), radix: 16)
        let mood = 0.02 * normal(&random)
        var answers: [Int64: TimedAnswer] = [:]
        for request in Self.requests {
            var answer = self.answer(request, instance, &random)
            if fault == .diesAtOneRequest, request.id == 42 {
                answer = ObservedAnswer(outcome: .reset, status: 0)
            }
            var time = 5e6 * Double.exp(mood + deviation * normal(&random))
            if fault == .slowRoute, request.route == "GET /list" { time *= 1.3 }
            answers[request.id] = TimedAnswer(answer, serviceNs: time)
        }
        let cpu = 1e6 * (fault == .hungryForCPU ? 1.25 : 1) * Double.exp(0.02 * normal(&random))
        let faults = fault == .touchesPages ? 1.6 : 1
        let reads = fault == .readsPagesAgain ? 900 : 0
        return ArmRecord(
            answers: answers,
            cost: ServerCost(
                cpuUs: cpu,
                residentKib: 20_000 + Double.random(in: 0..<500, using: &random),
                minorFaults: Int(9000 * faults * Double.exp(0.06 * normal(&random))),
                majorFaults: reads + Int.random(in: 0..<60, using: &random),
                zombies: fault == .leaksZombies ? 1 : 0
            )
        )
    }

    private func answer(
        _ request: ComparedRequest,
        _ instance: String,
        _ random: inout SplitMix64
    ) -> ObservedAnswer {
        func number(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
        if fault == .someErrors, number(50) == 0 {
            return ObservedAnswer(outcome: .ok, status: 500, head: [], content: [])
        }
        var price = "\(request.id * 7)"
        if fault == .textPrice, number(50) == 0 { price = "\"\(price)\"" }
        let tags = ["red", "green", "blue"].shuffled(using: &random)
            .map { "\"\($0)\"" }.joined(separator: ",")
        let members = [
            "\"id\":\(request.id)", "\"price\":\(price)", "\"tags\":[\(tags)]",
            "\"at\":\(fault == .newForm ? "\"now\"" : "\(1_700_000_000 + number(1_000_000))")",
            "\"instance\":\"\(instance)\"",
        ]
        let extra = fault == .addsField ? ",\"more\":1" : ""
        let content = "{" + members.shuffled(using: &random).joined(separator: ",") + extra + "}"
        let etag = fault == .lostHeader ? "" : "Cache-Control: no-store\r\n"
        let head =
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\(etag)"
            + "Date: Wed, 25 Nov 2026 20:13:\(10 + number(50)) GMT\r\n"
            + "X-Request-Id: \(number(1_000_000))\r\n\r\n"
        return ObservedAnswer(
            outcome: .ok,
            status: 200,
            head: Array(head.utf8),
            content: Array(content.utf8)
        )
    }

    private func normal(_ random: inout SplitMix64) -> Double {
        let first = Double.random(in: Double.leastNonzeroMagnitude..<1, using: &random)
        let second = Double.random(in: 0..<1, using: &random)
        return (-2 * Double.log(first)).squareRoot() * Double.cos(2 * .pi * second)
    }
}

/// A comparison of two synthetic builds, as `lab compare` does it.
struct SyntheticComparison {
    var comparison: Comparison
    var rounds: Int

    init(
        _ candidate: SyntheticBuild,
        baseline: SyntheticBuild = SyntheticBuild(),
        seed: UInt64,
        rules: RuleBook = RuleBook(),
        settings: ComparisonSettings = ComparisonSettings()
    ) {
        var random = SplitMix64(seed: seed)
        var comparer = Comparer(
            requests: SyntheticBuild.requests,
            settings: settings,
            rules: rules
        )
        var result: Comparison?
        for (look, count) in settings.looks.rounds.enumerated() {
            while comparer.rounds < count {
                comparer.add(
                    ComparedRound(
                        order: [.baseline, .candidate, .control],
                        arms: [
                            .baseline: baseline.run(&random), .candidate: candidate.run(&random),
                            .control: baseline.run(&random),
                        ]
                    )
                )
            }
            // Sent again alone: by the same route, thrice.
            for (route, key, ids) in comparer.unconfirmed {
                let again = ids.contains { id in
                    (0..<3).allSatisfy { _ in
                        let (one, other) = (baseline.run(&random), candidate.run(&random))
                        guard let before = one.answers[id], let after = other.answers[id] else {
                            return false
                        }
                        return comparer.differences(route: route, before.answer, after.answer)
                            .contains { $0.key == key }
                    }
                }
                comparer.confirm(route: route, key: key, again ? .reproducible : .notReproduced)
            }
            let judged = comparer.judge(look: look, tellsTails: false)
            result = judged
            if judged.verdict != .inconclusive, !judged.wantsMore { break }
        }
        comparison = result ?? comparer.judge(look: 0)
        rounds = comparer.rounds
    }

    /// The reasons, a line each.
    var reasons: [String] {
        comparison.reasons.map { "\($0.kind.rawValue) \($0.route ?? "server") \($0.what)" }
    }
}
