// Every rule of HTTP/1 that a message can bend or break, with the place where it is written.

/// A rule of the wire: what a message may not do, or does at the price of a remark.
///
/// The raw value is what is stored in `deviation.code`; a value is never renamed.
public enum WireRule: String, Sendable, CaseIterable {
    // Start line.
    case leadingEmptyLine = "leading-empty-line"
    case requestLineMalformed = "request-line-malformed"
    case methodInvalid = "method-invalid"
    case methodTooLong = "method-too-long"
    case targetInvalid = "target-invalid"
    case targetTooLong = "target-too-long"
    case versionInvalid = "version-invalid"
    case versionUnsupported = "version-unsupported"
    case statusLineMalformed = "status-line-malformed"
    // Field section.
    case bareLineFeed = "bare-line-feed"
    case bareCarriageReturn = "bare-carriage-return"
    case whitespaceBeforeFirstField = "whitespace-before-first-field"
    case lineFolding = "line-folding"
    case fieldWithoutColon = "field-without-colon"
    case fieldNameInvalid = "field-name-invalid"
    case spaceBeforeColon = "space-before-colon"
    case controlInFieldValue = "control-in-field-value"
    case headTooLarge = "head-too-large"
    case tooManyFields = "too-many-fields"
    case headTruncated = "head-truncated"
    // Routing.
    case hostMissing = "host-missing"
    case hostRepeated = "host-repeated"
    case hostInvalid = "host-invalid"
    case hostEmpty = "host-empty"
    case hostDiffersFromTarget = "host-differs-from-target"
    case fieldNameAmbiguous = "field-name-ambiguous"
    case proxyFieldDropped = "proxy-field-dropped"
    // Framing.
    case lengthAndTransferEncoding = "length-and-transfer-encoding"
    case contentLengthRepeated = "content-length-repeated"
    case contentLengthInvalid = "content-length-invalid"
    case contentLengthLeadingZero = "content-length-leading-zero"
    case transferEncodingNotChunkedLast = "transfer-encoding-not-chunked-last"
    case transferEncodingUnknown = "transfer-encoding-unknown"
    case transferEncodingInVersion10 = "transfer-encoding-in-version-1.0"
    case chunkSizeInvalid = "chunk-size-invalid"
    case chunkExtensionInvalid = "chunk-extension-invalid"
    case chunkExtensionsTooLong = "chunk-extensions-too-long"
    case chunkNotTerminated = "chunk-not-terminated"
    case trailerInvalid = "trailer-invalid"
    case trailerFieldForbidden = "trailer-field-forbidden"
    case bodyTruncated = "body-truncated"
    case contentInConnect = "content-in-connect"

    /// The section that states the rule, such as `RFC 9112 5.2`.
    public var section: String {
        switch self {
        case .leadingEmptyLine, .bareLineFeed, .bareCarriageReturn, .whitespaceBeforeFirstField:
            "RFC 9112 2.2"
        case .requestLineMalformed, .methodInvalid, .methodTooLong, .targetTooLong: "RFC 9112 3"
        case .targetInvalid, .hostMissing, .hostRepeated, .hostInvalid, .hostEmpty: "RFC 9112 3.2"
        case .hostDiffersFromTarget: "RFC 9112 3.2.2"
        case .versionInvalid: "RFC 9112 2.3"
        case .versionUnsupported: "RFC 9110 15.6.6"
        case .statusLineMalformed: "RFC 9112 4"
        case .lineFolding: "RFC 9112 5.2"
        case .spaceBeforeColon: "RFC 9112 5.1"
        case .fieldWithoutColon, .fieldNameInvalid: "RFC 9112 5"
        case .controlInFieldValue: "RFC 9110 5.5"
        case .headTooLarge, .tooManyFields: "RFC 6585 5"
        case .headTruncated, .bodyTruncated: "RFC 9112 8"
        case .fieldNameAmbiguous: "RFC 9110 17.10"
        case .proxyFieldDropped: "CVE-2016-5385"
        case .lengthAndTransferEncoding, .contentLengthRepeated, .transferEncodingNotChunkedLast:
            "RFC 9112 6.3"
        case .contentLengthInvalid, .contentLengthLeadingZero: "RFC 9110 8.6"
        case .transferEncodingUnknown, .transferEncodingInVersion10: "RFC 9112 6.1"
        case .chunkSizeInvalid, .chunkNotTerminated: "RFC 9112 7.1"
        case .chunkExtensionInvalid, .chunkExtensionsTooLong: "RFC 9112 7.1.1"
        case .trailerInvalid: "RFC 9112 7.1.2"
        case .trailerFieldForbidden: "RFC 9110 6.5.1"
        case .contentInConnect: "RFC 9110 9.3.6"
        }
    }

