// What the gateway calls while it serves a request, from Python by way of C.

internal import CLabPython
internal import Glibc
import LabForkServer

/// The calls of the gateway, all about the one request that this process answers.
enum GatewayCalls {
    /// Has the calls of `body` concern one request.
    static func during<Result>(_ call: ApplicationCall, _ body: () -> Result) -> Result {
        current = call
        defer { current = nil }
        return body()
    }

    static var all: clab_python_calls {
        clab_python_calls(
            read_content: { room, size in
                var count = 0
                let status = use { call in
                    switch call.read(atMost: size) {
                    case .bytes(let run):
                        count = run.count
                        _ = UnsafeMutableBufferPointer(start: room, count: size)
                            .update(fromContentsOf: run)
                        return 0
                    case .end: return 0
                    case .broken(let why): return failed(why)
                    }
                }
                return status < 0 ? -1 : count
            },
            begin: { status, reason, fields, count in
                let fields = UnsafeBufferPointer(start: fields, count: count)
                return use { call in
                    do throws(AnswerFault) {
                        call.begin(
                            try AnswerHead(
                                status: status,
                                reason: bytes(reason),
                                fields: stride(from: 0, to: count, by: 2).map {
                                    (name: bytes(fields[$0]), value: bytes(fields[$0 + 1]))
                                }
                            )
                        )
                        return 0
                    } catch {
                        return failed("the application \(error.sentence)")
                    }
                }
            },
            send: { block in
                use { call in
                    guard call.send(bytes(block)) else { return failed(clientIsGone) }
                    return call.hasSurplus ? 2 : call.takesContent ? 0 : 1
                }
            },
            finish: { block in
                use { call in
                    call.finish(bytes(block))
                    return call.isUnsent ? failed(clientIsGone) : 0
                }
            },
            tell: { text in
                // On record at once: the application may end this process next.
                current?.write(errors: bytes(text))
                current?.flush()
            },
            fail: { why in
                _ = use { call in
                    call.fail(String(decoding: bytes(why), as: UTF8.self))
                    return 0
                }
            },
            forked: {
                close(ForkServerSettings.frames)
                return current?.letGo() == true ? 1 : 0
            },
            why: { why.withUnsafeBufferPointer { $0.baseAddress } }
        )
    }
}

private let clientIsGone = "the client is gone"
private nonisolated(unsafe) var current: ApplicationCall?
private nonisolated(unsafe) var isBusy = false
/// Why the last call failed, for C to read.
private nonisolated(unsafe) var why = ContiguousArray<CChar>([0])

/// Does one thing to the request.
///
/// One thread of the application may call while another is in a call and waits there: it may write to
/// the error stream, and is refused all else.
///
/// - Returns: What `body` gives; -1 where there is no request any more, or another thread is at it.
private func use(_ body: (ApplicationCall) -> Int32) -> Int32 {
    guard let current else { return failed("the request is over") }
    guard !isBusy else {
        return failed("two threads of the application use one request at the same time")
    }
    isBusy = true
    defer { isBusy = false }
    return body(current)
}

private func failed(_ sentence: String) -> Int32 {
    why = ContiguousArray(sentence.utf8CString)
    return -1
}

private func bytes(_ run: clab_run) -> ArraySlice<UInt8> {
    Array(UnsafeBufferPointer(start: run.bytes, count: run.size))[...]
}
