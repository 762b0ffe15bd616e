// One place for a captured connection that is being sent. Plain data in one array of the worker:
// the number of a slot is what epoll gives back, so nothing is searched and nothing is retained.

/// The state of one slot.
struct Slot {
    enum Phase: UInt8 {
        /// Nothing is in flight: between two exchanges after a failure, or for good.
        case idle
        /// The system had no port or descriptor to give; tried again at the next tick.
        case starved
        /// The connection is being opened; nothing was sent.
        case connecting
        /// A part of the request was sent.
        case sending
        /// The request was sent, or can't be sent further; the whole answer has not come.
        case waiting
    }

    var phase = Phase.idle
    /// The connection; -1 where there is none.
    var fd: Int32 = -1
    /// The events that epoll watches for; 0 where the descriptor is not registered.
    var armed: UInt32 = 0
    /// Whether this connection has carried an answer before.
    var isReused = false
    /// Whether an answer has begun in a `PartialAnswer`.
    var isPartial = false
    /// How many addresses were tried for this request, and which of them is tried now.
    var addressesTried = 0
    var address = 0

    /// The number of the connection among all of the replay; 0 before it is open.
    var connection: Int32 = 0
    var round: Int32 = 0
    /// The request in flight, as a place in the plan.
    var request = 0
    /// The place after the last request of the captured connection.
    var end = 0
    /// How many bytes of the request were sent.
    var written = 0

    /// When the slot became free for this request.
    var intendedNs: Int64 = 0
    /// When opening the connection began.
    var connectNs: Int64 = 0
    var sentNs: Int64 = 0
    var firstByteNs: Int64 = 0
}
