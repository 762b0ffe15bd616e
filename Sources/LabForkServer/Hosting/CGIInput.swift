// Where a CGI program's standard input comes from.

import CLabLinux
import Glibc
import LabWire

/// A program's standard input: a pipe that is filled while content comes, or a file that holds it.
///
/// A program is told the length of its content before it runs (RFC 3875 4.1.2). Content in chunks has none
/// until it is all there, so that it goes into a file first; other content streams.
struct CGIInput {
    /// The end that the program reads from.
    let program: Int32
    /// The end that content is written to; -1 where there is nothing to write.
    var pipe: Int32 = -1

    /// Makes the input of a request, whose length is known then; nil where it can't be had, or its content
    /// has no end, and the call has failed.
    init?(of request: inout CGIRequest, _ call: ApplicationCall) {
        if request.isRedirected || call.head.framing == .none {
            program = open("/dev/null", O_RDONLY | O_CLOEXEC)
        } else if call.head.framing == .chunked {
            program = clab_unnamed_file()
            guard program >= 0 else {
                Self.fail(call)
                return nil
            }
            var length: UInt64 = 0
            guard keep(&length, call) else {
                close(program)
                return nil
            }
            lseek(program, 0, SEEK_SET)
            request.contentLength = length
        } else {
            var pair: (Int32, Int32) = (-1, -1)
            let made = withUnsafeMutablePointer(to: &pair) {
                $0.withMemoryRebound(to: Int32.self, capacity: 2) { clab_pipe($0) }
            }
            program = made == 0 ? pair.0 : -1
            pipe = pair.1
            if made == 0 { _ = clab_set_blocking(pipe, 0) }
        }
        guard program >= 0 else {
            Self.fail(call)
            return nil
        }
    }

    private static func fail(_ call: ApplicationCall) {
        call.fail("the program's standard input could not be made: \(systemError())")
    }

    private func keep(_ length: inout UInt64, _ call: ApplicationCall) -> Bool {
        while true {
            switch call.read(atMost: 64 << 10) {
            case .end: return true
            case .broken(let why):
                call.fail(why)
                return false
            case .bytes(var left):
                length += UInt64(left.count)
                while !left.isEmpty {
                    let count = left.withUnsafeBytes { write(program, $0.baseAddress, $0.count) }
                    if count < 0, errno == EINTR { continue }
                    guard count > 0 else {
                        call.fail("the request's content could not be kept: \(systemError())")
                        return false
                    }
                    left = left.dropFirst(count)
                }
            }
        }
    }
}
