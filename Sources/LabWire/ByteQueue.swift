// Bytes that came and were not yet understood.

/// A queue of bytes: appended at the end, consumed from the front, seen as one run.
struct ByteQueue: Sendable {
    private(set) var storage: [UInt8] = []
    private(set) var start = 0

    var count: Int { storage.count - start }
    var isEmpty: Bool { start == storage.count }
    var indices: Range<Int> { start..<storage.count }

    @inline(__always)
    subscript(place: Int) -> UInt8 { storage[place] }

    mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if start == storage.count {
            // Empty: begin again at the front, so that a long-lived connection does not grow.
            storage.removeAll(keepingCapacity: storage.capacity <= 256 << 10)
            start = 0
        } else if start > 64 << 10 {
            storage.removeFirst(start)
            start = 0
        }
        storage.append(contentsOf: bytes)
    }

    /// Takes the first `length` bytes out, without copying them.
    mutating func take(_ length: Int) -> ArraySlice<UInt8> {
        let slice = storage[start..<start + length]
        start += length
        return slice
    }

    mutating func drop(_ length: Int) { start += length }

    /// All bytes in the queue, left where they are.
    var view: ArraySlice<UInt8> { storage[start...] }
}
