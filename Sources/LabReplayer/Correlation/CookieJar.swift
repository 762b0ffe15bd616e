// Cookies as a client keeps them (RFC 6265), as far as a replay needs them.

import LabWire

/// A cookie that an answer sets.
struct SetCookie: Sendable, Equatable {
    var name: String
    var value: [UInt8]
    /// The path that it names; nil where it leaves that to the client.
    var path: String?
    /// The domain that it names, in lowercase, without a dot before it.
    var domain: String?
    /// Whether it takes the cookie away: `Max-Age` of 0 or less, or an `Expires` of long ago.
    var isRemoval = false

    /// Reads the value of a `Set-Cookie` field; nil where it sets nothing (RFC 6265 5.2).
    init?(_ field: ArraySlice<UInt8>) {
        let parts = field.split(separator: UInt8(ascii: ";"), omittingEmptySubsequences: false)
            .map(Self.trimmed)
        guard let pair = parts.first, let equals = pair.firstIndex(of: UInt8(ascii: "=")),
            equals > pair.startIndex
        else { return nil }
        name = String(decoding: Self.trimmed(pair[..<equals]), as: UTF8.self)
        value = Array(Self.trimmed(pair[(equals + 1)...]))
        for attribute in parts.dropFirst() {
            let pieces = attribute.split(separator: UInt8(ascii: "="), maxSplits: 1)
            guard let name = pieces.first else { continue }
            let text = String(
                decoding: Self.trimmed(pieces.count > 1 ? pieces[1] : []),
                as: UTF8.self
            )
            if name.equals(ignoringCase: "path") {
                path = text.hasPrefix("/") ? text : nil
            } else if name.equals(ignoringCase: "domain") {
                let bare = text.hasPrefix(".") ? String(text.dropFirst()) : text
                domain = bare.isEmpty ? nil : bare.lowercased()
            } else if name.equals(ignoringCase: "max-age") {
                isRemoval = Int(text).map { $0 <= 0 } ?? isRemoval
            } else if name.equals(ignoringCase: "expires"), text.contains("1970") {
                // What servers write to take a cookie away; real dates need a clock and are let be.
                isRemoval = true
            }
        }
    }

    private static func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let isBlank = { (byte: UInt8) in byte == 0x20 || byte == 0x09 }
        guard let first = bytes.firstIndex(where: { !isBlank($0) }),
            let last = bytes.lastIndex(where: { !isBlank($0) })
        else { return bytes[bytes.endIndex...] }
        return bytes[first...last]
    }
}

/// A pair in a `Cookie` field.
struct SentCookie: Equatable {
    var name: String
    /// Where its value stands in the bytes that were read.
    var value: Range<Int>

    /// The pairs of a field's value, in order.
    static func all(in field: ArraySlice<UInt8>) -> [SentCookie] {
        field.split(separator: UInt8(ascii: ";")).compactMap { pair in
            guard let start = pair.firstIndex(where: { $0 != 0x20 && $0 != 0x09 }),
                let equals = pair.firstIndex(of: UInt8(ascii: "="))
            else { return nil }
            let name = String(decoding: pair[start..<equals], as: UTF8.self)
            return SentCookie(name: name, value: (equals + 1)..<pair.endIndex)
        }
    }
}

/// The cookies of one session.
struct CookieJar: Sendable {
    private struct Cookie {
        var name: String
        var value: [UInt8]
        var path: String
        var domain: String
        var isHostOnly: Bool
    }

    private var cookies: [Cookie] = []

    /// Takes a cookie from the answer to a request.
    ///
    /// - Parameters:
    ///   - cookie: What the answer sets.
    ///   - host: The host that was asked when the request was captured. A replay sends all to one
    ///     target, and the cookies of two captured hosts must not mix.
    ///   - path: The request's path.
    mutating func set(_ cookie: SetCookie, host: String, path: String) {
        // A domain that is not the host's own is the target's, whose name was another one when the
        // request was captured: the cookie then belongs to the host alone.
        let domain = cookie.domain.flatMap { Self.isDomain($0, of: host) ? $0 : nil }
        let new = Cookie(
            name: cookie.name,
            value: cookie.value,
            path: cookie.path ?? Self.defaultPath(path),
            domain: domain ?? host,
            isHostOnly: domain == nil
        )
        let place = cookies.firstIndex {
            $0.name == new.name && $0.path == new.path && $0.domain == new.domain
        }
        switch (place, cookie.isRemoval) {
        case (let place?, true): cookies.remove(at: place)
        case (let place?, false): cookies[place] = new
        case (nil, true): break
        case (nil, false): cookies.append(new)
        }
    }

    /// The values of a name that a request would carry, the longest path first (RFC 6265 5.4).
    func values(of name: String, host: String, path: String) -> [[UInt8]] {
        cookies.filter { cookie in
            cookie.name == name && Self.isPath(cookie.path, of: path)
                && (cookie.isHostOnly
                    ? cookie.domain == host : Self.isDomain(cookie.domain, of: host))
        }.enumerated().sorted { first, second in
            let lengths = (first.element.path.utf8.count, second.element.path.utf8.count)
            return lengths.0 != lengths.1
                ? lengths.0 > lengths.1 : first.offset < second.offset
        }.map(\.element.value)
    }

    /// RFC 6265 5.1.3.
    private static func isDomain(_ domain: String, of host: String) -> Bool {
        host == domain || host.hasSuffix("." + domain)
    }

    /// RFC 6265 5.1.4.
    private static func isPath(_ cookie: String, of path: String) -> Bool {
        path == cookie || path.hasPrefix(cookie.hasSuffix("/") ? cookie : cookie + "/")
    }

    private static func defaultPath(_ path: String) -> String {
        guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/"), slash > path.startIndex
        else { return "/" }
        return String(path[..<slash])
    }
}
