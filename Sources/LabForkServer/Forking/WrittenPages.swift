// Which pages a child writes to is learned from the first one: they are copied at the fork from then on.

import CLabLinux

/// The pages that a hosted application's child has written to.
///
/// What a child of the rehearsal writes is known before, but the application answers nothing there. An
/// interpreter writes a count into each object that it looks at: hundreds of pages in a child, and a
/// page that is copied at the fork costs half of one that is copied by a fault.
final class WrittenPages {
    /// More would cost each fork too much, for what may have been one odd request.
    private static let most: Int32 = 2048

    private let room: OpaquePointer
    private var isLearned = false

    /// Makes room; nil where the memory can't be had.
    init?() {
        guard let room = clab_written_room() else { return nil }
        self.room = room
    }

    /// The child, at its end: notes what it wrote, if nobody has.
    func note() { if !isLearned { clab_note_written(room) } }

    /// The parent, after a child was reaped.
    func learn() {
        guard !isLearned, clab_has_written(room) != 0 else { return }
        isLearned = true
        // Where it can't be had only speed is lost.
        _ = clab_copy_written_at_fork(room, Self.most)
    }
}
