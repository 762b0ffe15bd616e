// Requests at a rate: which comes next is told by when it was captured, whatever its session. A
// request's number is known once nothing that is still to be read can go before it.

/// Numbers requests in captured order over all sessions, as they are read.
struct CapturedOrder {
    /// A request that waits for its number.
    struct Entry {
        var startedNs: Int64
        /// How many were added before it, for those of one instant.
        var place: Int32
        /// Its step and its session, as places in the session table; -1 where it is another shard's.
        var step: Int32
        var session: Int32
    }

    private var waiting: [Entry] = []
    private var added: Int32 = 0
    private var arrivals: Arrivals
    /// The moment of the next request that gets one, nanoseconds from the start of a pass.
    private(set) var nextNs: Int64

    init(_ rate: LoadShape.Rate) {
        arrivals = Arrivals(rate)
        nextNs = arrivals.next()
    }

    /// Adds a request.
    mutating func add(startedNs: Int64, step: Int?, session: Int?) {
        waiting.append(
            Entry(
                startedNs: startedNs,
                place: added,
                step: Int32(step ?? -1),
                session: Int32(session ?? -1)
            )
        )
        added += 1
    }

    /// Gives their moments to all that were captured before an instant.
    mutating func number(before instantNs: Int64, _ body: (Entry, Int64) -> Void) {
        // They are runs that are sorted already, or nearly so, which is what Swift's sort is quick at.
        waiting.sort { ($0.startedNs, $0.place) < ($1.startedNs, $1.place) }
        let count = waiting.firstIndex { $0.startedNs >= instantNs } ?? waiting.count
        for entry in waiting[..<count] {
            body(entry, nextNs)
            nextNs = arrivals.next()
        }
        waiting.removeFirst(count)
    }
}
