// The processes of a server, through /proc: what they cost, and what they leave behind.
//
// The tree is the command, its descendants, and what was seen as one of them before it lost its
// parent. Where lab started the command it is a subreaper (prctl(2)), so that such a process becomes
// its child; of a server that ran already, one that was never seen under its parent is not found.

import CLabLinux
import Glibc
import LabComparer

/// The processes of one server.
struct ProcessTree {
    /// A process at one moment (proc(5), /proc/PID/stat).
    private struct Sight {
        var pid: pid_t
        var parent: pid_t
        var state: UInt8
        /// Of itself and of the children that it waited for.
        var spent: Spent
        var threads: Int
        var residentPages: Int
        /// When it started, in ticks: a PID with another start is another process.
        var start: Int
    }

    /// What only grows.
    private struct Spent {
        var ticks = 0
        var minorFaults = 0
        var majorFaults = 0

        static func += (left: inout Spent, right: Spent) {
            left.ticks += right.ticks
            left.minorFaults += right.minorFaults
            left.majorFaults += right.majorFaults
        }

        /// A child that nobody waits for takes what it spent with it, so that a sum can fall.
        mutating func rise(to other: Spent) {
            ticks = max(ticks, other.ticks)
            minorFaults = max(minorFaults, other.minorFaults)
            majorFaults = max(majorFaults, other.majorFaults)
        }
    }

    private let root: pid_t
    /// The starts of all processes that were ever seen in the tree.
    private var known: [pid_t: Int] = [:]
    private var orphans: Set<pid_t> = []
    private var spent = Spent()
    private var atStart = Spent()
    private var zombies = 0
    private var mostZombies = 0
    private var mostProcesses = 0
    private var mostPages = 0
    private var mostThreads = 0
    private var mostDescriptors = 0
    /// Whether the descriptors of all could be counted: others' are not for all to see.
    private var seesDescriptors = true
    /// Whether the root is there.
    private(set) var isAlive = false

    private static let ticksPerSecond = max(1, sysconf(Int32(_SC_CLK_TCK)))
    private static let pageKib = max(1, sysconf(Int32(_SC_PAGESIZE)) / 1024)
    /// How long what has ended may take to be reaped before it is a zombie that stands.
    private static let settleNs: Int64 = 300_000_000

    init(root: pid_t) { self.root = root }

    /// What was spent so far belongs to the start, and not to the answers.
    mutating func markStart() { atStart = spent }

    /// Takes note of what there is now.
    mutating func look() {
        let seen = sights()
        let pids = Set(seen.map(\.pid))
        isAlive = seen.contains { $0.pid == root && $0.state != UInt8(ascii: "Z") }
        var processes = 0
        var pages = 0
        var threads = 0
        var descriptors = 0
        var total = Spent()
        zombies = 0
        for sight in seen {
            if known[sight.pid] == nil { known[sight.pid] = sight.start }
            total += sight.spent
            let isOrphan = sight.pid != root && !pids.contains(sight.parent)
            if isOrphan { orphans.insert(sight.pid) }
            if sight.state == UInt8(ascii: "Z") {
                if isOrphan {
                    // Elsewhere the system's first process reaps it: it does not stand.
                    var status: Int32 = 0
                    if sight.parent == getpid() { _ = waitpid(sight.pid, &status, WNOHANG) }
                } else if sight.pid != root {
                    zombies += 1
                }
                continue
            }
            processes += 1
            pages += sight.residentPages
            threads += sight.threads
            if let open = Self.count("/proc/\(sight.pid)/fd") {
                descriptors += open
            } else if errno == EACCES {
                seesDescriptors = false
            }
        }
        spent.rise(to: total)
        mostZombies = max(mostZombies, zombies)
        mostProcesses = max(mostProcesses, processes)
        mostPages = max(mostPages, pages)
        mostThreads = max(mostThreads, threads)
        mostDescriptors = max(mostDescriptors, descriptors)
    }

    /// Looks until no zombie stands, or those that do have stood for a while.
    mutating func settle(hasDied: Bool) {
        let deadline = clab_monotonic_ns() + Self.settleNs
        look()
        while zombies > 0, !hasDied, clab_monotonic_ns() < deadline {
            usleep(10_000)
            look()
        }
    }

