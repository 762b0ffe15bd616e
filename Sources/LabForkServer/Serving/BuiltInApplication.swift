// What answers when nothing else was asked for: a small application that shows what a child can do.

import CLabLinux
import Glibc
import LabExchange
import LabWire

/// The built-in application: one function, from a request to a response; on the way it may sleep,
/// burn CPU, leave orphans behind, or die, for that is what it is there to show.
struct BuiltInApplication {
    /// The most content that `/echo` holds before it answers.
    static let mostEchoBytes = 64 << 20

    /// What a child's application may let go of before it leaves another process behind.
    let descriptors: [Int32]

    /// Whether the answer is the request's own content.
    static func echoes(_ path: ArraySlice<UInt8>) -> Bool { path.equals("/echo") }

    /// Whether the answer may end this process, or hold it up.
    static func isDangerous(_ path: ArraySlice<UInt8>) -> Bool {
        let name = path.dropFirst().prefix { $0 != UInt8(ascii: "/") }
        return name.equals("crash") || name.equals("exit") || name.equals("sleep")
            || name.equals("deaf") || name.equals("spin") || name.equals("allocate")
            || name.equals("spawn-zombie") || name.equals("spawn-orphan")
    }

    /// Answers a request, its content read to the end.
    func answer(_ head: RequestHead, _ environ: Environ, content: [UInt8]) -> Response {
        let path = environ["PATH_INFO"] ?? []
        let isGet = head.method.equals("GET") || head.method.equals("HEAD")
        guard Self.knows(head.method) else {
            return Response(501, "The method is not known here.\n")
        }
        if head.method.equals("OPTIONS") {
            var response = Response(204, "")
            response.fields.append("Allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n")
            return response
        }
        if Self.echoes(path) {
            return Response(200, type: "application/octet-stream", content: .bytes(content))
        }
        let parts = path.split(separator: UInt8(ascii: "/"), maxSplits: 1)
        let name = parts.first ?? []
        let rest = parts.count > 1 ? parts[1] : []
        if path.equals("/") { return isGet ? Response(200, "Hello, World!") : notAllowed() }
        guard isGet else { return Self.isKnown(name) ? notAllowed() : notFound() }
        return answer(name, rest, environ) ?? notFound()
    }

    private func answer(
        _ name: ArraySlice<UInt8>,
        _ rest: ArraySlice<UInt8>,
        _ environ: Environ
    ) -> Response? {
        let number = decimal(rest)
        if name.equals("environ"), rest.isEmpty {
            var json: [UInt8] = []
            environ.appendJSON(to: &json)
            return Response(200, type: "application/json", content: .bytes(json))
        }
        if name.equals("sleep") { return sleepFor(rest) }
        if name.equals("deaf") {
            signal(SIGTERM, SIG_IGN)
            defer { signal(SIGTERM, SIG_DFL) }
            return sleepFor(rest)
        }
        if name.equals("status") {
            guard let number, (200...599).contains(number) else {
                return wants("/status/CODE", "a code from 200 to 599")
            }
            var response = Response(number, "\(number) \(Response.reason(number))\n")
            response.fields.append(Self.mustCome(with: number))
            return response
        }
        if name.equals("bytes") {
            guard let number, number <= 1 << 40 else {
                return wants("/bytes/N", "a number up to 2^40")
            }
            return Response(200, type: "application/octet-stream", content: .pattern(count: number))
        }
        if name.equals("crash") {
            guard let number, Self.isSignal(number), !(SIGSTOP...SIGTTOU).contains(Int32(number))
            else {
                return wants(
                    "/crash/NUMBER",
                    "a signal from 1 to 31 or from 34 to 64 that does not stop a process"
                )
            }
            return crash(Int32(number))
        }
        if name.equals("exit") {
            guard let number, number <= 255 else { return wants("/exit/CODE", "a code up to 255") }
            _exit(Int32(number))
        }
        if name.equals("allocate") {
            guard let number, number <= 1 << 20 else {
                return wants("/allocate/MIB", "a number of MiB up to 2^20")
            }
            return allocate(mebibytes: number)
        }
        if name.equals("spin") {
            guard let number, number <= 3_600_000 else {
                return wants("/spin/MS", "milliseconds up to an hour")
            }
            let end = clab_monotonic_ns() + Int64(number) * 1_000_000
            while clab_monotonic_ns() < end {}
            return Response(200, "Span for \(number) ms.\n")
        }
        if name.equals("spawn-zombie"), rest.isEmpty { return spawn(livesNs: 0) }
        if name.equals("spawn-orphan"), rest.isEmpty { return spawn(livesNs: 1_000_000_000) }
        return nil
    }

