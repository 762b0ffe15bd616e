// What the kernel counted, in the vocabulary's words.

import CLabLinux
import Glibc
import LabExchange

extension ResourceUsage {
    /// What `wait4` or `getrusage` filled in.
    init(_ usage: rusage) {
        self.init()
        userCPUUs = Int64(usage.ru_utime.tv_sec) * 1_000_000 + Int64(usage.ru_utime.tv_usec)
        systemCPUUs = Int64(usage.ru_stime.tv_sec) * 1_000_000 + Int64(usage.ru_stime.tv_usec)
        maxRSSKiB = Int64(usage.ru_maxrss)
        minorFaults = Int64(usage.ru_minflt)
        majorFaults = Int64(usage.ru_majflt)
        voluntarySwitches = Int64(usage.ru_nvcsw)
        involuntarySwitches = Int64(usage.ru_nivcsw)
    }

    /// What this process used since it was forked.
    static func ofThisProcess() -> ResourceUsage { ResourceUsage(of: RUSAGE_SELF) }

    /// What those of its children used that it has waited for, and theirs.
    static func ofEndedChildren() -> ResourceUsage { ResourceUsage(of: RUSAGE_CHILDREN) }

    private init(of whom: __rusage_who) {
        var usage = rusage()
        getrusage(Int32(whom.rawValue), &usage)
        self.init(usage)
    }

    /// Adds the CPU times of another.
    mutating func addCPU(of other: ResourceUsage) {
        userCPUUs += other.userCPUUs
        systemCPUUs += other.systemCPUUs
    }
}
