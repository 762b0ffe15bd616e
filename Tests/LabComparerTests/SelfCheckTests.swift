import LabExchange
import LabTestSupport
import Testing

@testable import LabComparer

/// A comparison of a build with itself in which each planted fault must be named, and nothing else.
@Suite struct SelfCheckTests {
    /// Three routes, fifteen requests each.
    private static let requests = Array(SyntheticBuild.requests.prefix(45))

    /// A self-check of a synthetic build, as `lab compare --self-check` does it.
    private func check(
        rounds: Int = 14,
        seed: UInt64 = 1,
        rules: RuleBook = RuleBook(),
        failsOn: Set<ReasonKind> = Set(ReasonKind.allCases),
        candidate: SyntheticBuild = SyntheticBuild(),
        passesInconclusive: Bool = false,
        _ change: (inout ArmRecord) -> Void = { _ in }
    ) -> SelfCheckResult {
        var settings = ComparisonSettings()
        settings.looks = Looks(first: rounds, most: rounds)
        settings.failsOn = failsOn
        var check = SelfCheck(
            requests: Self.requests,
            settings: settings,
            rules: rules
        )
        var random = SplitMix64(seed: seed)
        func run(_ build: SyntheticBuild) -> ArmRecord {
            var record = build.run(&random)
            record.answers = record.answers.filter { $0.key < 45 }
            change(&record)
            return record
        }
        for _ in 0..<rounds {
            check.add(
                ComparedRound(
                    order: Arm.allCases,
                    arms: [
                        .baseline: run(SyntheticBuild()), .candidate: run(candidate),
                        .control: run(SyntheticBuild()),
                    ]
                )
            )
        }
        let ids = check.unconfirmed
        check.confirm(
            (0..<3).map { _ in
                func answers(_ build: SyntheticBuild) -> [Int64: ObservedAnswer] {
                    run(build).answers.filter { ids.contains($0.key) }.mapValues(\.answer)
                }
                return SentAgain(
                    baseline: answers(SyntheticBuild()),
                    candidate: answers(candidate)
                )
            }
        )
        return check.judge(look: 0, passesInconclusive: passesInconclusive)
    }

    @Test func `each planted fault is named, and the build against itself names nothing`() {
        for seed: UInt64 in 1...2 {
            let result = check(seed: seed)
            #expect(result.control.verdict == .pass && result.control.reasons.isEmpty)
            let missing = result.rows.filter { $0.state != .found }
            #expect(missing.isEmpty, "\(missing)")
            #expect(result.rows.count == 15 && Set(result.rows.map(\.kind)).count == 6)
            #expect(result.rows.allSatisfy { $0.planted > 0 })
            #expect(result.verdict == .pass && result.verdict.exitCode == 0)
            let wantsMore = result.wantsMore
            #expect(!wantsMore)
        }
    }

    @Test func `what the rules forgive everywhere is not found, and that is said`() {
        let rule = Rule(endpoint: "*", path: "*", action: .ignore, reason: "we never look")
        let result = check(rules: RuleBook(rules: [rule], today: "2026-11-25"))
        let answers = result.rows.filter { $0.kind == .content || $0.kind == .errors }
        #expect(answers.allSatisfy { $0.state != .found && $0.planted > 0 }, "\(answers)")
        let forgiven = answers.filter { $0.evidence.contains("the rules forgive it") }
        #expect(forgiven.count == 6 && forgiven.allSatisfy { $0.state == .missed && !$0.isOpen })
        #expect(result.rows.filter { $0.kind == .process }.allSatisfy { $0.state == .found })
        #expect(result.verdict == .blind && result.verdict.exitCode == 1)
    }

    @Test func `a rule for one place has the fault planted on another`() {
        let rule = Rule(
            endpoint: "*",
            path: "header cache-control",
            action: .ignore,
            reason: "the cache in front sets it"
        )
        let result = check(rules: RuleBook(rules: [rule], today: "2026-11-25"))
        let row = result.rows.first { $0.fault == "a header left out" }
        #expect(row?.state == .found && row?.sign != "header cache-control is missing")
        #expect(result.verdict == .pass)
    }

