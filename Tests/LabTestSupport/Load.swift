// Many clients at once, and what each of them was answered.

import Foundation
import Synchronization

/// Clients that ask a server for one thing after another, each for what nobody else asks for.
///
/// A client whose connection breaks makes another one; one that can't connect ends.
public final class Load: Sendable {
    /// An answer that came whole.
    public struct Answer: Sendable {
        /// What was asked for.
        public let target: String
        /// When the last of it came.
        public let at: ContinuousClock.Instant
    }

    private struct State {
        var answers: [Answer] = []
        var refused = 0
        var clients: Int
        var isStopping = false
    }

    private let state: Mutex<State>
    private let changed = DispatchSemaphore(value: 0)

    /// Starts the clients; `name` tells their targets from those of another load.
    public init(port: Int, clients: Int, name: String, seed: UInt64) {
        state = Mutex(State(clients: clients))
        for client in 0..<clients {
            Thread.detachNewThread { [self] in
                let random = SplitMix64(seed: seed &* 1009 &+ UInt64(client))
                ask(port, "\(name)-\(client)", random)
            }
        }
    }

    /// Waits until so many more answers came; false where the clients ended before.
    @discardableResult
    public func awaitAnswers(_ count: Int) -> Bool {
        let enough = state.withLock { $0.answers.count } + count
        while true {
            let (got, clients) = state.withLock { ($0.answers.count, $0.clients) }
            if got >= enough { return true }
            if clients == 0 { return false }
            changed.wait()
        }
    }

    /// How many clients ended because they could not connect.
    public var refused: Int { state.withLock { $0.refused } }

    /// Lets the clients end, and gives every answer that came whole.
    public func stop() -> [Answer] {
        state.withLock { $0.isStopping = true }
        while state.withLock({ $0.clients }) > 0 { changed.wait() }
        return state.withLock { $0.answers }
    }

    private func ask(_ port: Int, _ name: String, _ random: SplitMix64) {
        var random = random
        var asked = 0
        while !state.withLock({ $0.isStopping }) {
            guard let client = try? RawClient(port: port) else {
                state.withLock { $0.refused += 1 }
                break
            }
            let requests = Int.random(in: 1...4, using: &random)
            for request in 1...requests {
                asked += 1
                // Now and then one that is sent in pieces; a debug build takes long over these.
                let path =
                    Int.random(in: 0..<16, using: &random) == 0 ? "/bytes/2000" : "/status/200"
                let target = "\(path)?n=\(name)-\(asked)"
                let close = request == requests ? "Connection: close\r\n" : ""
                guard
                    (try? client.send("GET \(target) HTTP/1.1\r\nHost: a\r\n\(close)\r\n")) != nil,
                    client.readAnswer()?.hasPrefix("HTTP/1.1 200 ") == true
                else { break }
                let answer = Answer(target: target, at: .now)
                state.withLock { $0.answers.append(answer) }
                changed.signal()
            }
        }
        state.withLock { $0.clients -= 1 }
        changed.signal()
    }
}
