// Finds where a head ends, however its bytes are split.

/// Looks for the empty line that ends a head and remembers how far it has looked.
struct HeadScanner: Sendable {
    private var seen = 0
    private var hasBegun = false

    /// The length of the head at the front of `queue`, if its last byte has come.
    ///
    /// An empty line before the start line does not end a head (RFC 9112 2.2).
    mutating func headLength(in queue: ByteQueue) -> Int? {
        queue.storage.withUnsafeBufferPointer { all in
            let start = queue.start
            let end = all.count
            var at = start + seen
            if !hasBegun {
                while at < end, all[at] == Byte.lineFeed || all[at] == Byte.carriageReturn {
                    at += 1
                }
                hasBegun = at < end
            }
            while at < end {
                at = firstPlace(of: Byte.lineFeed, in: all, from: at)
                guard at < end else { break }
                // An LF ends the head if only LF or CR LF follow it.
                let next = at + 1
                guard next < end else { break }
                let after = all[next] == Byte.carriageReturn ? next + 1 : next
                guard after < end else { break }
                if all[after] == Byte.lineFeed {
                    seen = 0
                    hasBegun = false
                    return after + 1 - start
                }
                at = next
            }
            seen = at - start
            return nil
        }
    }
}
