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
        /// A process that was not forked here: an orphan that fell to the subreaper.
        case stranger
    }

    /// The children that live, or stand as zombies: PID to connection.
    package private(set) var living: [Int32: Int64] = [:]
    /// How many were forked.
    package private(set) var forkCount = 0
    /// How many of them were reaped.
    package private(set) var reapCount = 0

    package init() { living.reserveCapacity(1024) }

    /// A child was forked.
    ///
    /// Its PID can't be in use: a zombie keeps its PID until it is waited for.
    package mutating func forked(pid: Int32, connectionID: Int64) {
        let other = living.updateValue(connectionID, forKey: pid)
        precondition(other == nil, "PID \(pid) was forked twice and reaped never")
        forkCount += 1
    }

    /// `wait4` returned a PID.
    package mutating func ended(pid: Int32) -> Finding {
        guard let connectionID = living.removeValue(forKey: pid) else { return .stranger }
        reapCount += 1
        return .child(connectionID: connectionID)
    }
}
