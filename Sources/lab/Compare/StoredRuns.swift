// Stored replays, held against each other: no server is asked, and time proves nothing.

import LabComparer
import LabExchange
import LabSession

/// Compares runs of one session.
struct StoredRuns {
    private let reader: SessionReader
    /// The baseline, the candidate, and the control where there is one.
    private let runs: [Int64]

    /// Finds the runs, by number or label.
    ///
    /// - Throws: ``SessionError`` where one is not there; ``Failure`` where one kept no results.
    init(_ reader: SessionReader, baseline: String, candidate: String, control: String?) throws {
        self.reader = reader
        runs = try [baseline, candidate, control].compactMap { $0 }.map { name in
            let run = try reader.storedRun(name)
            guard run.keepsResults else {
                throw Failure(
                    "Run '\(name)' kept no results (lab replay --store none), so there is nothing of "
                        + "it to compare.",
                    code: ExitStatus.nothing
                )
            }
            return run.id
        }
    }

    /// Which arms there are.
    var arms: [Arm] { Array([Arm.baseline, .candidate, .control].prefix(runs.count)) }

    /// Takes a request with what each arm answered; nil where it was not sent.
    typealias Taker = (ComparedRequest, TimedAnswer?, TimedAnswer?, TimedAnswer?) throws -> Void

    /// Gives the results of all arms, request by request: baseline, candidate, control.
    ///
    /// - Parameters:
    ///   - readsAll: Whether heads and contents are read of results that are equal, too.
    ///   - body: Takes them.
    /// - Throws: ``SessionError`` where the session can't be read, or what `body` throws.
    func forEachRequest(readsAll: Bool = false, _ body: Taker) throws {
        try reader.forEachResult(ofRuns: runs) { found, bytes in
            let answers = try Self.answers(found.results, bytes, readsAll: readsAll)
            // What only the control has says nothing.
            guard answers[0] != nil || answers[1] != nil else { return }
            try body(
                ComparedRequest(id: found.exchangeID, route: found.route),
                answers[0],
                answers[1],
                answers.count > 2 ? answers[2] : nil
            )
        }
    }

    /// Answers to one request; what all have in common is not read.
    private static func answers(
        _ results: [StoredResult?],
        _ bytes: StoredBytes,
        readsAll: Bool
    ) throws -> [TimedAnswer?] {
        let readsBodies = readsAll || differs(results) { $0.bodyID }
        // A head that one run did not keep can't be compared.
        let readsHeads =
            results.allSatisfy { $0 == nil || $0?.headID != nil }
            && (readsAll || differs(results) { $0.headID })
        return try results.map { result in
            guard let result else { return nil }
            var answer = ObservedAnswer(outcome: result.outcome, status: result.status)
            if readsHeads || readsBodies, let id = result.headID {
                answer.head = try bytes.head(id)
            }
            if readsBodies {
                answer.content = []
                if let id = result.bodyID {
                    (answer.content, answer.isWhole) = try bytes.content(id)
                }
            }
            return TimedAnswer(answer, serviceNs: Double(result.serviceNs))
        }
    }

    /// Whether the results that there are name different rows.
    private static func differs(
        _ results: [StoredResult?],
        _ row: (StoredResult) -> Int64?
    ) -> Bool {
        var first: Int64??
        for case let result? in results {
            if let first, first != row(result) { return true }
            first = .some(row(result))
        }
        return false
    }
}
