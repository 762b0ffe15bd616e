// The connections of a slot: the one that its request goes on, and those that are parked.

import Glibc

extension Worker {
    /// Takes up the connection that stands for `captured`; the one in use is parked.
    mutating func changeConnection(_ slot: Int, to captured: Int32) {
        if slots[slot].fd >= 0 {
            parked.park(
                ParkedConnection(
                    fd: slots[slot].fd,
                    captured: slots[slot].captured,
                    number: slots[slot].connection,
                    armed: slots[slot].armed,
                    isReused: slots[slot].isReused
                ),
                of: slot
            )
            slots[slot].fd = -1
            slots[slot].armed = 0
            slots[slot].isReused = false
        }
        slots[slot].captured = captured
        guard let found = parked.take(slot, where: { $0.captured == captured }) else { return }
        slots[slot].fd = found.fd
        slots[slot].armed = found.armed
        slots[slot].connection = found.number
        slots[slot].isReused = found.isReused
    }

    /// Gives up a connection that carries no request, for something came on it.
    ///
    /// The server closed it, or said what nobody asked for: nothing can be sent on it any more.
    mutating func dropUnused(_ slot: Int, _ fd: Int32) {
        if fd == slots[slot].fd {
            disconnect(slot)
        } else if let found = parked.take(slot, where: { $0.fd == fd }) {
            close(found.fd)
        }
    }

    mutating func disconnect(_ slot: Int) {
        guard slots[slot].fd >= 0 else { return }
        // Closing takes it out of epoll too.
        close(slots[slot].fd)
        slots[slot].fd = -1
        slots[slot].armed = 0
        slots[slot].isReused = false
    }

    /// Closes all that a slot has open.
    mutating func disconnectAll(_ slot: Int) {
        disconnect(slot)
        slots[slot].captured = -1
        while let found = parked.take(slot, where: { _ in true }) { close(found.fd) }
    }
}
