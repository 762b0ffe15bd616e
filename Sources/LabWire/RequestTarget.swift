// The four forms of a request target (RFC 9112 3.2).

/// A host and a port.
public struct Authority: Sendable, Equatable, Hashable {
    /// The host: a name, an IPv4 address, or an IPv6 address without its brackets.
    public var host: String
    /// The port, 0 to 65535.
    public var port: Int

    /// Makes an authority.
    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST`, `HOST:PORT` or `[IPV6]:PORT`; nil where it is none of these.
    public init?(_ text: some Collection<UInt8>, defaultPort: Int) {
        let bytes = Array(text)
        let parts = bytes.withUnsafeBufferPointer { Self.parts($0) }
        guard let parts, bytes.allSatisfy(ByteSet.host.contains) else { return nil }
        self.init(
            host: String(decoding: bytes[parts.host], as: UTF8.self),
            port: parts.port ?? defaultPort
        )
    }

    /// Whether text is `HOST`, `HOST:PORT` or `[IPV6]:PORT`.
    static func isWellFormed(_ text: UnsafeBufferPointer<UInt8>) -> Bool { parts(text) != nil }

    /// Where the host stands, without brackets, and the port; nothing is allocated.
    private static func parts(
        _ text: UnsafeBufferPointer<UInt8>
    ) -> (host: Range<Int>, port: Int?)? {
        let openBracket = UInt8(ascii: "[")
        let closeBracket = UInt8(ascii: "]")
        var host = 0..<text.count
        var after = text.count
        if text.first == openBracket {
            guard let end = text.firstIndex(of: closeBracket), end > 2,
                text[1..<end].allSatisfy({
                    hexadecimalDigit($0) != nil || $0 == Byte.colon || $0 == UInt8(ascii: ".")
                })
            else { return nil }
            host = 1..<end
            after = end + 1
        } else if let colon = text.firstIndex(of: Byte.colon) {
            host = 0..<colon
            after = colon
        }
        guard !host.isEmpty,
            text.first == openBracket
                || !text[host].contains(where: { $0 == openBracket || $0 == closeBracket })
        else { return nil }
        guard after < text.count else { return (host, nil) }
        guard text[after] == Byte.colon else { return nil }
        var port = 0
        for digit in text[(after + 1)...] {
            guard digit &- 0x30 < 10, port <= 65535 else { return nil }
            port = port * 10 + Int(digit - 0x30)
        }
        guard port <= 65535 else { return nil }
        return (host, after + 1 == text.count ? nil : port)
    }

    /// Whether this is a name of a server that is bound to `server`, as far as that is known without
    /// a resolver.
    public func isName(of server: Authority) -> Bool {
        guard port == server.port else { return false }
        if host == server.host { return true }
        let isBoundToAll = server.host == "0.0.0.0" || server.host == "::"
        return isLoopback && (isBoundToAll || server.isLoopback)
    }

    private var isLoopback: Bool {
        host == "localhost" || host == "::1" || host.utf8.starts(with: "127.".utf8)
    }

    /// The authority as `Host` and URLs write it; port 80 is left out.
    public var text: String {
        let name = host.utf8.contains(Byte.colon) ? "[\(host)]" : host
        return port == 80 ? name : "\(name):\(port)"
    }
}

/// A request target, taken apart.
public enum RequestTarget: Sendable, Equatable {
    /// `/path?query`.
    case origin
    /// `http://host/path?query`: to a proxy. The place is that of the path and query; empty for `/`.
    case absolute(Authority, pathAndQuery: Range<Int>)
    /// `host:port`, with CONNECT.
    case authority(Authority)
    /// `*`, with OPTIONS.
    case asterisk
}

extension RequestTarget {
    /// Reads `http://host/path?query`; nil where it is none.
    public init?(absolute target: ArraySlice<UInt8>) {
        let scheme: StaticString = "http://"
        guard target.count > 7, target.prefix(7).equals(ignoringCase: scheme) else { return nil }
        let rest = target.dropFirst(7)
        let end = rest.firstIndex { $0 == 0x2F || $0 == 0x3F } ?? rest.endIndex
        guard let authority = Authority(rest[..<end], defaultPort: 80) else { return nil }
        self = .absolute(authority, pathAndQuery: end..<rest.endIndex)
    }
}

extension RequestHead {
    /// The target's form; nil where no form allows it with this method.
    public var form: RequestTarget? {
        let target = target
        guard let first = target.first else { return nil }
        if method.equals("CONNECT") {
            guard let authority = Authority(target, defaultPort: 0), authority.port > 0 else {
                return nil
            }
            return .authority(authority)
        }
        if first == 0x2F { return .origin }
        if target.equals("*") { return method.equals("OPTIONS") ? .asterisk : nil }
        return RequestTarget(absolute: target)
    }

    /// The target in origin-form: what an origin server or a replay's target is sent.
    public var originForm: [UInt8] {
        guard case .absolute(_, let place) = form else { return Array(target) }
        if place.isEmpty { return method.equals("OPTIONS") ? [0x2A] : [0x2F] }
        return (bytes[place.lowerBound] == 0x3F ? [0x2F] : []) + bytes[place]
    }
}