    /// The status that a server answers when it refuses a request for this rule.
    public var status: Int {
        switch self {
        case .targetTooLong: 414
        case .headTooLarge, .tooManyFields: 431
        case .versionUnsupported: 505
        case .transferEncodingUnknown, .methodTooLong: 501
        default: 400
        }
    }

    /// What the sender did, in the words of a sentence that begins with "the message".
    public var sentence: String {
        switch self {
        case .leadingEmptyLine: "starts with an empty line"
        case .requestLineMalformed: "has a request line that is not METHOD TARGET VERSION"
        case .methodInvalid: "has a method that is not a token"
        case .methodTooLong: "has a method that is too long"
        case .targetInvalid: "has a request target that no form allows"
        case .targetTooLong: "has a request target that is too long"
        case .versionInvalid: "has a version that is not HTTP/DIGIT.DIGIT"
        case .versionUnsupported: "is of a major version that is not spoken here"
        case .statusLineMalformed: "has a status line that is not VERSION STATUS REASON"
        case .bareLineFeed: "ends a line with LF alone"
        case .bareCarriageReturn: "has a CR that is not followed by LF"
        case .whitespaceBeforeFirstField: "has whitespace before its first field"
        case .lineFolding: "folds a field over two lines"
        case .fieldWithoutColon: "has a field line without a colon"
        case .fieldNameInvalid: "has a field name that is not a token"
        case .spaceBeforeColon: "has whitespace between a field name and its colon"
        case .controlInFieldValue: "has a control byte in a field value"
        case .headTooLarge: "has a head that is too large"
        case .tooManyFields: "has too many fields"
        case .headTruncated: "ends inside its head"
        case .hostMissing: "has no Host"
        case .hostRepeated: "has more than one Host"
        case .hostInvalid: "has a Host that is not HOST or HOST:PORT"
        case .hostEmpty: "has an empty Host"
        case .hostDiffersFromTarget: "names one host in its target and another in Host"
        case .fieldNameAmbiguous:
            "has a field whose environ name would be ambiguous; it was left out"
        case .proxyFieldDropped: "has a Proxy field; it was left out of the environ"
        case .lengthAndTransferEncoding: "has both Content-Length and Transfer-Encoding"
        case .contentLengthRepeated: "has more than one Content-Length"
        case .contentLengthInvalid: "has a Content-Length that is not a number in range"
        case .contentLengthLeadingZero: "has a Content-Length with leading zeros"
        case .transferEncodingNotChunkedLast:
            "has a Transfer-Encoding that does not end in one chunked"
        case .transferEncodingUnknown: "has a transfer coding that is not known here"
        case .transferEncodingInVersion10: "has Transfer-Encoding in HTTP/1.0"
        case .chunkSizeInvalid: "has a chunk size that is not hexadecimal or too large"
        case .chunkExtensionInvalid: "has a malformed chunk extension"
        case .chunkExtensionsTooLong: "has chunk extensions that are too long"
        case .chunkNotTerminated: "has a chunk that does not end in CRLF where its size says"
        case .trailerInvalid: "has a malformed trailer"
        case .trailerFieldForbidden:
            "has a trailer field that must stand in a head; it was left out"
        case .bodyTruncated: "ends inside its body"
        case .contentInConnect: "has content, though its method is CONNECT"
        }
    }
}

/// One place where a message left a rule: let pass and noted, or the reason why it was refused.
public struct Deviation: Sendable, Equatable {
    /// The rule.
    public let rule: WireRule
    /// Bytes from the start of the message to the place.
    public let offset: Int

    /// Makes a deviation from `rule` at `offset`.
    public init(_ rule: WireRule, at offset: Int) {
        self.rule = rule
        self.offset = offset
    }
}
