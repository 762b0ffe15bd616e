// Where a session's requests get what the target gave it. A run without rules comes here for nothing
// but one flag.

import LabExchange

extension Worker {
    /// How much of an answer's content is looked into, bytes.
    static let mostWatched = 1 << 20

    /// Puts what the session was given into its next request.
    mutating func correlate(_ slot: Int, _ request: UnsafePointer<PlannedRequest>) {
        let place = slots[slot].request
        slots[slot].isWatched = correlator.watches(place)
        let bytes = UnsafeBufferPointer(
            start: arena + request.pointee.place,
            count: Int(request.pointee.length)
        )
        guard let changed = correlator.request(place, slot: slot, bytes: bytes) else { return }
        slots[slot].bytes = ownBytes.keep(changed, ofSlot: slot)
        slots[slot].length = changed.count
    }

    /// Takes what an answer gives the session, and leaves of the content what is to be stored.
    mutating func takeValues(
        _ slot: Int,
        _ request: UnsafePointer<PlannedRequest>,
        _ answer: inout Answer
    ) {
        if answer.outcome == .ok, let head = answer.head {
            let captured = request.pointee.content
            correlator.answer(
                slots[slot].request,
                slot: slot,
                head: head,
                content: answer.differingBody?.bytes
                    ?? Array(
                        UnsafeBufferPointer(start: arena + captured.place, count: captured.size)
                    )
            )
        }
        if let count = answer.differingBody?.bytes.count, count > task.settings.mostBodyBytes {
            answer.differingBody?.bytes.removeLast(count - task.settings.mostBodyBytes)
        }
    }
}

/// The bytes of requests that are not sent as they were rendered: one for each slot, in memory that
/// stays where it is while it is sent.
struct OwnBytes: ~Copyable {
    private var all: [UnsafeMutableBufferPointer<UInt8>]

    init(slots: Int) {
        all = Array(repeating: UnsafeMutableBufferPointer(start: nil, count: 0), count: slots)
    }

    deinit { all.forEach { $0.deallocate() } }

    /// Keeps bytes until the slot's next ones.
    mutating func keep(_ bytes: [UInt8], ofSlot slot: Int) -> UnsafePointer<UInt8>? {
        if all[slot].count < bytes.count {
            all[slot].deallocate()
            all[slot] = .allocate(capacity: bytes.count * 2)
        }
        _ = all[slot].update(fromContentsOf: bytes)
        return all[slot].baseAddress.map { UnsafePointer($0) }
    }
}
