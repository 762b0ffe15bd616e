// Where things are: the fork server beside this executable, and what a URL names.

import Glibc
import LabForkServer
import LabWire

/// The path of a fork server: beside the executable that runs now.
func forkServerPath(_ name: String = "lab-forkserver") -> String {
    var room = [CChar](repeating: 0, count: 4096)
    let length = readlink("/proc/self/exe", &room, room.count - 1)
    let path = String(
        decoding: room.prefix(max(0, length)).map { UInt8(bitPattern: $0) },
        as: UTF8.self
    )
    let folder = path.lastIndex(of: "/").map { path[..<$0] } ?? "."
    return "\(folder)/\(name)"
}

/// Reads `http://HOST[:PORT][/]`, as targets and upstreams are given.
///
/// - Throws: ``Failure`` with code 64 where it is no such URL.
func authority(ofURL url: String, option: String) throws -> Authority {
    var rest = Substring(url)
    if rest.hasPrefix("https://") {
        throw Failure(
            "\(option) '\(url)': https is not spoken yet. Give an http URL.",
            code: 64
        )
    }
    if rest.hasPrefix("http://") { rest = rest.dropFirst(7) }
    if rest.hasSuffix("/") { rest = rest.dropLast() }
    guard !rest.contains("/"), let authority = Authority(rest.utf8, defaultPort: 80),
        authority.port > 0
    else {
        throw Failure(
            "\(option) '\(url)' is not a URL of the form http://HOST[:PORT]; "
                + "a path is not allowed, for the captured ones are sent.",
            code: 64
        )
    }
    return authority
}

/// The addresses of an upstream.
///
/// - Throws: ``Failure`` where its name is not known.
func addresses(of authority: Authority, option: String) throws -> [Authority] {
    let found = numericAddresses(of: authority)
    guard !found.isEmpty else {
        throw Failure(
            "Cannot find the host '\(authority.host)' of \(option): the name is not known. "
                + "Check its spelling, or give an address."
        )
    }
    return found
}
