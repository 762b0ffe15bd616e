// Every sentence with which a session refuses.

import LabSession
import Testing

@Suite struct `Errors are sentences` {
    /// One of each case; the switch below fails to compile when there is another.
    private static let all: [SessionError] = [
        .missing(path: "a.db"), .exists(path: "a.db"), .empty(path: "a.db"),
        .notASession(path: "a.db"), .tooNew(path: "a.db", format: 5, newestKnown: 1),
        .busy(path: "a.db"), .full(path: "a.db"),
        .failed(path: "a.db", doing: "read", reason: "disk I/O error"),
        .nothingToReplay(path: "a.db"), .noSuchExchange(id: 99, path: "a.db"),
        .noSuchRun(name: "after", path: "a.db"),
    ]

    private func place(_ error: SessionError) -> Int {
        switch error {
        case .missing: 0
        case .exists: 1
        case .empty: 2
        case .notASession: 3
        case .tooNew: 4
        case .busy: 5
        case .full: 6
        case .failed: 7
        case .nothingToReplay: 8
        case .noSuchExchange: 9
        case .noSuchRun: 10
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
