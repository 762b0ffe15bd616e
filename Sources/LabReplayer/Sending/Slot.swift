// One place for a session that is being sent. Plain data in one array of the worker: the number of
// a slot is what epoll gives back, so nothing is searched and nothing is retained.

/// The state of one slot.
struct Slot {
    enum Phase: UInt8 {
        /// Nothing is in flight: between two exchanges after a failure, or without a session.
        case idle
        /// The next request is not due yet.
        case paused
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
    /// Whether it waits until it is known when its request is due.
    var isUntimed = false
    /// Whether the request was due before the answer to the one before it came.
    var waitedForAnswer = false
    /// How many addresses were tried for this request, and which of them is tried now.
    var addressesTried = 0
    var address = 0

    /// The number of the connection among all of the replay; 0 before it is open.
    var connection: Int32 = 0
    /// The captured connection that it stands for; -1 for none.
    var captured: Int32 = -1
    var round: Int32 = 0
    /// The request in flight, as a place in the plan.
    var request = 0
    /// Its step, as a place in the session table, and the step after the session's last one.
    var step = 0
    var end = 0
    /// The chapter of the plan that its session belongs to.
    var chapter: Int32 = 0
    /// How many requests of the schedule come before the session, less its first step: with the step
    /// it is the request's number.
    var base = 0
    /// The request's bytes: the plan's, or the slot's own where something was put into them.
    var bytes: UnsafePointer<UInt8>?
    var length = 0
    /// How many of them were sent.
    var written = 0
    /// Whether the session takes something from the answer.
    var isWatched = false

    /// When the session started, where a clock says so.
    var sessionNs: Int64 = 0
    /// When the request was due; where no clock says so, when the slot became free for it.
    var intendedNs: Int64 = 0
    /// When opening the connection began.
    var connectNs: Int64 = 0
    var sentNs: Int64 = 0
    var firstByteNs: Int64 = 0
}
