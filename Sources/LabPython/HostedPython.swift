// A Python application in the fork server: libpython found at run time, the application imported once.

internal import CLabLinux
internal import CLabPython
internal import Glibc
internal import LabExchange
package import LabForkServer

/// Hosts one WSGI application (PEP 3333).
///
/// There is one at most in a process, as there is one interpreter.
package final class HostedPython: HostedApplication {
    private let settings: PythonSettings
    package private(set) var exitStatus: Int32?
    package let understudy: any Application
    package var rehearsedTarget: String? { settings.warmTarget.isEmpty ? nil : settings.warmTarget }
    private var lastLookNs: Int64 = 0
    private static let lookEveryNs: Int64 = 1_000_000_000

    /// Makes a host that has not loaded anything yet.
    package init(_ settings: PythonSettings) {
        self.settings = settings
        understudy = Understudy(isApplication: !settings.warmTarget.isEmpty)
    }

    /// Loads the library, starts the interpreter, and imports the application.
    package func load(again: Bool) -> Bool {
        // Standard output is the recorder's: not even a program that the application runs writes there.
        dup2(STDERR_FILENO, STDOUT_FILENO)
        if let why = clab_python_load(settings.library) {
            complainAsForkServer("Cannot load '\(settings.library)': \(String(cString: why)).")
            return false
        }
        // Only speed is lost where it can't be had.
        _ = clab_text_on_huge_pages(clab_python_text())
        guard start() else {
            complainAsForkServer("Cannot start Python from '\(settings.library)'.")
            return false
        }
        let name = "\(settings.module):\(settings.callable)"
        let imported = clab_python_import(
            settings.folder,
            settings.module,
            settings.callable,
            settings.isLazy ? 1 : 0
        )
        lastLookNs = clab_monotonic_ns()
        guard imported == 0 else {
            // It is imported by each child until it can be: who asks is answered what Python said.
            if again { return true }
            complainAsForkServer(
                "Cannot import the application '\(name)' from '\(settings.folder)'; what Python said "
                    + "stands above."
            )
            return false
        }
        guard clab_has_one_thread() != 0 else {
            complainAsForkServer(
                "The application '\(name)' starts a thread when it is imported, and no child would have "
                    + "that thread. Import it in each child: --lazy."
            )
            return false
        }
        return true
    }

    private func start() -> Bool {
        var calls = GatewayCalls.all
        let source = PackageResources.Gateway_py + [0]
        return source.withUnsafeBytes { bytes in
            clab_python_start(
                settings.executable,
                settings.usesUTF8 ? 1 : 0,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                &calls
            ) == 0
        }
    }

    package func hasChanged() -> Bool {
        let now = clab_monotonic_ns()
        guard settings.reloads, now - lastLookNs >= Self.lookEveryNs else { return false }
        lastLookNs = now
        return clab_python_has_changed() != 0
    }

    package func willFork() { clab_python_before_fork() }
    package func didForkInParent() { clab_python_after_fork_in_parent() }
    package func didForkInChild() { clab_python_after_fork_in_child() }
    package func willWait() { clab_python_wait_begin() }
    package func didWait() { clab_python_wait_end() }
    package func willLeave() { clab_python_leave() }

    package func tellUnlearned(_ room: UnsafeMutableBufferPointer<CChar>) -> Int {
        // One that is still there may have been started by an import; the parent must have none.
        guard clab_has_one_thread() != 0 else { return 0 }
        return clab_python_unlearned(room.baseAddress, room.count)
    }

    package func learn(_ names: UnsafeBufferPointer<CChar>) {
        clab_python_learn(names.baseAddress, names.count)
    }

    package func answer(_ call: ApplicationCall) {
        exitStatus = serve(call, CLAB_PYTHON_SERVE)
    }
}

/// What answers in the rehearsal: all of the gateway with a trivial application of its own, or with the
/// application itself, where that is to be warm.
private final class Understudy: Application {
    private let part: clab_python_part

    init(isApplication: Bool) { part = isApplication ? CLAB_PYTHON_WARM : CLAB_PYTHON_REHEARSE }

    func answer(_ call: ApplicationCall) { _ = serve(call, part) }
}

/// Has the gateway answer; the status to exit with, if it gives one.
private func serve(_ call: ApplicationCall, _ part: clab_python_part) -> Int32? {
    call.environ.forEach { name, value, type in
        name.withUnsafeBufferPointer { name in
            value.withUnsafeBufferPointer { value in
                let place = (name.baseAddress, name.count)
                switch type {
                case .string:
                    clab_python_environ_add(place.0, place.1, value.baseAddress, value.count)
                case .literal:
                    clab_python_environ_constant(place.0, place.1, constant(value))
                }
            }
        }
    }
    return GatewayCalls.during(call) {
        let status = clab_python_serve(part)
        return status < 0 ? nil : status
    }
}

private func constant(_ literal: UnsafeBufferPointer<UInt8>) -> clab_python_constant {
    switch literal.first {
    case UInt8(ascii: "t"): CLAB_PYTHON_TRUE
    case UInt8(ascii: "f"): CLAB_PYTHON_FALSE
    default: CLAB_PYTHON_VERSION
    }
}