    /// The field that a status means nothing without (RFC 9110 15).
    private static func mustCome(with status: Int) -> StaticString {
        switch status {
        case 201, 301, 302, 303, 307, 308: "Location: /\r\n"
        case 401: "WWW-Authenticate: Basic realm=\"lab\"\r\n"
        case 405: "Allow: GET, HEAD, OPTIONS\r\n"
        case 407: "Proxy-Authenticate: Basic realm=\"lab\"\r\n"
        default: ""
        }
    }

    private static func knows(_ method: ArraySlice<UInt8>) -> Bool {
        method.equals("GET") || method.equals("HEAD") || method.equals("POST")
            || method.equals("PUT") || method.equals("PATCH") || method.equals("DELETE")
            || method.equals("OPTIONS")
    }

    private static func isKnown(_ name: ArraySlice<UInt8>) -> Bool {
        name.equals("environ") || name.equals("sleep") || name.equals("deaf")
            || name.equals("status")
            || name.equals("bytes") || name.equals("crash") || name.equals("exit")
            || name.equals("allocate") || name.equals("spin") || name.equals("spawn-zombie")
            || name.equals("spawn-orphan")
    }

    private func notFound() -> Response {
        Response(
            404,
            "Nothing is here. Try / /environ /sleep/SECONDS /deaf/SECONDS /status/CODE /bytes/N /echo "
                + "/crash/NUMBER /exit/CODE /allocate/MIB /spin/MS /spawn-zombie /spawn-orphan\n"
        )
    }

    private func notAllowed() -> Response {
        var response = Response(405, "Only GET and HEAD are answered here.\n")
        response.fields.append("Allow: GET, HEAD, OPTIONS\r\n")
        return response
    }

    private func wants(_ form: String, _ what: String) -> Response {
        Response(400, "\(form) takes \(what).\n")
    }

    private func decimal(_ text: ArraySlice<UInt8>) -> Int? {
        guard !text.isEmpty, text.count <= 15, text.allSatisfy({ $0 &- 0x30 < 10 }) else {
            return nil
        }
        return text.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }

    private func sleepFor(_ text: ArraySlice<UInt8>) -> Response {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count <= 2, let whole = decimal(parts.first ?? []), whole <= 3600,
            parts.count == 1 || (parts[1].count <= 9 && decimal(parts[1]) != nil)
        else { return wants("/sleep/SECONDS and /deaf/SECONDS", "seconds up to 3600, such as 0.5") }
        var nanoseconds = 0
        if parts.count == 2, let fraction = decimal(parts[1]) {
            nanoseconds = fraction
            for _ in parts[1].count..<9 { nanoseconds *= 10 }
        }
        pause(forNs: whole * 1_000_000_000 + nanoseconds)
        return Response(200, "Slept for \(String(decoding: text, as: UTF8.self)) s.\n")
    }

    private func pause(forNs duration: Int) {
        var left = timespec(tv_sec: duration / 1_000_000_000, tv_nsec: duration % 1_000_000_000)
        var rest = timespec()
        while nanosleep(&left, &rest) != 0, errno == EINTR { left = rest }
    }

    /// Those between the two are the C library's own.
    private static func isSignal(_ number: Int) -> Bool {
        (1...31).contains(number) || (34...64).contains(number)
    }

    /// Dies of the signal, or says which signals let it live.
    private func crash(_ number: Int32) -> Response {
        signal(number, SIG_DFL)
        kill(getpid(), number)
        return Response(200, "Signal \(number) does not end a process.\n")
    }

    private func allocate(mebibytes: Int) -> Response {
        guard let memory = malloc(max(1, mebibytes << 20)) else {
            return Response(500, "\(mebibytes) MiB can't be had.\n")
        }
        // One write a page: what is not touched is not resident.
        for page in stride(from: 0, to: mebibytes << 20, by: 4096) {
            memory.storeBytes(of: 1, toByteOffset: page, as: UInt8.self)
        }
        return Response(200, "Touched \(mebibytes) MiB.\n")
    }

    /// Forks a process and never waits for it.
    ///
    /// If it ends at once it is this child's zombie until this child ends; if it outlives it, it is
    /// an orphan. Either way the fork server inherits it.
    private func spawn(livesNs: Int) -> Response {
        let pid = fork()
        if pid == 0 {
            for descriptor in descriptors { close(descriptor) }
            pause(forNs: livesNs)
            _exit(0)
        }
        guard pid > 0 else { return Response(500, "Cannot fork.\n") }
        return Response(200, livesNs == 0 ? "Left zombie \(pid).\n" : "Left orphan \(pid).\n")
    }
}
