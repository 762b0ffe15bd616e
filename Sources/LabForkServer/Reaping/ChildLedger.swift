// Who was forked for which connection, and who came back: events in, findings out.
//
//     forked(pid) ──▶ living ──▶ ended(pid) ──▶ .child(connection)
//                                    └───────▶ .stranger: adopted, or never ours

import CLabLinux

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
    /// given to another.
    private var gone = Gone()
    /// How many were forked.
    package private(set) var forkCount = 0
    /// How many of them were reaped.
    package private(set) var reapCount = 0

    package init() {
        // Tables that grow would leave the pages that are copied at each fork.
        living.reserveCapacity(128)
    }

    /// Goes on where another ledger ended.
    init(living: [Int32: Int64], forkCount: Int, reapCount: Int) {
        self.init()
        self.living.merge(living) { $1 }
        (self.forkCount, self.reapCount) = (forkCount, reapCount)
    }

    /// Counts from here on; what was forked before is no part of the accounts.
    package mutating func startCounting() { (forkCount, reapCount) = (0, 0) }

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
            return .stranger(connectionID: living[group] ?? gone.connection(of: group))
        }
        reapCount += 1
        gone.remember(pid, connectionID)
        return .child(connectionID: connectionID)
    }
}

/// The last few thousand children that are gone, in a ring that their successors do not inherit.
private struct Gone {
    private typealias Entry = (pid: Int32, connectionID: Int64)
    private static let capacity = 4096
    /// nil where the memory can't be had: then nobody is remembered, and orphans come from nowhere.
    private let ring = clab_unshared_memory(capacity * MemoryLayout<Entry>.stride)?
        .bindMemory(to: Entry.self, capacity: capacity)
    private var count = 0

    mutating func remember(_ pid: Int32, _ connectionID: Int64) {
        ring?[count % Self.capacity] = (pid, connectionID)
        count += 1
    }

    /// Linear, for it is asked for orphans only.
    ///
    /// A PID that was used again stands there twice: the newest counts.
    func connection(of pid: Int32) -> Int64? {
        guard let ring else { return nil }
        let newestFirst = (max(0, count - Self.capacity)..<count).reversed()
        return newestFirst.lazy.map { ring[$0 % Self.capacity] }.first { $0.pid == pid }?
            .connectionID
    }
}
