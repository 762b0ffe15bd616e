// The fields that come after the content of a chunked message: kept apart from its head for ever.

/// The trailer section of a message (RFC 9110 6.5).
public struct TrailerSection: Sendable, Equatable {
    /// The field lines as they came, each with its CRLF; empty where there are none.
    public let bytes: [UInt8]
    /// Bytes from the start of the message to the first line.
    public let offset: Int

    /// Makes a section of lines that each end in CRLF.
    public init(bytes: [UInt8] = [], offset: Int = 0) {
        self.bytes = bytes
        self.offset = offset
    }

    /// The lines that a proxy sends on, and the rules that the others broke.
    ///
    /// What says how a message is framed, routed, authorized or understood must stand before its
    /// content: who merged it into the head afterwards would be deceived by it (RFC 9110 6.5.1). Where
    /// such a field comes as a trailer it is left out.
    ///
    /// - Parameter head: The head of the message.
    /// - Returns: The lines, each with its CRLF, and a deviation for each line that is not among them.
    public func forwarded(
        of head: some MessageHead
    ) -> (lines: [UInt8], dropped: [Deviation]) {
        guard !bytes.isEmpty else { return ([], []) }
        let hops = HopByHop(of: head)
        var lines: [UInt8] = []
        var dropped: [Deviation] = []
        var start = 0
        while let end = bytes[start...].firstIndex(of: Byte.lineFeed) {
            let line = bytes[start...end]
            let name = line.prefix { $0 != Byte.colon }
            if hops.contains(name) || Self.mustStandInHead(name) {
                dropped.append(Deviation(.trailerFieldForbidden, at: offset + start))
            } else {
                lines.append(contentsOf: line)
            }
            start = end + 1
        }
        return (lines, dropped)
    }

    /// The fields of RFC 7230 4.1.2 and their like: no field may be a trailer whose definition does
    /// not say so, but of the fields that are not known here that is not known either.
    private static func mustStandInHead(_ name: ArraySlice<UInt8>) -> Bool {
        switch String(decoding: name.map { asciiLowercased($0) }, as: UTF8.self) {
        // Framing and routing.
        case "content-length", "transfer-encoding", "host", "trailer", "te", "connection", "via",
            "upgrade", "keep-alive", "proxy-connection", "forwarded", "x-forwarded-for",
            "x-forwarded-host", "x-forwarded-proto":
            true
        // Conditions and controls.
        case "cache-control", "expect", "max-forwards", "pragma", "range", "if-match",
            "if-none-match", "if-modified-since", "if-unmodified-since", "if-range":
            true
        // Who asks, and what for.
        case "authorization", "proxy-authorization", "proxy-authenticate", "www-authenticate",
            "cookie", "set-cookie":
            true
        // What an answer means.
        case "age", "date", "expires", "location", "retry-after", "vary", "warning":
            true
        // How content is read.
        case "content-encoding", "content-type", "content-range": true
        default: false
        }
    }
}
