import Foundation
import LabTestSupport
import Testing

/// What is left on record where processes are killed at any moment, under load.
@Suite struct KillTests {
    // MARK: Children

    /// A recording in which children were killed, and what its clients were answered.
    private struct Outcome {
        let lab: LabRecord
        let answers: [Load.Answer]
        /// The PIDs of those that were killed, each known to have lived at that moment.
        let killed: [Int32]
    }

    private func killChildren(_ count: Int, seed: UInt64) throws -> Outcome {
        let lab = try LabRecord()
        let server = try lab.forkServer()
        var random = SplitMix64(seed: seed)
        let load = Load(port: lab.port, clients: 12, name: "kill", seed: seed)
        var killed: [Int32] = []
        while killed.count < count {
            // Some go on meanwhile; and so that the moment is no answer's, a little later.
            guard load.awaitAnswers(Int.random(in: 0...6, using: &random)) else {
                throw Trouble("the server takes no connection")
            }
            let moment =
                ContinuousClock.now + .microseconds(Int.random(in: 0...1000, using: &random))
            while ContinuousClock.now < moment {}
            let children = ProcessFacts.children(of: server).filter { !$0.isZombie }
            let some = children.shuffled(using: &random)
                .prefix(min(Int.random(in: 1...6, using: &random), count - killed.count))
            killed += Self.kill(some.map(\.pid), childrenOf: server)
        }
        let answers = load.stop()
        #expect(load.refused == 0)
        #expect(try lab.get("/") == "Hello, World!")
        #expect(lab.stop().status == 0)
        return Outcome(lab: lab, answers: answers, killed: killed)
    }

    /// Sends SIGKILL to children that certainly live, and gives which these are.
    ///
    /// They are stopped first, wherever they are: then they neither end by themselves nor give their
    /// PIDs away.
    private static func kill(_ children: [Int32], childrenOf server: Int32) -> [Int32] {
        for child in children { Glibc.kill(child, SIGSTOP) }
        return children.filter { child in
            while let facts = ProcessFacts(child), !facts.isZombie {
                if facts.parent != server {
                    // Another process has its PID.
                    Glibc.kill(child, SIGCONT)
                    return false
                }
                if facts.state == "T" { return Glibc.kill(child, SIGKILL) == 0 }
                sched_yield()
            }
            return false
        }
    }

    @Test
    func `of a thousand children killed under load each is on record, and so is every answer`()
        throws
    {
        let outcome = try killChildren(1000, seed: 1)
        let lab = outcome.lab
        let stored = try Self.lines(lab, "SELECT target FROM exchange")
        #expect(Set(stored).count == stored.count)
        #expect(Set(outcome.answers.map(\.target)).subtracting(stored) == [])
        let dead = try Self.lines(
            lab,
            "SELECT pid FROM child WHERE fate = 'signalled' AND term_signal = 9 AND wait_status = 9"
        )
        #expect(dead.compactMap { Int32($0) }.sorted() == outcome.killed.sorted())
        // Nobody else came to harm.
        #expect(try lab.sql("SELECT count(*) FROM child WHERE wait_status NOT IN (0, 9)") == "0")
        let check = try Tool.run(Place.lab, "check", lab.session)
        #expect(check.status == 0, "\(check.output)")
    }

    @Test
    func `what a client was answered is on record with its status though the child was killed`()
        throws
    {
        let outcome = try killChildren(300, seed: 2)
        let answered = Set(
            try Self.lines(outcome.lab, "SELECT target FROM exchange WHERE status = 200")
        )
        let lost = Set(outcome.answers.map(\.target)).subtracting(answered)
        #expect(lost == [], "\(lost.count) of \(outcome.answers.count)")
    }

    private static func lines(_ lab: LabRecord, _ query: String) throws -> [String] {
        try lab.sql(query).split(separator: "\n").map(String.init)
    }

    // MARK: The recorder

