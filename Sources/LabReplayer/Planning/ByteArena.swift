// All bytes that a replay sends or expects, in one run of memory that no longer moves once it is
// filled: workers hold plain pointers into it, and no reference count is touched while they send.

import Glibc

/// Bytes that are appended first and read afterwards.
final class ByteArena: @unchecked Sendable {
    // Unchecked: it is filled before the threads start, and only read after.
    private(set) var base: UnsafeMutablePointer<UInt8>
    private(set) var count = 0
    private var capacity = 1 << 16

    init() {
        base = .allocate(capacity: capacity)
    }

    deinit { base.deallocate() }

    /// Copies `bytes` to the end; gives where they begin.
    func append(_ bytes: [UInt8]) -> Int {
        if count + bytes.count > capacity {
            capacity = max(capacity * 2, count + bytes.count)
            let wider = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
            wider.update(from: base, count: count)
            base.deallocate()
            base = wider
        }
        bytes.withUnsafeBufferPointer { all in
            if let first = all.baseAddress { (base + count).update(from: first, count: all.count) }
        }
        defer { count += bytes.count }
        return count
    }
}