    /// What a single run tells of it.
    func watched(command: String?, death: String?) -> WatchedWords {
        let cost = cost(death: death)
        return WatchedWords(
            pid: root,
            command: command,
            cpuS: cost.cpuUs / 1e6,
            minorFaults: cost.minorFaults,
            majorFaults: cost.majorFaults,
            rssMaxKib: Int(cost.residentKib),
            descriptorsMax: seesDescriptors ? cost.descriptors : nil,
            threadsMax: cost.threads,
            processesMax: mostProcesses,
            zombiesMax: mostZombies,
            zombiesLeft: cost.zombies,
            orphans: cost.orphans,
            death: death
        )
    }

    /// All of it.
    func cost(death: String?) -> ServerCost {
        ServerCost(
            cpuUs: Double(spent.ticks - atStart.ticks) * 1e6 / Double(Self.ticksPerSecond),
            residentKib: Double(mostPages * Self.pageKib),
            minorFaults: spent.minorFaults - atStart.minorFaults,
            majorFaults: spent.majorFaults - atStart.majorFaults,
            descriptors: mostDescriptors,
            threads: mostThreads,
            zombies: zombies,
            orphans: orphans.count,
            death: death
        )
    }

    /// Ends and reaps those that became children of this process.
    mutating func endOrphans() {
        for sight in sights() where sight.parent == getpid() && sight.pid != root {
            _ = kill(sight.pid, SIGKILL)
            var status: Int32 = 0
            while waitpid(sight.pid, &status, 0) < 0, errno == EINTR {}
        }
    }

    /// Whether this process, or one that it descends from, is the root.
    var holdsThisProcess: Bool {
        var pid = getpid()
        while pid > 0, pid != root, let sight = Self.sight(pid) { pid = sight.parent }
        return pid == root
    }

    // MARK: /proc

    /// The processes of the tree: found from the root down, and among those that were known.
    private func sights() -> [Sight] {
        var all: [pid_t: Sight] = [:]
        var children: [pid_t: [pid_t]] = [:]
        for pid in Self.pids() {
            guard let sight = Self.sight(pid) else { continue }
            all[pid] = sight
            children[sight.parent, default: []].append(pid)
        }
        // What has the root's number by now may be somebody else.
        let isSame = known[root].map { all[root]?.start == $0 } ?? true
        var wanted: [pid_t] = isSame ? [root] : []
        for (pid, start) in known where pid != root && all[pid]?.start == start {
            wanted.append(pid)
        }
        // An orphan that was never seen under its parent is still in the server's group.
        for pid in children[getpid()] ?? [] where pid != root && getpgid(pid) == root {
            wanted.append(pid)
        }
        var found: [pid_t: Sight] = [:]
        while let pid = wanted.popLast() {
            guard found[pid] == nil, let sight = all[pid] else { continue }
            found[pid] = sight
            wanted += children[pid] ?? []
        }
        return Array(found.values)
    }

    private static func pids() -> [pid_t] {
        guard let folder = opendir("/proc") else { return [] }
        defer { closedir(folder) }
        var found: [pid_t] = []
        while let entry = readdir(folder) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { raw in
                raw.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if let pid = pid_t(name) { found.append(pid) }
        }
        return found
    }

    /// How many entries a folder has; nil with errno.
    private static func count(_ path: String) -> Int? {
        guard let folder = opendir(path) else { return nil }
        defer { closedir(folder) }
        var count = -2
        while readdir(folder) != nil { count += 1 }
        return max(0, count)
    }

    private static func sight(_ pid: pid_t) -> Sight? {
        let file = open("/proc/\(pid)/stat", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = read(file, &bytes, bytes.count)
        // The name stands in parentheses and may hold anything; what follows it does not.
        guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")) else {
            return nil
        }
        let words = bytes[(end + 1)..<count].split(separator: 0x20)
        func number(_ field: Int) -> Int {
            // Numbered as in proc(5); the state is field 3.
            words.count > field - 3
                ? Int(String(decoding: words[field - 3], as: UTF8.self)) ?? 0 : 0
        }
        guard words.count > 21 else { return nil }
        return Sight(
            pid: pid,
            parent: pid_t(number(4)),
            state: words[0].first ?? 0,
            spent: Spent(
                ticks: number(14) + number(15) + number(16) + number(17),
                minorFaults: number(10) + number(11),
                majorFaults: number(12) + number(13)
            ),
            threads: number(20),
            residentPages: number(24),
            start: number(22)
        )
    }
}
