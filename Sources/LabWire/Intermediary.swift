// What a proxy says in the messages that it sends on, of itself and of what it can carry.

/// How a proxy tells the next server for whom it asks.
public enum ForwardedFields: String, Sendable, CaseIterable {
    /// Not at all.
    case none
    /// By `X-Forwarded-For`, `X-Forwarded-Proto` and `X-Forwarded-Host`.
    case x
    /// By `Forwarded`.
    case rfc7239
}

/// A proxy or gateway, as it names itself in the messages that it sends on.
public struct Intermediary: Sendable, Equatable {
    /// Its name in `Via` (RFC 9110 7.6.3), which no other server has: by it a loop is known.
    public var pseudonym: String
    /// How it tells for whom it asks.
    public var forwardedFields: ForwardedFields
    /// The client's address, IPv6 without brackets.
    public var clientAddress: [UInt8]

    /// Makes an intermediary.
    public init(
        pseudonym: String,
        forwardedFields: ForwardedFields = .none,
        clientAddress: [UInt8] = []
    ) {
        self.pseudonym = pseudonym
        self.forwardedFields = forwardedFields
        self.clientAddress = clientAddress
    }

    /// Whether a request has passed this intermediary before.
    public func hasSent(_ head: RequestHead) -> Bool {
        head.fields.contains { field in
            head.name(of: field).equals(ignoringCase: "via")
                && head.value(of: field).listElements.contains { isOwn($0) }
        }
    }

    /// Whether an entry of `Via` is this intermediary's: protocol, name, perhaps a comment.
    private func isOwn(_ entry: ArraySlice<UInt8>) -> Bool {
        let words = entry.split(maxSplits: 2) { $0 == Byte.space || $0 == Byte.tab }
        return words.count > 1 && words[1].equals(ignoringCase: pseudonym.utf8)
    }

    /// Appends a `Via` line to a head that is sent on.
    ///
    /// The protocol in it is the one in which the message came, not the one in which it goes.
    func appendVia(of minorVersion: Int, to head: inout [UInt8]) {
        head.append("Via: 1.")
        head.append(decimal: minorVersion)
        head.append(Byte.space)
        head.append(contentsOf: pseudonym.utf8)
        head.append("\r\n")
    }
}

extension RequestHead {
    /// Whether a field of this name is replaced by one that ``appendForwarded(by:to:)`` writes.
    func isReplaced(_ name: ArraySlice<UInt8>, by intermediary: Intermediary) -> Bool {
        intermediary.forwardedFields == .x && name.equals(ignoringCase: "x-forwarded-for")
    }

    /// Appends the lines that tell the next server of the client, its scheme, and the host that it
    /// asked for.
    ///
    /// What a proxy before this one told stays: addresses are added to, and it alone knows the
    /// scheme and the host of the first request.
    func appendForwarded(by intermediary: Intermediary, to head: inout [UInt8]) {
        switch intermediary.forwardedFields {
        case .none: break
        case .x:
            let known =
                fields.filter { isReplaced(name(of: $0), by: intermediary) }
                .flatMap { value(of: $0).listElements } + [intermediary.clientAddress[...]]
            head.append("X-Forwarded-For: ")
            head.append(contentsOf: known.joined(separator: [Byte.comma, Byte.space]))
            head.append("\r\n")
            if value(ofFirst: "x-forwarded-proto") == nil {
                head.append("X-Forwarded-Proto: http\r\n")
            }
            if let host = askedHost, value(ofFirst: "x-forwarded-host") == nil {
                head.append("X-Forwarded-Host: ")
                head.append(contentsOf: host)
                head.append("\r\n")
            }
        case .rfc7239:
            head.append("Forwarded: for=")
            // An IPv6 address stands in brackets, and those in quotes (RFC 7239 6).
            let isNumericIPv6 = intermediary.clientAddress.contains(Byte.colon)
            if isNumericIPv6 { head.append("\"[") }
            head.append(contentsOf: intermediary.clientAddress)
            if isNumericIPv6 { head.append("]\"") }
            if let host = askedHost {
                head.append(";host=\"")
                head.append(contentsOf: host)
                head.append("\"")
            }
            head.append(";proto=http\r\n")
        }
    }

