// The way to the recorder: frames are gathered and sent as one datagram.

import CLabLinux
import Glibc
import LabExchange

/// Gathers frames and sends them, blocking while the recorder is behind: nothing is dropped.
///
/// The frames of one datagram stand together in the queue, and the queue keeps the order of all
/// senders, which is what joins a child's words to its death.
final class FrameChannel {
    /// Where frames are sent; another place than the recorder's during the rehearsal.
    var descriptor: Int32
    /// Whose frames these are; 0 for the parent's.
    var connectionID: Int64 = 0
    /// What is gathered and not sent.
    var frames = FrameWriter()
    /// Whether the recorder is gone; what is sent from then on is lost, and nobody is left to tell.
    private(set) var isBroken = false

    init(descriptor: Int32) { self.descriptor = descriptor }

    /// Sends what is gathered, if there is anything.
    func flush() {
        guard !frames.bytes.isEmpty else { return }
        frames.forEachDatagram(of: connectionID) { bytes in
            while send(descriptor, bytes.baseAddress, bytes.count, Int32(MSG_NOSIGNAL)) < 0 {
                if errno == EINTR { continue }
                isBroken = true
                return
            }
        }
        frames.removeAll()
    }

    /// Sends what is gathered once another large frame may not fit into the datagram.
    func flushIfLarge() {
        if frames.bytes.count > FrameWriter.mostBytes / 2 { flush() }
    }

    /// Calls `body` with pieces of `content` that fit into a datagram, sending as it goes.
    func inPieces(
        _ content: ArraySlice<UInt8>,
        _ body: (inout FrameWriter, ArraySlice<UInt8>) -> Void
    ) {
        var rest = content
        while !rest.isEmpty {
            let piece = rest.prefix(FrameWriter.mostBytes / 2 - 1024)
            flushIfLarge()
            body(&frames, piece)
            rest = rest.dropFirst(piece.count)
        }
        flushIfLarge()
    }
}