    @Test func `too few rounds to tell are no proof`() {
        let result = check(rounds: 2)
        let latency = result.rows.first { $0.kind == .latency }
        #expect(latency?.state == .inconclusive)
        // What comes by its rate would have passed.
        #expect(result.rows.first { $0.fault == "errors now and then" }?.state != .found)
        #expect(result.verdict != .pass && result.verdict.exitCode != 0)
        // Where the inconclusive passes, what can't be told is not seen.
        let open = check(rounds: 2, passesInconclusive: true)
        #expect(open.rows.first { $0.kind == .latency }?.state == .missed)
        #expect(open.verdict == .blind)
    }

    @Test func `a build that differs from itself is a false alarm`() {
        let result = check(candidate: SyntheticBuild(fault: .lostHeader))
        #expect(result.control.verdict == .regression)
        #expect(result.verdict == .alarmed && result.verdict.exitCode == 1)
    }

    @Test func `what is not asked or not seen is told, and is not planted`() {
        let content = check(failsOn: [.content])
        #expect(content.rows.filter { $0.kind != .content }.allSatisfy { $0.state == .notAsked })
        #expect(content.planted.count == 4 && content.verdict == .pass)
        // Servers that run already: no processes.
        let unseen = check(failsOn: [.content, .process]) { $0.cost = nil }
        let row = unseen.rows.first { $0.kind == .process }
        #expect(row?.state == .notAsked && row?.evidence.contains("runs already") == true)
        #expect(unseen.verdict == .pass)
        // Nothing at all is left to be planted.
        let nothing = check(failsOn: [.cpu]) { $0.cost = nil }
        #expect(nothing.verdict == .nothing && nothing.verdict.exitCode == 4)
    }

    @Test func `plain text has words to change, and no members`() {
        let result = check(failsOn: [.content]) { record in
            for id in record.answers.keys {
                record.answers[id]?.answer.head = Array(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nServer: it\r\n\r\n".utf8
                )
                record.answers[id]?.answer.content = Array("the same old story\n".utf8)
            }
        }
        let states = Dictionary(uniqueKeysWithValues: result.rows.map { ($0.fault, $0.state) })
        #expect(states["a member renamed"] == .nowhere)
        #expect(states["a value of another type"] == .nowhere)
        #expect(states["a header left out"] == .found && states["another value"] == .found)
        #expect(result.verdict == .pass)
    }

    @Test func `no answers are nothing to compare`() {
        let result = check { $0.answers = [:] }
        #expect(result.verdict == .nothing && result.verdict.exitCode == 4)
    }

    @Test func `a fault changes what it says, and only that`() throws {
        let answer = ObservedAnswer(
            outcome: .ok,
            status: 200,
            head: Array("HTTP/1.1 200 OK\r\nETag: \"a\"\r\nAge: 1\r\n\r\n".utf8),
            content: Array(#"{"items": [{"price": 3, "name": "x"}], "more": true}"#.utf8)
        )
        func content(_ change: AnswerChange) -> String {
            String(decoding: change.applied(to: answer).content ?? [], as: UTF8.self)
        }
        let price = JSONPath(steps: [
            .member(Array("items".utf8)), .first, .member(Array("price".utf8)),
        ])
        let document = try #require(JSONDocument((answer.content ?? [])[...]))
        let paths = JSONPath.scalars(of: document, most: 10)
        #expect(paths.count == 3 && paths.contains(price))
        #expect(
            content(.retype(price)) == #"{"items": [{"price": "3", "name": "x"}], "more": true}"#
        )
        #expect(
            content(.rename(price)) == #"{"items": [{"planted": 3, "name": "x"}], "more": true}"#
        )
        #expect(
            content(.revalue(price)) == #"{"items": [{"price": 4711, "name": "x"}], "more": true}"#
        )
        let head = AnswerChange.dropHeader("etag").applied(to: answer).head
        #expect(String(decoding: head, as: UTF8.self) == "HTTP/1.1 200 OK\r\nAge: 1\r\n\r\n")
        // What is not there can't be changed.
        let other = JSONPath(steps: [.member(Array("none".utf8))])
        #expect(AnswerChange.retype(other).applied(to: answer) == answer)
        #expect(AnswerChange.cutOff.applied(to: answer).outcome == .truncated)
        let refused = ObservedAnswer(outcome: .refused, status: 0)
        #expect(AnswerChange.status(500).applied(to: refused) == refused)
    }
}
