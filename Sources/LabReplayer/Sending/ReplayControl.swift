// What all workers of a run ask, or take from, while they send.

import Synchronization

/// What the user wishes, and the numbers that connections have.
final class ReplayControl: Sendable {
    /// What workers are to do; a later wish is never weaker.
    enum Wish: UInt8 {
        case go
        case stop
        case abort
    }

    private let wished = Atomic<UInt8>(Wish.go.rawValue)
    private let connections = Atomic<Int32>(0)

    /// The strongest wish so far.
    @inline(__always)
    var wish: Wish { Wish(rawValue: wished.load(ordering: .relaxed)) ?? .abort }

    func ask(_ wish: Wish) {
        wished.max(wish.rawValue, ordering: .relaxed)
    }

    /// A number for a connection that was opened, from 1.
    func nextConnection() -> Int32 {
        connections.wrappingAdd(1, ordering: .relaxed).newValue
    }
}
