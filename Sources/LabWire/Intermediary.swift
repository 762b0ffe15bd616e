// What a proxy says of itself in the messages that it sends on.

/// A proxy or gateway, as it names itself in the messages that it sends on.
public struct Intermediary: Sendable, Equatable {
    /// Its name in `Via` (RFC 9110 7.6.3), which no other server has: by it a loop is known.
    public var pseudonym: String

    /// Makes an intermediary.
    public init(pseudonym: String) { self.pseudonym = pseudonym }

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
