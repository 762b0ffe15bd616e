// The same thing many times at once, on threads of its own: a task that waits would hold up others.

import Foundation
import Synchronization

/// Runs a body on so many threads at once, and gives what each of them came to, in order.
///
/// Nothing may be expected in the body: on a thread that is no task's, no test would hear of it.
public func atOnce<Value: Sendable>(
    _ count: Int,
    _ body: @escaping @Sendable (Int) throws -> Value
) throws -> [Value] {
    let results = Results<Value>()
    let ended = DispatchSemaphore(value: 0)
    for index in 0..<count {
        Thread.detachNewThread {
            let result = Result { try body(index) }
            results.all.withLock { $0[index] = result }
            ended.signal()
        }
    }
    for _ in 0..<count { ended.wait() }
    return try (0..<count).map { index in
        guard let result = results.all.withLock({ $0[index] }) else {
            throw Trouble("thread \(index) came to nothing")
        }
        return try result.get()
    }
}

private final class Results<Value: Sendable>: Sendable {
    let all = Mutex<[Int: Result<Value, any Error>]>([:])
}
