// Stored replays, held against each other: no server is asked, and time proves nothing.

import LabComparer
import LabExchange
import LabSession

/// Compares runs of one session.
struct StoredRuns {
    private let reader: SessionReader
    private let runs: [Arm: Int64]

    /// A request in one pass over the session.
    private struct Place: Hashable {
        var exchangeID: Int64
        var round: Int
    }

    /// Finds the runs, by number or label.
    ///
    /// - Throws: ``SessionError`` where one is not there; ``Failure`` where one kept no results.
    init(_ reader: SessionReader, baseline: String, candidate: String, control: String?) throws {
        self.reader = reader
        var runs: [Arm: Int64] = [:]
        for (arm, name) in [(Arm.baseline, baseline), (.candidate, candidate), (.control, control)]
        {
            guard let name else { continue }
            let detail = try reader.run(name)
            guard detail.keepsResults else {
                throw Failure(
                    "Run '\(name)' kept no results (lab replay --store none), so there is nothing of "
                        + "it to compare.",
                    code: ExitStatus.nothing
                )
            }
            runs[arm] = detail.run.id
        }
        self.runs = runs
    }

    /// The routes of requests, by exchange.
    static func routes(_ requests: [ComparedRequest]) -> [Int64: String] {
        Dictionary(requests.map { ($0.id, $0.route) }) { first, _ in first }
    }

    /// Which arms there are.
    var arms: [Arm] { Arm.allCases.filter { runs[$0] != nil } }

    /// Takes a request with what each arm answered; nil where it was not sent.
    typealias Taker = (ComparedRequest, TimedAnswer?, TimedAnswer?, TimedAnswer?) throws -> Void

    /// Gives the results of all arms, request by request: baseline, candidate, control.
    ///
    /// - Parameters:
    ///   - routes: The routes by exchange; what has none is left out.
    ///   - readsAll: Whether heads and contents are read of results that are equal, too.
    ///   - body: Takes them.
    /// - Throws: ``SessionError`` where the session can't be read, or what `body` throws.
    func forEachRequest(
        routes: [Int64: String],
        readsAll: Bool = false,
        _ body: Taker
    ) throws {
        var known: [Place: StoredResult] = [:]
        try forEach(.baseline) { known[$0] = $1 }
        var controls: [Place: StoredResult] = [:]
        try forEach(.control) { controls[$0] = $1 }
        // A reader of its own: while results are read, the other one is busy.
        var bytes = Bytes(reader: try SessionReader(reader.path), readsAll: readsAll)
        var seen: Set<Place> = []
        try forEach(.candidate) { place, result in
            seen.insert(place)
            guard let route = routes[place.exchangeID] else { return }
            let baseline = known[place]
            let control = controls[place]
            let request = ComparedRequest(id: place.exchangeID, route: route)
            let answers = try bytes.answers([baseline, result, control])
            try body(request, answers[0], answers[1], answers[2])
        }
        for (place, result) in known where !seen.contains(place) {
            guard let route = routes[place.exchangeID] else { continue }
            let request = ComparedRequest(id: place.exchangeID, route: route)
            try body(request, try bytes.answers([result])[0], nil, nil)
        }
    }

    private func forEach(
        _ arm: Arm,
        _ body: (Place, StoredResult) throws -> Void
    ) throws {
        guard let run = runs[arm] else { return }
        try reader.forEachResult(ofRun: run) { result in
            try body(Place(exchangeID: result.exchangeID, round: result.round), result)
        }
    }

    /// Heads and contents that were read, a few of them kept.
    private struct Bytes {
        let reader: SessionReader
        let readsAll: Bool
        private var contents: [Int64: (bytes: [UInt8], isWhole: Bool)] = [:]
        private var heads: [Int64: [UInt8]] = [:]
        private var size = 0
        private static let most = 64 << 20

        init(reader: SessionReader, readsAll: Bool) {
            self.reader = reader
            self.readsAll = readsAll
        }

        /// Answers to one request; what all have in common is not read.
        mutating func answers(_ results: [StoredResult?]) throws -> [TimedAnswer?] {
            let all = results.compactMap { $0 }
            let readsBodies = readsAll || Set(all.map(\.bodyID)).count > 1
            // A head that one run did not keep can't be compared.
            let readsHeads =
                !all.contains { $0.headID == nil }
                && (readsAll || Set(all.map(\.headID)).count > 1)
            return try results.map { result in
                guard let result else { return nil }
                var answer = ObservedAnswer(outcome: result.outcome, status: result.status)
                if readsHeads || readsBodies { answer.head = try head(result.headID) }
                if readsBodies {
                    let content = try content(result.bodyID)
                    answer.content = content.bytes
                    answer.isWhole = content.isWhole
                }
                return TimedAnswer(answer, serviceNs: Double(result.serviceNs))
            }
        }

        private mutating func content(_ id: Int64?) throws -> (bytes: [UInt8], isWhole: Bool) {
            guard let id else { return ([], true) }
            if let known = contents[id] { return known }
            let found = try reader.content(id) ?? ([], true)
            makeRoom(found.bytes.count)
            contents[id] = found
            return found
        }

        private mutating func head(_ id: Int64?) throws -> [UInt8] {
            guard let id else { return [] }
            if let known = heads[id] { return known }
            let found = try reader.head(id) ?? []
            makeRoom(found.count)
            heads[id] = found
            return found
        }

        private mutating func makeRoom(_ count: Int) {
            size += count
            guard size > Self.most else { return }
            contents.removeAll()
            heads.removeAll()
            size = count
        }
    }
}
