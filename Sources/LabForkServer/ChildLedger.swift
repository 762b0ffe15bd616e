// Who was forked for which connection, and who came back: events in, findings out.
//
//     forked(pid) ──▶ living ──▶ ended(pid) ──▶ .child(connection)
//                                    └───────▶ .stranger: adopted, or never ours

/// The children of a fork server: each one that is forked is reaped once, and none is mistaken.
package struct ChildLedger {
    /// Whose end it was.
    package enum Finding: Equatable {
        /// A child that was forked for this connection.
        case child(connectionID: Int64)
        /// A process that was not forked here: an orphan that fell to the subreaper. It came from
        /// this connection's child, where that is known.
        case stranger(connectionID: Int64?)
    }

    /// The children that live, or stand as zombies: PID to connection.
    package private(set) var living: [Int32: Int64] = [:]
    /// The last few thousand children that are gone.
    ///
    /// A child leads a process group, and while any process of the group is there its number is not
    /// given to another. A ring that is written in order touches one page; a dictionary would touch
    /// another at each fork, and after a fork every page that is touched is copied.
    private var gone: [(pid: Int32, connectionID: Int64)] = []
    private var oldest = 0
    private static let mostGone = 4096
    /// How many were forked.
    package private(set) var forkCount = 0
    /// How many of them were reaped.
    package private(set) var reapCount = 0

    package init() { gone.reserveCapacity(Self.mostGone) }

    /// A child was forked.
    ///
    /// Its PID can't be in use: a zombie keeps its PID until it is waited for.
    package mutating func forked(pid: Int32, connectionID: Int64) {
        let other = living.updateValue(connectionID, forKey: pid)
        precondition(other == nil, "PID \(pid) was forked twice and reaped never")
        forkCount += 1
    }

    /// A process ended; `group` is the process group that it was in.
    package mutating func ended(pid: Int32, group: Int32) -> Finding {
        guard let connectionID = living.removeValue(forKey: pid) else {
            return .stranger(connectionID: living[group] ?? connection(ofGone: group))
        }
        reapCount += 1
        remember(pid, connectionID)
        return .child(connectionID: connectionID)
    }

    private mutating func remember(_ pid: Int32, _ connectionID: Int64) {
        if gone.count < Self.mostGone {
            gone.append((pid, connectionID))
        } else {
            gone[oldest] = (pid, connectionID)
            oldest = (oldest + 1) % Self.mostGone
        }
    }

    /// Linear, for it is asked for orphans only.
    ///
    /// A PID that was used again stands there twice: the newest counts.
    private func connection(ofGone pid: Int32) -> Int64? {
        let newestFirst = gone[..<oldest].reversed() + gone[oldest...].reversed()
        return newestFirst.first { $0.pid == pid }?.connectionID
    }
}
