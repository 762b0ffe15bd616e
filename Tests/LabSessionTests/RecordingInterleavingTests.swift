// A thousand connections at once, their frames in any order that the socket allows.

import GRDB
import LabExchange
import LabSession
import Testing

/// A linear congruential generator of Knuth's: the same numbers for the same seed.
private struct Dice: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        // The low bits of such a generator are poor.
        let high = state >> 32
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return high << 32 | state >> 32
    }

    mutating func roll(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &self) }
}

/// How a visit ends.
private enum Ending: CaseIterable {
    case clean, quits, fails, crashes, isKilled, lives

    /// What `wait4` gives, and what the parent makes of it; nil for a child that is not reaped.
    var reaping: (status: Int32, fate: ChildFate)? {
        switch self {
        case .clean, .quits: (0, .exited)
        case .fails: (7 << 8, .exited)
        case .crashes: (11 | 0x80, .signalled)
        case .isKilled: (9, .timedOut)
        case .lives: nil
        }
    }

    /// The columns exit_code, term_signal, core_dumped and fate.
    var columns: String {
        switch self {
        case .clean, .quits: "0 - 0 exited"
        case .fails: "7 - 0 exited"
        case .crashes: "- 11 1 signalled"
        case .isKilled: "- 9 0 timed_out"
        case .lives: "- - - unknown"
        }
    }

    func outcome(of pid: Int32) -> String? {
        switch self {
        case .clean: nil
        case .lives: "child_died the recording ended before the child's end was seen"
        case .quits: "app_error child \(pid) exited with 0 before it had answered"
        case .fails: "child_died child \(pid) exited with 7 before it had answered"
        case .crashes:
            "child_died child \(pid) was ended by signal 11 while it served this request"
        case .isKilled:
            "child_died child \(pid) was ended by signal 9 for taking too long over this request"
        }
    }
}

/// One connection of the crowd: what it says, and the rows that must come of it.
private struct Member {
    let visit: Visit
    let ending: Ending
    let askings: [Asking]
    /// How many of the child's frames come.
    let heard: Int
    private(set) var said = 0
    private(set) var parentHasSpoken = false
    private(set) var isOver = false
    /// The numbers that its exchanges get, in their order.
    private(set) var exchangeIDs: [Int64] = []

    private let child: [Frame]

    init(_ connection: Int64, _ dice: inout Dice) {
        let visit = Visit(connection: connection)
        ending = Ending.allCases[dice.roll(0...5)]
        askings = (0..<dice.roll(0...3)).map { place in
            Asking(
                sequence: Int32(place + 1),
                target: "/of/\(connection)/\(place)",
                content: (0..<dice.roll(0...2)).map { "\($0) asked \(dice.roll(1...50))" },
                answer: (0..<dice.roll(0...2)).map { "\($0) answered by \(connection)" },
                outcome: ExchangeOutcome.allCases[dice.roll(0...9)]
            )
        }
        self.visit = visit
        child = [visit.started] + askings.flatMap { visit.frames($0) } + [visit.ending]
        heard = ending == .clean ? child.count : dice.roll(0...child.count - 1)
    }

    /// The next frame, of the parent or of the child, whoever is the faster.
    mutating func next(_ dice: inout Dice, _ nextExchangeID: inout Int64) -> Frame? {
        let childIsDone = said == heard
        if childIsDone, parentHasSpoken {
            isOver = true
            return ending.reaping.map { visit.reaped($0.status, $0.fate) }
        }
        if !parentHasSpoken, childIsDone || dice.roll(0...3) == 0 {
            parentHasSpoken = true
            return visit.forked
        }
        defer { said += 1 }
        if case .requestHead = child[said] {
            exchangeIDs.append(nextExchangeID)
            nextExchangeID += 1
        }
        return child[said]
    }

    var childLine: String {
        let visit = visit
        let usage = visit.usage
        let isReaped = ending.reaping != nil
        var words = ["\(visit.connection) \(visit.pid) 4000 \(visit.at(2)) \(visit.at(3))"]
        words.append(heard > 0 ? "\(visit.at(4))" : "-")
        words.append(ending == .clean ? "\(visit.at(901))" : "-")
        words.append(isReaped ? "\(visit.at(902)) \(visit.at(903))" : "- -")
        words.append(ending.reaping.map { "\($0.status)" } ?? "-")
        words.append(ending.columns.split(separator: " ").dropLast().joined(separator: " "))
        words.append(
            isReaped ? "\(usage.userCPUUs) \(usage.systemCPUUs) \(usage.maxRSSKiB)" : "- - -"
        )
        words.append(heard > 0 ? "\(3000 + visit.connection)" : "-")
        words.append(
            isReaped
                ? "\(usage.minorFaults) \(usage.majorFaults) \(usage.voluntarySwitches) "
                    + "\(usage.involuntarySwitches)" : "- - - -"
        )
        words.append(String(ending.columns.split(separator: " ").last ?? ""))
        return words.joined(separator: " ")
    }

    var connectionLine: String {
        let closed = ending == .clean ? "\(visit.at(900))" : "-"
        return "\(visit.connection) 1 127.0.0.1 \(50_000 + visit.connection % 10_000) "
            + "\(visit.at(0)) \(visit.at(1)) \(closed)"
    }

