// Every sentence with which a session refuses.

import LabSession
import Testing

@Suite struct `Errors are sentences` {
    /// One of each case; the switch below fails to compile when there is another.
    private static let all: [SessionError] = [
        .missing(path: "a.db"), .exists(path: "a.db"), .empty(path: "a.db"),
        .notASession(path: "a.db"), .tooNew(path: "a.db", format: 5, newestKnown: 1),
        .tooOld(path: "a.db", format: 1, oldestKnown: 3), .busy(path: "a.db"), .full(path: "a.db"),
        .failed(path: "a.db", doing: "read", reason: "disk I/O error"),
        .nothingToReplay(path: "a.db"), .noSuchExchange(id: 99, path: "a.db"),
        .noSuchRun(name: "after", path: "a.db"),
        .noSuchResult(id: 99, run: "after", path: "a.db"),
    ]

    private func place(_ error: SessionError) -> Int {
        switch error {
        case .missing: 0
        case .exists: 1
        case .empty: 2
        case .notASession: 3
        case .tooNew: 4
        case .tooOld: 5
        case .busy: 6
        case .full: 7
        case .failed: 8
        case .nothingToReplay: 9
        case .noSuchExchange: 10
        case .noSuchRun: 11
        case .noSuchResult: 12
        }
    }

    @Test func `of what failed, on what, why, and what to do`() throws {
        #expect(Self.all.map(place) == Array(Self.all.indices))
        let expression = try #require(throws: ExpressionError.self) {
            try ReaderFixture().read { try $0.forEachExchange(where: "x >") { _ in } }
        }
        let sentences = Self.all.map(\.description) + [expression.description]
        for sentence in sentences { #expect(sentence.hasSuffix(".")) }
        try Golden.check(sentences.joined(separator: "\n") + "\n", "errors")
    }
}
