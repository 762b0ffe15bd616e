// Finds where a head ends, however its bytes are split.

/// Looks for the empty line that ends a head and remembers how far it has looked.
struct HeadScanner: Sendable {
    private var seen = 0

    /// The length of the head at the front of `queue`, if its last byte has come.
    ///
    /// An empty line before the start line does not end a head (RFC 9112 2.2).
    mutating func headLength(in queue: ByteQueue) -> Int? {
        queue.storage.withUnsafeBufferPointer { all in
            var at = queue.start + seen
            let end = all.count
            while at < end {
                guard all[at] == Byte.lineFeed else {
                    at += 1
                    continue
                }
                // An LF ends the head if only LF or CR LF follow it and something stood before.
                let next = at + 1
                guard next < end else { break }
                let after = all[next] == Byte.carriageReturn ? next + 1 : next
                guard after < end else { break }
                if all[after] == Byte.lineFeed, !isLeading(all, queue.start, at) {
                    seen = 0
                    return after + 1 - queue.start
                }
                at = next
            }
            seen = at - queue.start
            return nil
        }
    }

    /// Whether all bytes up to the LF at `place` are line ends.
    private func isLeading(_ all: UnsafeBufferPointer<UInt8>, _ start: Int, _ place: Int) -> Bool {
        var at = start
        while at < place {
            if all[at] != Byte.lineFeed && all[at] != Byte.carriageReturn { return false }
            at += 1
        }
        return true
    }
}
