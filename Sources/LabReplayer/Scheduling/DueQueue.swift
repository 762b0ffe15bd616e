// Slots that wait for their time, the earliest first: a binary heap in an array that is as long as
// it will ever be, so that nothing is allocated while requests are sent.

/// Slots by the instant at which their next request is due.
struct DueQueue {
    private struct Entry {
        var dueNs: Int64
        var slot: Int
    }

    private var heap: [Entry] = []

    init(slots: Int) { heap.reserveCapacity(slots) }

    /// The earliest instant; `Int64.max` where nobody waits.
    @inline(__always)
    var firstNs: Int64 { heap.isEmpty ? .max : heap[0].dueNs }

    mutating func removeAll() { heap.removeAll(keepingCapacity: true) }

    mutating func add(_ slot: Int, dueNs: Int64) {
        heap.append(Entry(dueNs: dueNs, slot: slot))
        var place = heap.count - 1
        while place > 0, heap[(place - 1) / 2].dueNs > heap[place].dueNs {
            heap.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    /// Takes out the slot that is due first, where that is not after `now`.
    mutating func take(_ now: Int64) -> Int? {
        guard firstNs <= now else { return nil }
        let slot = heap[0].slot
        let last = heap.removeLast()
        guard !heap.isEmpty else { return slot }
        heap[0] = last
        var place = 0
        while true {
            var least = place
            let (left, right) = (2 * place + 1, 2 * place + 2)
            if left < heap.count, heap[left].dueNs < heap[least].dueNs { least = left }
            if right < heap.count, heap[right].dueNs < heap[least].dueNs { least = right }
            if least == place { return slot }
            heap.swapAt(place, least)
            place = least
        }
    }
}
