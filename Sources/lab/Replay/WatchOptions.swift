// Which server's processes are watched while a session is replayed.

import ArgumentParser
import CLabLinux
import LabWire

/// The options of watching.
struct WatchOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Watch this process and its descendants meanwhile: CPU time, page faults, memory, descriptors, threads, zombies, orphans.",
            valueName: "pid"
        )
    )
    var watch: Int32?

    @Option(
        help: ArgumentHelp(
            "Start the target with this command, in which {port} is where it is to listen on 127.0.0.1, watch it, and end it afterwards.",
            valueName: "command"
        )
    )
    var spawn: String?

    @Option(help: ArgumentHelp("How long it may take until it answers.", valueName: "t"))
    var readyTimeout = Duration(nanoseconds: 20_000_000_000)

    func validate() throws {
        guard watch == nil || spawn == nil else {
            throw ValidationError("--watch is for a server that runs, and --spawn starts one.")
        }
        if let watch, watch < 1 {
            throw ValidationError("--watch takes the PID of a process, a number from 1 up.")
        }
        if let spawn, !spawn.contains("{port}") {
            throw ValidationError(
                "The command '\(spawn)' does not say where to listen: put {port} in it."
            )
        }
        guard readyTimeout.nanoseconds > 0 else {
            throw ValidationError("--ready-timeout takes a time above 0.")
        }
    }

    /// Where the server is to listen that is started; nil where none is.
    ///
    /// - Throws: ``Failure`` where no port is free.
    func place() throws -> Authority? {
        guard spawn != nil else { return nil }
        guard let port = Readiness.freePort() else {
            throw Failure("Cannot find a free port on 127.0.0.1: \(lastError()).")
        }
        return Authority(host: "127.0.0.1", port: port)
    }

    /// Begins to watch; nil where nothing is to be watched.
    ///
    /// - Throws: ``Failure`` where there is nothing to watch, or it does not start.
    func begin(at target: Authority) throws -> (any WatchedServer)? {
        if let watch { return try RunningServer(watch) }
        guard let spawn else { return nil }
        // What the server leaves behind becomes a child of this process, and is seen.
        _ = clab_become_subreaper()
        let command = BuildCommand(text: spawn, option: "--spawn")
        let build = try ServerBuild(command, port: target.port)
        try build.waitUntilReady(
            Readiness(port: target.port),
            timeoutNs: readyTimeout.nanoseconds
        )
        return build
    }

    /// What is to be said of a server that ended meanwhile; nil where none did.
    func sentence(on watched: WatchedWords?) -> String? {
        guard let watched, let death = watched.death else { return nil }
        return
            "The process that was watched, \(watched.pid), ended while the session was replayed: "
            + "\(death). What is told of it is of the time before."
    }
}
