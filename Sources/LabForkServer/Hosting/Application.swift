// What answers requests where it is not the built-in application or an upstream: a CGI program, or a
// WSGI callable. Both meet a request as an ApplicationCall.
//
//     head ─▶ environ ─▶ told ─▶ answer(call) ─┬─ read ◀─ content; 100 Continue goes out at the first
//                                              ├─ begin, send*, finish ─▶ framed, told ─▶ the client
//                                              ├─ write(errors:) ─▶ told
//                                              └─ fail ─▶ 500, and why is on record

package import LabExchange
package import LabWire

/// What answers requests, in a child.
///
/// It is made in the parent before the first fork, and each child has a copy.
package protocol Application: AnyObject {
    /// What it is told of a request, and what of the request did not make it there; on record before
    /// the application runs.
    func environ(
        of head: RequestHead,
        from origin: ConnectionOrigin,
        by environs: EnvironBuilder
    ) -> (Environ, [Deviation])

    /// Answers one request; a call that was neither finished nor failed when it returns has failed.
    func answer(_ call: ApplicationCall)
}

extension Application {
    /// The environ of PEP 3333, but for its streams.
    package func environ(
        of head: RequestHead,
        from origin: ConnectionOrigin,
        by environs: EnvironBuilder
    ) -> (Environ, [Deviation]) {
        environs.environ(of: head, peerAddress: origin.peerAddress, peerPort: origin.peerPort)
    }
}
