// The plan as values: what would be sent, for who wants to look before it is.

import LabExchange

extension ReplayPlan {
    /// The method, the target and the head of a planned request.
    private func parts(_ place: Int) -> (method: String, target: Run, head: Run) {
        let request = requests[place]
        let bytes = UnsafeBufferPointer(
            start: arena.base + request.place,
            count: Int(request.length)
        )
        let start = Int(request.methodLength) + 1
        // A head that was rendered here has its spaces, and its empty line.
        let end = bytes[start...].firstIndex(of: 0x20) ?? bytes.count
        var headEnd = end
        while headEnd + 3 < bytes.count,
            !(bytes[headEnd] == 0x0A && bytes[headEnd + 1] == 0x0D && bytes[headEnd + 2] == 0x0A)
        {
            headEnd += 1
        }
        return (
            String(decoding: bytes[..<Int(request.methodLength)], as: UTF8.self),
            bytes[start..<end],
            bytes[..<min(headEnd + 1, bytes.count)]
        )
    }

    private typealias Run = Slice<UnsafeBufferPointer<UInt8>>

    /// Counts what would be sent of the requests at `places`, nil for all; `heads` heads are given
    /// whole.
    func outline(heads: Int, of places: [Int]? = nil) -> ReplayOutline {
        var outline = ReplayOutline()
        for place in places ?? Array(0..<count) {
            let (method, target, head) = parts(place)
            outline.add(method: method, target: target)
            if outline.firstHeads.count < heads {
                outline.firstHeads.append(String(decoding: head, as: UTF8.self))
            }
        }
        outline.sort()
        outline.connections = draft.connectionCount
        outline.skipped = skipped.map {
            ReplayOutline.Skipped(
                reason: $0.reason.rawValue,
                outcome: $0.outcome.rawValue,
                count: $0.count
            )
        }
        outline.changes = changed
        return outline
    }

    /// How many requests there are of each method that is not safe.
    var unsafeMethods: [(method: String, count: Int)] {
        var counts: [String: Int] = [:]
        for place in 0..<count {
            let bytes = UnsafeBufferPointer(
                start: arena.base + requests[place].place,
                count: Int(requests[place].methodLength)
            )
            let method = String(decoding: bytes, as: UTF8.self)
            if !ReplayOutline.isSafe(method) { counts[method, default: 0] += 1 }
        }
        return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { ($0.key, $0.value) }
    }
}
