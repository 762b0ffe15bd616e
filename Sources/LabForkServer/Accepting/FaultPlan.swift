// Faults that a test asks for: a call fails as if the system had refused it.

/// Which calls fail, each time so many have succeeded.
public struct FaultPlan: Sendable, Equatable {
    /// One call that fails every so often.
    public struct Fault: Sendable, Equatable {
        /// Every how many calls one fails; 0 for never.
        public var every: Int
        private var count = 0

        /// Makes a fault.
        public init(every: Int = 0) { self.every = every }

        /// Whether this call fails.
        mutating func strikes() -> Bool {
            guard every > 0 else { return false }
            count += 1
            return count % every == 0
        }
    }

    /// `fork` fails with EAGAIN.
    public var fork = Fault()
    /// `accept` fails with EMFILE, and takes nobody from the queue.
    public var accept = Fault()
    /// `accept` fails with ECONNABORTED: its client is gone.
    public var abort = Fault()

    /// Makes a plan without faults.
    public init() {}

    /// Adds a fault such as `fork=3`.
    ///
    /// - Returns: false where there is none of that name, or no number from 1 up.
    public mutating func add(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: "=")
        guard parts.count == 2, let every = Int(parts[1]), every > 0 else { return false }
        switch parts[0] {
        case "fork": fork = Fault(every: every)
        case "accept": accept = Fault(every: every)
        case "abort": abort = Fault(every: every)
        default: return false
        }
        return true
    }

    /// The faults as ``add(_:)`` takes them.
    var words: [String] {
        [("fork", fork), ("accept", accept), ("abort", abort)].filter { $0.1.every > 0 }
            .map { "\($0.0)=\($0.1.every)" }
    }
}
