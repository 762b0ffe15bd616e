// Why a replay could not be done at all. What one request meets is a ReplayOutcome instead.

/// Why a replay could not start.
public enum ReplayError: Error, Equatable, CustomStringConvertible {
    /// The target's name has no address.
    case cannotResolve(host: String, reason: String)
    /// The settings name no address to connect to.
    case noAddress(target: String)
    /// More connections are asked for than descriptors are allowed.
    case tooFewDescriptors(needed: Int, allowed: Int)
    /// The system gave no thread, or no epoll descriptor.
    case cannotStart(what: String, reason: String)

    /// A sentence that says what failed, on what, why, and what to do.
    public var description: String {
        switch self {
        case .cannotResolve(let host, let reason):
            "Cannot find the address of '\(host)': \(reason). Check the host in --target."
        case .noAddress(let target):
            "Cannot replay to '\(target)': no address of it is known. Check the host in --target."
        case .tooFewDescriptors(let needed, let allowed):
            "Cannot open \(needed) descriptors: this process may have \(allowed). "
                + "Lower --concurrency or --max-in-flight, or raise the limit with 'ulimit -Hn'."
        case .cannotStart(let what, let reason):
            "Cannot start the replay: no \(what) could be made: \(reason). "
                + "Lower --threads, or free resources and try again."
        }
    }
}
