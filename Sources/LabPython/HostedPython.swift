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
    package let understudy: any Application = Understudy()

    /// Makes a host that has not loaded anything yet.
    package init(_ settings: PythonSettings) { self.settings = settings }

    /// Loads the library, starts the interpreter, and imports the application.
    package func load() -> Bool {
        // Standard output is the recorder's: not even a program that the application runs writes there.
        dup2(STDERR_FILENO, STDOUT_FILENO)
        if let why = clab_python_load(settings.library) {
            complainAsForkServer("Cannot load '\(settings.library)': \(String(cString: why)).")
            return false
        }
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
        guard imported == 0 else {
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

    package func willFork() { clab_python_before_fork() }
    package func didForkInParent() { clab_python_after_fork_in_parent() }
    package func didForkInChild() { clab_python_after_fork_in_child() }
    package func willWait() { clab_python_wait_begin() }
    package func didWait() { clab_python_wait_end() }
    package func willLeave() { clab_python_leave() }

    package func answer(_ call: ApplicationCall) {
        exitStatus = serve(call, rehearses: false)
    }
}

/// What answers in the rehearsal: all of the gateway, and a trivial application of its own.
private final class Understudy: Application {
    func answer(_ call: ApplicationCall) { _ = serve(call, rehearses: true) }
}

/// Has the gateway answer; the status to exit with, if it gives one.
private func serve(_ call: ApplicationCall, rehearses: Bool) -> Int32? {
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
        let status = clab_python_serve(rehearses ? 1 : 0)
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
