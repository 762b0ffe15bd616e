// Connections of a session that wait while another one of it carries a request: a browser's six
// become one session, whose requests are sent one after the other, each where it was captured.

/// An open connection that no request is on.
struct ParkedConnection {
    var fd: Int32
    /// The captured connection that it stands for.
    var captured: Int32
    /// Its number among all of the replay.
    var number: Int32
    var armed: UInt32
    var isReused: Bool
}

/// The parked connections of all slots: a list for each, in one array whose places are used again.
struct ParkedConnections {
    private struct Entry {
        var connection: ParkedConnection
        /// The next entry of the same slot, or of the free ones; -1 at the end.
        var next: Int32
    }

    private var entries: [Entry] = []
    private var free: Int32 = -1
    private var heads: [Int32]

    init(slots: Int) { heads = Array(repeating: -1, count: slots) }

    func isEmpty(_ slot: Int) -> Bool { heads[slot] < 0 }

    mutating func park(_ connection: ParkedConnection, of slot: Int) {
        let place: Int32
        if free >= 0 {
            place = free
            free = entries[Int(place)].next
            entries[Int(place)] = Entry(connection: connection, next: heads[slot])
        } else {
            place = Int32(entries.count)
            entries.append(Entry(connection: connection, next: heads[slot]))
        }
        heads[slot] = place
    }

    /// Takes out the first connection of a slot of which `condition` is true.
    mutating func take(
        _ slot: Int,
        where condition: (ParkedConnection) -> Bool
    ) -> ParkedConnection? {
        var before: Int32 = -1
        var place = heads[slot]
        while place >= 0 {
            let entry = entries[Int(place)]
            if condition(entry.connection) {
                if before < 0 {
                    heads[slot] = entry.next
                } else {
                    entries[Int(before)].next = entry.next
                }
                entries[Int(place)].next = free
                free = place
                return entry.connection
            }
            before = place
            place = entry.next
        }
        return nil
    }
}
