// A fork server replaced by a new image of itself, in the same process: the listening socket, its queue,
// and the children stay, and what is known of them is handed on.

import CLabLinux
import Glibc

/// What the image that was there before hands to the one that follows it.
///
/// Written as one argument, numbers with commas between them.
package struct Succession: Sendable, Equatable {
    /// The number of the next connection.
    var nextConnectionID: Int64 = 1
    var acceptedCount = 0
    var forkFailureCount = 0
    var interruptions = 0
    var forkCount = 0
    var reapCount = 0
    /// The children that are not reaped: PID to connection.
    var living: [Int32: Int64] = [:]

    /// The argument's value.
    var text: String {
        let counts = [
            Int(nextConnectionID), acceptedCount, forkFailureCount, interruptions, forkCount,
            reapCount,
        ]
        let children = living.flatMap { [Int($0.key), Int($0.value)] }
        return (counts + children).map { "\($0)" }.joined(separator: ",")
    }

    init() {}

    /// Reads an argument; nil where it is none.
    init?(_ text: some StringProtocol) {
        let numbers = text.split(separator: ",").compactMap { Int($0) }
        guard numbers.count >= 6, numbers.count.isMultiple(of: 2) else { return nil }
        nextConnectionID = Int64(numbers[0])
        (acceptedCount, forkFailureCount, interruptions) = (numbers[1], numbers[2], numbers[3])
        (forkCount, reapCount) = (numbers[4], numbers[5])
        for at in stride(from: 6, to: numbers.count, by: 2) {
            living[Int32(numbers[at])] = Int64(numbers[at + 1])
        }
    }
}

extension ForkServer {
    /// Begins anew where the application has changed; returns where it has not.
    ///
    /// Whoever is in the listen queue is served by the new image; idle children close, for the drain
    /// signal ends with this one.
    mutating func succeedIfChanged() {
        guard let host, host.hasChanged() else { return }
        channel.flush()
        let succession = Succession(of: self)
        var heir = settings
        heir.succession = succession
        for descriptor in [ForkServerSettings.listener, ForkServerSettings.frames] {
            _ = fcntl(descriptor, F_SETFD, 0)
        }
        // The recorder gave the whole path as the first word.
        let executable = CommandLine.arguments[0]
        var words: [UnsafeMutablePointer<CChar>?] =
            ([executable] + heir.arguments).map { strdup($0) } + [nil]
        execv(executable, &words)
        let why = String(cString: strerror(errno))
        complainAsForkServer("Cannot load the application anew: \(why). The old one goes on.")
        for descriptor in [ForkServerSettings.listener, ForkServerSettings.frames] {
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
    }

    /// Takes over from the image before.
    mutating func succeed(_ before: Succession) {
        nextConnectionID = before.nextConnectionID
        acceptedCount = before.acceptedCount
        forkFailureCount = before.forkFailureCount
        interruptions = before.interruptions
        ledger = ChildLedger(
            living: before.living,
            forkCount: before.forkCount,
            reapCount: before.reapCount
        )
        // Of who died meanwhile no signal will come.
        if settings.reaping == .drain { reap(collectsAll: true) }
    }
}

extension Succession {
    fileprivate init(of server: ForkServer) {
        nextConnectionID = server.nextConnectionID
        acceptedCount = server.acceptedCount
        forkFailureCount = server.forkFailureCount
        interruptions = server.interruptions
        forkCount = server.ledger.forkCount
        reapCount = server.ledger.reapCount
        living = server.ledger.living
    }
}
