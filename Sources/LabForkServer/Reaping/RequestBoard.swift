// What each child is doing, where its parent can see it: memory that fork shares and does not copy.

import CLabLinux
import Glibc

/// What one child says of its request.
struct RequestSlot {
    /// When the request began, ns of CLOCK_MONOTONIC; 0 between requests.
    var startedNs: Int64
    /// The request's number on its connection.
    var sequence: Int32
    /// Whether the client was sent anything of the answer.
    var hasAnswer: Int32
}

/// Slots for children, in shared memory; a child writes its own, the parent reads all.
///
/// Written by one process and read by another without a lock: each value is one aligned word, and the
/// parent acts on a slot only after its child was waited for, or when it is long past its time.
final class RequestBoard {
    private static let capacity = 32_768
    private let slots: UnsafeMutablePointer<RequestSlot>
    private var free: [Int32]

    /// Makes a board; nil where the memory can't be had.
    init?() {
        let size = Self.capacity * MemoryLayout<RequestSlot>.stride
        let memory = mmap(
            nil,
            size,
            PROT_READ | PROT_WRITE,
            Int32(MAP_SHARED) | Int32(MAP_ANONYMOUS),
            -1,
            0
        )
        guard let memory, memory != MAP_FAILED else { return nil }
        slots = memory.bindMemory(to: RequestSlot.self, capacity: Self.capacity)
        free = Array((0..<Int32(Self.capacity)).reversed())
    }

    /// A slot for a new child; nil where all are taken, and then the child has no deadline.
    func take() -> Int32? {
        guard let index = free.popLast() else { return nil }
        slots[Int(index)] = RequestSlot(startedNs: 0, sequence: 0, hasAnswer: 0)
        return index
    }

    /// A slot's child was waited for.
    func giveBack(_ index: Int32) { free.append(index) }

    subscript(index: Int32) -> RequestSlot { slots[Int(index)] }

    /// Where a child writes.
    func place(_ index: Int32) -> UnsafeMutablePointer<RequestSlot> { slots + Int(index) }
}