    /// How old an answer is that a kill of the recorder must not take away.
    ///
    /// A commit comes at least every 50 ms. The rest is for a machine that runs compilers and other
    /// tests besides, for the child that sent the answer must get a CPU once more to tell of it, and
    /// then the recorder to write it down: of two cores with ten processes to run, what was lost was
    /// up to 140 ms old in most rounds of a hundred, and 254 in one.
    private static let age = Duration.milliseconds(500)

    /// What came of killing the recorders of one session, one after another.
    private struct Findings {
        /// What should not be.
        var complaints: [String] = []
        /// Answers that had to be on record when their recorder was killed.
        var demanded = 0
        /// Children whose end their recorder did not live to see.
        var unended = 0
    }

    @Test
    func `a hundred recorders killed under load lose nothing old and leave no process behind`()
        throws
    {
        let findings = try atOnce(4) { try Self.killRecorders(25, number: $0) }
        #expect(findings.flatMap(\.complaints) == [])
        // Else nothing was looked at.
        #expect(findings.allSatisfy { $0.demanded > 0 && $0.unended > 0 }, "\(findings)")
    }

    /// Kills recorders that each add to the same session.
    private static func killRecorders(_ count: Int, number: Int) throws -> Findings {
        let session = try Place.temporary().appendingPathComponent("session.db").path
        var random = SplitMix64(seed: UInt64(number))
        var findings = Findings()
        func expect(_ isSo: Bool, _ words: @autoclosure () -> String) {
            if !isSo { findings.complaints.append("session \(number): \(words())") }
        }
        for round in 0..<count {
            let lab = try LabRecord(["--append"], session: session)
            let name = "\(number)-\(round)"
            let load = Load(port: lab.port, clients: 2, name: name, seed: random.next())
            expect(load.awaitAnswers(1), "no answer in round \(round)")
            // Most die young; a third of them live long enough to be held to what they answered.
            let moment =
                ContinuousClock.now + (round % 3 == 0 ? age : .zero)
                + .microseconds(Int.random(in: 0...250_000, using: &random))
            while ContinuousClock.now < moment { load.awaitAnswers(1) }
            // The fork server was started with this port, and its children look as it does.
            let argument = "server=127.0.0.1:\(lab.port)"
            expect(!ProcessFacts.started(with: argument).isEmpty, "there is no fork server")
            let killedAt = ContinuousClock.now
            lab.signal(SIGKILL)
            expect(lab.finish().status == 128 + SIGKILL, "the recorder ended by itself")
            let answers = load.stop()
            expect(
                eventually { ProcessFacts.started(with: argument).isEmpty },
                "left \(ProcessFacts.started(with: argument)) behind"
            )
            let said = try lines(
                lab,
                """
                PRAGMA integrity_check; SELECT count(*) FROM child WHERE fate = 'running';
                SELECT target FROM exchange WHERE status = 200
                """
            )
            expect(said.first == "ok", "the file is damaged: \(said.first ?? "")")
            findings.unended += said.count > 1 ? Int(said[1]) ?? 0 : 0
            let old = answers.filter { $0.at + age <= killedAt }.map(\.target)
            findings.demanded += old.count
            let lost = Set(old).subtracting(said)
            expect(lost.isEmpty, "of \(old.count) lost \(lost)")
        }
        let last = try LabRecord(["--append"], session: session)
        let fates = try last.sql("SELECT sum(fate = 'unknown'), sum(fate = 'running') FROM child")
        expect(fates == "\(findings.unended)|0", "of \(findings.unended) unended: \(fates)")
        let open = try last.sql("SELECT count(*) FROM exchange WHERE outcome IS NULL")
        expect(open == "0", "\(open) exchanges have no end")
        expect(try last.get("/") == "Hello, World!", "the last recorder does not answer")
        expect(last.stop().status == 0, "the last recorder failed")
        return findings
    }
}
