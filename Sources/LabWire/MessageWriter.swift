// values -> bytes: status lines, fields, chunks; and heads sent on with their hop-by-hop fields gone.

/// What a proxy takes out of a message before it sends it on (RFC 9110 7.6.1).
public struct HopByHop {
    private let named: [ArraySlice<UInt8>]

    /// Learns which fields `head` names in its `Connection` fields.
    public init(of head: some MessageHead) {
        named = head.fields.flatMap { field in
            head.name(of: field).equals(ignoringCase: "connection")
                ? head.value(of: field).listElements : []
        }
    }

    /// Whether a field of this name concerns one connection only.
    public func contains(_ name: ArraySlice<UInt8>) -> Bool {
        switch name.count {
        // What frames and routes the message is never one connection's affair, whoever says so: sent
        // on without it, content would be read as the next request.
        case 14 where name.equals(ignoringCase: "content-length"): return false
        case 4 where name.equals(ignoringCase: "host"): return false
        case 2 where name.equals(ignoringCase: "te"): return true
        case 7 where name.equals(ignoringCase: "upgrade"): return true
        case 10 where name.equals(ignoringCase: "connection"): return true
        case 10 where name.equals(ignoringCase: "keep-alive"): return true
        case 16 where name.equals(ignoringCase: "proxy-connection"): return true
        case 17 where name.equals(ignoringCase: "transfer-encoding"): return true
        case 19 where name.equals(ignoringCase: "proxy-authorization"): return true
        default: break
        }
        return named.contains { $0.equals(ignoringCase: name) }
    }
}

extension RequestHead {
    /// This head as it is sent to the next server: origin-form, its own `Host`, no hop-by-hop field.
    ///
    /// Every other field keeps its place, its case and its bytes.
    ///
    /// - Parameters:
    ///   - host: The value of `Host`.
    ///   - intermediary: Who sends it on, and says so; nil where the next server is to see a client.
    ///   - keepsHopByHop: Keep the hop-by-hop fields too, for a peer that is to see the head as it
    ///     was recorded. `Transfer-Encoding` always stays.
    /// - Returns: The head, its empty line included.
    public func forwarded(
        host: [UInt8],
        by intermediary: Intermediary? = nil,
        keepsHopByHop: Bool = false
    ) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 64)
        out.append(contentsOf: method)
        out.append(Byte.space)
        out.append(contentsOf: originForm)
        let isOld = keepsHopByHop && minorVersion == 0
        out.append(isOld ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n")
        let hops = HopByHop(of: self)
        let maxForwards = intermediary == nil ? nil : maxForwards
        let sendsTrailers = intermediary != nil && framing == .chunked
        var wroteHost = false
        for field in fields {
            let name = bytes[field.name]
            if name.equals(ignoringCase: "host") {
                out.append("Host: ")
                out.append(contentsOf: host)
                out.append("\r\n")
                wroteHost = true
                continue
            }
            if !keepsHopByHop, hops.contains(name) { continue }
            if keepsHopByHop, name.equals(ignoringCase: "transfer-encoding") { continue }
            if !keepsHopByHop, !sendsTrailers, name.equals(ignoringCase: "trailer") { continue }
            if let intermediary, isReplaced(name, by: intermediary) { continue }
            if let maxForwards, name.equals(ignoringCase: "max-forwards") {
                out.append(contentsOf: name)
                out.append(": ")
                out.append(decimal: max(0, maxForwards - 1))
                out.append("\r\n")
                continue
            }
            out.append(contentsOf: name)
            out.append(": ")
            out.append(contentsOf: bytes[field.value])
            out.append("\r\n")
        }
        if !wroteHost {
            out.append("Host: ")
            out.append(contentsOf: host)
            out.append("\r\n")
        }
        if framing == .chunked { out.append("Transfer-Encoding: chunked\r\n") }
        if let intermediary {
            appendOffers(to: &out)
            appendForwarded(by: intermediary, to: &out)
            intermediary.appendVia(of: minorVersion, to: &out)
        }
        out.append("\r\n")
        return out
    }
}

extension ResponseHead {
    /// This head as it is sent on to a client.
    ///
    /// What can't have content loses its length, which the next reader might believe (RFC 9110 8.6).
    ///
    /// - Parameters:
    ///   - isChunked: The content is sent in chunks.
    ///   - closes: The connection ends with this response.
    ///   - keepsAlive: Say `keep-alive`, as HTTP/1.0 clients need to hear.
    ///   - intermediary: Who sends it on.
    /// - Returns: The head, its empty line included.
    public func forwarded(
        isChunked: Bool,
        closes: Bool,
        keepsAlive: Bool,
        by intermediary: Intermediary
    ) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count + 64)
        out.append("HTTP/1.1 ")
        out.append(decimal: status)
        out.append(Byte.space)
        out.append(contentsOf: reason)
        out.append("\r\n")
        let hops = HopByHop(of: self)
        let sendsTrailers = isChunked && fieldFraming == .chunked
        // The client is told which protocol it is to speak, or has to (426).
        let switches = status == 101 || status == 426
        // Without content there is no length of it (RFC 9110 8.6).
        let isBodiless = status < 200 || status == 204
        for field in fields {
            let name = bytes[field.name]
            if hops.contains(name), !(switches && name.equals(ignoringCase: "upgrade")) { continue }
            if !sendsTrailers, name.equals(ignoringCase: "trailer") { continue }
            if isBodiless, name.equals(ignoringCase: "content-length") { continue }
            out.append(contentsOf: name)
            out.append(": ")
            out.append(contentsOf: bytes[field.value])
            out.append("\r\n")
        }
        if isChunked { out.append("Transfer-Encoding: chunked\r\n") }
        intermediary.appendVia(of: minorVersion, to: &out)
        if switches {
            out.append(
                closes && status != 101
                    ? "Connection: Upgrade, close\r\n" : "Connection: Upgrade\r\n"
            )
        } else if closes {
            out.append("Connection: close\r\n")
        } else if keepsAlive {
            out.append("Connection: keep-alive\r\n")
        }
        out.append("\r\n")
        return out
    }
}

extension Array where Element == UInt8 {
    /// Appends one chunk of the chunked coding; nothing for no content.
    public mutating func append(chunk content: some Collection<UInt8>) {
        guard !content.isEmpty else { return }
        append(hexadecimal: content.count)
        append("\r\n")
        append(contentsOf: content)
        append("\r\n")
    }

    /// Appends the last chunk and the trailer section.
    ///
    /// - Parameter trailers: Field lines, each with its CRLF.
    public mutating func appendLastChunk(trailers: [UInt8] = []) {
        append("0\r\n")
        append(contentsOf: trailers)
        append("\r\n")
    }
}
