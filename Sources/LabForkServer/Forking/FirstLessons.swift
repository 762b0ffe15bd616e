// What the first children have to do that their parent could have done for all: it is learned from them.
//
//     a child's end ─┬─ it imported what the parent may ─▶ names ─▶ the parent imports it; once more
//                    └─ else ─▶ the pages that it wrote to ─▶ copied at the fork from then on

import CLabLinux

/// What the children of a hosted application tell their parent before it forks again.
///
/// What a child of the rehearsal writes is known before, but the application answers nothing there. An
/// interpreter writes a count into each object that it looks at: hundreds of pages in a child, and a
/// page that is copied at the fork costs half of one that is copied by a fault.
///
/// Imports come before pages: they move what is written.
final class FirstLessons {
    /// More would cost each fork too much, for what may have been one odd request.
    private static let mostPages: Int32 = 2048
    /// How often the parent imports; each time the next children may come to something else.
    private static let mostImports: Int32 = 3

    private let room: OpaquePointer
    private let host: any HostedApplication
    /// A child asks for the one that it was forked in: what an older one knows is out of date.
    private var round: Int32 = 1
    private var isOver = false

    /// Makes room; nil where the memory can't be had.
    init?(of host: any HostedApplication) {
        guard let room = clab_written_room() else { return nil }
        self.room = room
        self.host = host
    }

    /// The child, at its end: tells, if no other has.
    func tell() {
        guard !isOver, clab_take_round(room, round) != 0 else { return }
        let names = UnsafeMutableBufferPointer(
            start: clab_names_room(room),
            count: Int(CLAB_NAMES_SIZE)
        )
        // Looking for names writes to each module.
        clab_note_written(room)
        clab_tell(room, round > Self.mostImports ? 0 : host.tellUnlearned(names))
    }

    /// The parent, after a child was reaped.
    func learn() {
        var size = 0
        guard !isOver, clab_was_told(room, round, &size) != 0 else { return }
        guard size > 0 else {
            isOver = true
            // What was imported since.
            clab_on_huge_pages()
            // Where it can't be had only speed is lost.
            _ = clab_copy_written_at_fork(room, Self.mostPages)
            return
        }
        round += 1
        host.learn(UnsafeBufferPointer(start: clab_names_room(room), count: size))
        // An import may have handled them, as one before the first fork may.
        _ = clab_signals_install()
    }
}
