// An application that lives in the process that forks, and not in a program of its own.

/// An application that is loaded once, in the parent, and has a copy in each child.
///
/// It may have threads in a child; there, none runs but while the fork server waits.
package protocol HostedApplication: Application {
    /// Makes it ready, after what was inherited is closed and before signals are handled.
    ///
    /// - Parameter again: A server that has served before goes on, whatever became of the application:
    ///   one that can't be loaded fails each request.
    /// - Returns: Whether it is; if not, standard error says why.
    func load(again: Bool) -> Bool

    /// Whether it is to be loaded anew, for it is not any more what was loaded; looked at now and then
    /// only, and never where that was not asked for.
    func hasChanged() -> Bool

    /// What answers in the rehearsal: unless that was asked for, nothing may happen in the parent that
    /// would be seen of the application.
    var understudy: any Application { get }
    /// What the rehearsal asks for; nil for the usual.
    var rehearsedTarget: String? { get }

    /// The parent is about to fork.
    func willFork()
    /// The parent goes on, whether it has a child or not.
    func didForkInParent()
    /// The child begins.
    func didForkInChild()

    /// This thread is about to wait; others of the application may run.
    func willWait()
    /// It goes on, and no other runs.
    func didWait()

    /// In a child, at its end: the names of what it has loaded that the parent may load too, before it
    /// forks again.
    ///
    /// - Returns: How many bytes of `room` they take; 0 where there is nothing of that kind.
    func tellUnlearned(_ room: UnsafeMutableBufferPointer<CChar>) -> Int
    /// In the parent: loads what a child has told of.
    func learn(_ names: UnsafeBufferPointer<CChar>)

    /// The status that the process is to leave with, where the application has asked for that.
    var exitStatus: Int32? { get }
    /// The process is about to leave.
    func willLeave()
}