    /// The host that the client asked for, with its port; of an absolute target the one that is there.
    public var askedHost: [UInt8]? {
        if case .absolute(let authority, _) = form { return Array(authority.text.utf8) }
        return value(ofFirst: "host").map { Array($0) }
    }

    /// The protocols that the client offers to go on with, such as `websocket`, and that a proxy
    /// passes on (RFC 9110 7.8); HTTP/1.0 can offer none.
    ///
    /// `h2c` is not among them: the requests in such a tunnel would be seen by nobody, and they
    /// are answered as well in HTTP/1.1.
    var upgradeOffer: [ArraySlice<UInt8>] {
        guard minorVersion >= 1, connection.contains(.upgrade) else { return [] }
        return fields.flatMap { field in
            name(of: field).equals(ignoringCase: "upgrade") ? value(of: field).listElements : []
        }.filter { !$0.equals(ignoringCase: "h2c") }
    }

    /// Whether an upstream that this request is sent on to may answer 101.
    public var offersUpgrade: Bool { !upgradeOffer.isEmpty }

    /// Whether the client takes trailers, and all before it do (RFC 9110 10.1.4).
    private var takesTrailers: Bool {
        minorVersion >= 1
            && fields.contains { field in
                name(of: field).equals(ignoringCase: "te")
                    && value(of: field).listElements.contains {
                        $0.equals(ignoringCase: "trailers")
                    }
            }
    }

    /// Appends the lines that tell the next server what the client offers its own.
    func appendOffers(to head: inout [UInt8]) {
        let offer = upgradeOffer
        let takesTrailers = takesTrailers
        guard !offer.isEmpty || takesTrailers else { return }
        let options: StaticString =
            offer.isEmpty ? "TE" : takesTrailers ? "Upgrade, TE" : "Upgrade"
        head.append("Connection: ")
        head.append(options)
        head.append("\r\n")
        if takesTrailers { head.append("TE: trailers\r\n") }
        guard !offer.isEmpty else { return }
        head.append("Upgrade: ")
        head.append(contentsOf: offer.joined(separator: [Byte.comma, Byte.space]))
        head.append("\r\n")
    }
}

extension RequestHead {
    /// How many more servers may send this request on; nil for as many as there are.
    ///
    /// Only TRACE and OPTIONS have such a limit, and only where it is one number (RFC 9110 7.6.2).
    public var maxForwards: Int? {
        guard method.equals("TRACE") || method.equals("OPTIONS") else { return nil }
        var found: Int?
        for field in fields where name(of: field).equals(ignoringCase: "max-forwards") {
            let digits = value(of: field)
            guard found == nil, !digits.isEmpty, digits.allSatisfy({ $0 &- 0x30 < 10 }) else {
                return nil
            }
            // What is too large for a number is the largest there is.
            found = Int(String(decoding: digits, as: UTF8.self)) ?? .max
        }
        return found
    }

    /// This head as it came, as the answer to TRACE shows it: without what nobody else should see.
    public var traced: [UInt8] {
        var out = Array(
            bytes[methodRange.lowerBound..<(fields.first?.name.lowerBound ?? bytes.count)]
        )
        for (index, field) in fields.enumerated() where !isSecret(name(of: field)) {
            let next = index + 1
            let end = next < fields.count ? fields[next].name.lowerBound : bytes.count
            out += bytes[field.name.lowerBound..<end]
        }
        // The empty line goes with the last field.
        if let last = fields.last, isSecret(name(of: last)) { out.append("\r\n") }
        return out
    }

    private func isSecret(_ name: ArraySlice<UInt8>) -> Bool {
        name.equals(ignoringCase: "authorization") || name.equals(ignoringCase: "cookie")
            || name.equals(ignoringCase: "proxy-authorization")
    }
}
