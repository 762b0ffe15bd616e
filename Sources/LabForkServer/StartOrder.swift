// What a fork server is told before it begins.

/// The fork server sends one, of zeros, when it is ready; the recorder answers by another.
///
/// The session is made in between, so that an application that can't be imported leaves none behind.
struct StartOrder {
    /// The number of the first connection.
    var firstConnectionID: Int64
    /// How much the queue of frames may hold.
    var queueBytes: Int32

    /// The size of what is sent in its place by a fork server that can't begin and has said why.
    static let refusalSize = 1
}
