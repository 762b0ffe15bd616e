// A CGI program as a process: started with the environ as its environment, and ended.

import CLabLinux
import Glibc
import LabExchange
import LabWire

/// A process that runs a CGI program.
struct CGIProgram {
    /// Why it could not be started: a sentence.
    struct StartFailure: Error {
        let sentence: String
    }

    private static let graceNs: Int64 = 1_000_000_000

    /// The file's name, for sentences.
    let name: String
    /// Whether it makes the whole response itself (RFC 3875 5).
    let isUnparsed: Bool
    private let pid: pid_t
    /// Readable once it has ended; -1 where the kernel has no such descriptors.
    let end: Int32
    /// Where its standard input is written to, its output and errors read from; -1 once they are closed.
    var input: Int32
    var output: Int32
    var errors: Int32
    /// Its wait status, once it was waited for.
    private(set) var status: Int32?

    /// Starts it.
    ///
    /// - Throws: ``StartFailure``.
    init(_ request: CGIRequest, _ environ: Environ, _ standardInput: CGIInput) throws(StartFailure)
    {
        let program = request.script?.program ?? []
        let slash = program.lastIndex(of: UInt8(ascii: "/")) ?? program.startIndex
        let file = program[slash...].dropFirst()
        let folder = slash == program.startIndex ? [UInt8(ascii: "/")] : Array(program[..<slash])
        name = String(decoding: file, as: UTF8.self)
        isUnparsed = file.starts(with: "nph-".utf8)
        let outputs = Self.pipe()
        let complaints = Self.pipe()
        defer { Self.close(standardInput.program, outputs?.writes, complaints?.writes) }
        guard let outputs, let complaints else {
            let sentence = "\(name) could not be run: \(systemError())"
            Self.close(standardInput.pipe, outputs?.reads, complaints?.reads)
            throw StartFailure(sentence: sentence)
        }
        let standard = [standardInput.program, outputs.writes, complaints.writes]
        pid = Self.run(program, in: folder, environ, standard)
        guard pid > 0 else {
            let isMissing = errno == ENOENT || errno == ENOEXEC
            let hint = isMissing ? " (is the interpreter of its first line there?)" : ""
            let sentence = "\(name) could not be run: \(systemError())\(hint)"
            Self.close(standardInput.pipe, outputs.reads, complaints.reads)
            throw StartFailure(sentence: sentence)
        }
        end = clab_watch_process(pid)
        (input, output, errors) = (standardInput.pipe, outputs.reads, complaints.reads)
        _ = clab_set_blocking(output, 0)
        _ = clab_set_blocking(errors, 0)
    }

    private static func pipe() -> (reads: Int32, writes: Int32)? {
        var pair: (Int32, Int32) = (-1, -1)
        let made = withUnsafeMutablePointer(to: &pair) {
            $0.withMemoryRebound(to: Int32.self, capacity: 2) { clab_pipe($0) }
        }
        return made == 0 ? (pair.0, pair.1) : nil
    }

    private static func close(_ descriptors: Int32?...) {
        for case let descriptor? in descriptors where descriptor >= 0 { Glibc.close(descriptor) }
    }

    /// The environ becomes the environment, byte for byte.
    ///
    /// The query never becomes arguments, as RFC 3875 4.4 would allow for one without `=`: programs take
    /// them for options (CVE-2012-1823).
    private static func run(
        _ program: [UInt8],
        in folder: [UInt8],
        _ environ: Environ,
        _ standard: [Int32]
    ) -> pid_t {
        var variables: [UnsafeMutablePointer<CChar>?] = []
        environ.forEach { name, value, _ in
            variables.append((Array(name) + [UInt8(ascii: "=")] + value).asPath { strdup($0) })
        }
        variables.append(nil)
        let arguments = [program.asPath { strdup($0) }, nil]
        defer { for text in variables + arguments { free(text) } }
        return program.asPath { path in
            folder.asPath { clab_run_program(path, arguments, variables, $0, standard) }
        }
    }

    /// Reaps it, if it has ended or once it has.
    mutating func reap(waits: Bool = false) {
        var status: Int32 = 0
        if clab_wait_for(pid, waits ? 1 : 0, &status) != 0 { self.status = status }
    }

    /// SIGTERM to it and to all that it started, a second of grace, SIGKILL.
    mutating func terminate() {
        clab_signal_own_group(SIGTERM)
        var poll = clab_poll(fd: end, events: Int16(CLAB_IN), revents: 0)
        _ = clab_poll(&poll, 1, Self.graceNs)
        reap()
        guard status == nil else { return }
        kill(pid, SIGKILL)
        reap(waits: true)
    }

    /// Closes all that is open to it.
    mutating func close() {
        Self.close(input, output, errors, end)
        (input, output, errors) = (-1, -1, -1)
    }
}