    /// The exchange rows with their bodies, and whether each has its end.
    var exchanges: [(line: String, outcome: String?)] {
        var left = heard - 1
        return zip(exchangeIDs, askings).map { id, asking in
            defer { left -= visit.frames(asking).count }
            return exchange(id, asking, min(left, visit.frames(asking).count))
        }
    }

    private func exchange(
        _ id: Int64,
        _ asking: Asking,
        _ came: Int
    ) -> (line: String, outcome: String?) {
        let (asked, answered) = (asking.content.count, asking.answer.count)
        let (sequence, isWhole) = (asking.sequence, came == asked + answered + 5)
        let end = isWhole ? "\(asking.outcome.rawValue) -" : ending.outcome(of: visit.pid)
        let isRead = came >= asked + 2
        let isAnswered = came >= asked + 4
        let request = asking.content.prefix(came - 1).joined()
        let answer = asking.answer.prefix(max(0, came - asked - 4)).joined()
        func instant(_ ns: Int64, if isKnown: Bool) -> String {
            isKnown ? "\(visit.at(sequence, ns))" : "-"
        }
        let line = [
            "\(id) \(visit.connection) \(visit.pid) \(sequence) \(asking.target)",
            isAnswered ? "200 OK" : "- -", end ?? "- -",
            instant(1, if: true), instant(2, if: true), instant(3, if: isRead),
            instant(4, if: came >= asked + 3), instant(5, if: isAnswered),
            instant(6, if: isWhole), instant(7, if: isWhole), instant(8, if: isWhole),
            (isRead || end != nil) && !request.isEmpty ? request : "-",
            end != nil && !answer.isEmpty ? answer : "-",
        ].joined(separator: " ")
        return (line, end)
    }
}

@Suite struct `A thousand connections at once` {
    @Test(arguments: [1, 2, 20_261_125] as [UInt64])
    func `each exchange and child is one row with its own values, whatever the order`(
        seed: UInt64
    ) throws {
        let fixture = try RecordingFixture()
        let writer = try fixture.record()
        var dice = Dice(state: seed)
        var crowd = (Int64(1)...1000).map { Member($0, &dice) }
        var going = Array(crowd.indices)
        var nextExchangeID: Int64 = 1
        var news: [RecordingNews] = []
        while !going.isEmpty {
            let place = dice.roll(0...going.count - 1)
            if let frame = crowd[going[place]].next(&dice, &nextExchangeID) {
                news += writer.take([frame])
            }
            if crowd[going[place]].isOver {
                going.swapAt(place, going.count - 1)
                going.removeLast()
            }
            if dice.roll(0...49) == 0 { _ = try writer.commit() }
        }
        try writer.end(reason: "signal", at: "2026-11-25T15:54:02.250Z")

        expectSame(try fixture.lines("SELECT * FROM child ORDER BY 1"), crowd.map(\.childLine))
        expectSame(
            try fixture.lines("SELECT * FROM connection ORDER BY 1"),
            crowd.map(\.connectionLine)
        )
        let exchanges = crowd.flatMap(\.exchanges)
        expectSame(
            try fixture.lines(
                """
                SELECT e.id, connection_id, child_pid, sequence, target, status, reason, outcome,
                    error, started_ns, head_ns, request_ns, upstream_connected_ns,
                    response_started_ns, response_ended_ns, user_cpu_us, system_cpu_us,
                    CAST(q.bytes AS TEXT), CAST(a.bytes AS TEXT)
                FROM exchange e LEFT JOIN body q ON q.id = request_body_id
                LEFT JOIN body a ON a.id = response_body_id ORDER BY connection_id, sequence
                """
            ),
            exchanges.map(\.line)
        )
        #expect(
            try fixture.lines(
                "SELECT count(*) - count(DISTINCT digest), count(*) - count(DISTINCT bytes) FROM body"
            ) == ["0 0"]
        )
        #expect(try fixture.lines("PRAGMA foreign_key_check") == [])

        var counts: [Int] = [crowd.count, exchanges.count]
        let ended = exchanges.compactMap(\.outcome)
        counts.append(ended.count { $0.hasPrefix("ok ") || $0.hasPrefix("tunnel ") })
        counts.append(ended.count - counts[2])
        counts.append(crowd.count { $0.ending != .lives })
        counts.append(crowd.count { [.fails, .crashes, .isKilled].contains($0.ending) })
        let said = writer.counts
        #expect(
            [said.connections, said.exchanges, said.ok, said.failed, said.reaped, said.died]
                == counts
        )
        let told = news.reduce(into: (exchanges: 0, children: 0)) { told, one in
            switch one {
            case .exchange: told.exchanges += 1
            case .child(let child):
                told.children += 1
                if child.unfinished != nil { told.exchanges += 1 }
            case .event: break
            }
        }
        #expect(told == (ended.count { !$0.contains("the recording ended") }, said.reaped))
    }

    /// Says where lines differ first, rather than all thousand.
    private func expectSame(
        _ found: [String],
        _ expected: [String],
        _ location: SourceLocation = #_sourceLocation
    ) {
        #expect(found.count == expected.count, sourceLocation: location)
        let first = zip(found, expected).first { $0 != $1 }
        #expect(first?.0 == first?.1, sourceLocation: location)
    }
}
