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
        guard !bytes.isEmpty, bytes.allSatisfy(ByteSet.host.contains) else { return nil }
        var hostEnd = bytes.count
        var portStart = bytes.count
        if bytes[0] == 0x5B {
            guard let bracket = bytes.firstIndex(of: 0x5D) else { return nil }
            hostEnd = bracket + 1
            portStart = hostEnd
            if hostEnd < bytes.count {
                guard bytes[hostEnd] == Byte.colon else { return nil }
                portStart = hostEnd + 1
            }
        } else if let colon = bytes.firstIndex(of: Byte.colon) {
            hostEnd = colon
            portStart = colon + 1
        }
        let digits = bytes[portStart...]
        guard digits.count <= 5, digits.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        let port = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        guard port <= 65535, hostEnd > 0 else { return nil }
        let isLiteral = bytes[0] == 0x5B
        let host = isLiteral ? bytes[1..<hostEnd - 1] : bytes[..<hostEnd]
        self.init(
            host: String(decoding: host, as: UTF8.self),
            port: digits.isEmpty ? defaultPort : port
        )
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
        let scheme: StaticString = "http://"
        guard target.count > 7, target.prefix(7).equals(ignoringCase: scheme) else { return nil }
        let rest = target.dropFirst(7)
        let end = rest.firstIndex { $0 == 0x2F || $0 == 0x3F } ?? rest.endIndex
        guard let authority = Authority(rest[..<end], defaultPort: 80) else { return nil }
        return .absolute(authority, pathAndQuery: end..<rest.endIndex)
    }

    /// The target in origin-form: what an origin server or a replay's target is sent.
    public var originForm: [UInt8] {
        guard case .absolute(_, let place) = form else { return Array(target) }
        if place.isEmpty { return method.equals("OPTIONS") ? [0x2A] : [0x2F] }
        return (bytes[place.lowerBound] == 0x3F ? [0x2F] : []) + bytes[place]
    }
}
