// Where we and llhttp part on purpose: what we do, what llhttp does, and why. A difference that is not
// listed is a bug in one of the two, or in this list.

import LabWire

/// A difference between LabWire and llhttp that is meant.
struct KnownDifference: Sendable, CustomStringConvertible {
    /// Our rule's code; for what no rule of ours speaks of, a name.
    let code: String
    let ours: String
    let theirs: String
    let why: String
    let section: String
    /// Whether it explains a difference, seen in these bytes.
    let explains: @Sendable (Difference, Sight) -> Bool

    var description: String {
        "\(code): we \(ours), llhttp \(theirs): \(why) (\(section))"
    }

    /// We refuse for a rule what llhttp does not.
    static func refused(
        _ rule: WireRule,
        _ theirs: String,
        why: String,
        section: String? = nil
    ) -> Self {
        Self(
            code: rule.rawValue,
            ours: "refuse it",
            theirs: theirs,
            why: why,
            section: section ?? rule.section
        ) { difference, _ in
            guard case .refuses(rule.rawValue) = difference.ours else { return false }
            if case .refuses = difference.theirs { return false }
            return true
        }
    }

    /// We let pass and note what llhttp refuses.
    static func noted(_ rule: WireRule, _ theirs: String, why: String) -> Self {
        Self(
            code: rule.rawValue,
            ours: "let it pass and note it",
            theirs: theirs,
            why: why,
            section: rule.section
        ) { difference, _ in
            guard case .refuses = difference.theirs else { return false }
            return difference.message?.bends.contains(rule.rawValue) == true
        }
    }

    /// We read what llhttp refuses with one of these codes.
    static func read(
        _ code: String,
        _ codes: Set<String>,
        _ theirs: String,
        why: String,
        section: String,
        where holds: @escaping @Sendable (Difference, Sight) -> Bool
    ) -> Self {
        Self(code: code, ours: "read it", theirs: theirs, why: why, section: section) {
            difference,
            sight in
            guard case .refuses(let code) = difference.theirs, codes.contains(code) else {
                return false
            }
            return difference.message != nil && holds(difference, sight)
        }
    }
}

/// The bytes in which a difference was seen, as text.
struct Sight {
    let text: String

    /// The lines, however they end.
    private var lines: [Substring] {
        text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
    }

    /// The values of all fields of a name, given in lowercase, with the whitespace around them.
    func values(of name: String) -> [Substring] {
        lines.filter { $0.lowercased().hasPrefix(name + ":") }.map { $0.dropFirst(name.count + 1) }
    }

    var hasChunkExtension: Bool { lines.contains { $0.starts(with: /[0-9A-Fa-f]+[ \t]*;/) } }

    var hasLastChunk: Bool { lines.contains(where: Self.isLastChunk) }

    /// Whether a trailer has a name that, in a head, says how the message is framed.
    var hasFramingInTrailers: Bool {
        var isInTrailers = false
        for line in lines {
            if isInTrailers, line.lowercased().starts(with: /(content-length|transfer-encoding):/) {
                return true
            }
            isInTrailers = isInTrailers && !line.isEmpty || Self.isLastChunk(line)
        }
        return false
    }

    private static func isLastChunk(_ line: Substring) -> Bool {
        line.wholeMatch(of: /0+([ \t]*;.*)?/) != nil
    }
}

private let registered: Set<String> = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH",
]

let knownDifferences: [KnownDifference] = [
    // What frames a message otherwise comes first: it makes what follows look like anything.
    KnownDifference(
        code: "content-of-connect",
        ours: "read the content that its framing says",
        theirs: "takes the message for ended with its head",
        why: "CONNECT has no content of a meaning, but its sender framed some",
        section: "RFC 9110 9.3.6"
    ) { _, sight in sight.text.contains("CONNECT ") },
    KnownDifference(
        code: "content-of-interim",
        ours: "know that an interim response has none",
        theirs: "knows it of 100 to 103 only",
        why: "all of 1xx end with their head, whatever it says",
        section: "RFC 9112 6.3"
    ) { _, sight in sight.text.contains(/HTTP\/1\.1 1(0[4-9]|[1-9][0-9])\b/) },
    KnownDifference(
        code: "whitespace-after-coding",
        ours: "leave it out",
        theirs: "does not see that the coding is chunked",
        why: "whitespace around a value is no part of it",
        section: "RFC 9112 5.1"
    ) { _, sight in
        sight.values(of: "transfer-encoding").contains { $0.hasSuffix(" ") || $0.hasSuffix("\t") }
    },
    .read(
        "tab-after-length",
        ["HPE_INVALID_CONTENT_LENGTH"],
        "refuses it",
        why: "whitespace around a value is no part of it, and a tab is whitespace",
        section: "RFC 9112 5.1"
    ) { _, sight in sight.values(of: "content-length").contains { $0.hasSuffix("\t") } },
    KnownDifference(
        code: "empty-element-of-list",
        ours: "pass over it",
        theirs: "does not see that the last coding is chunked",
        why: "a recipient ignores a reasonable number of empty elements",
        section: "RFC 9110 5.6.1.2"
    ) { _, sight in
        sight.values(of: "transfer-encoding").contains { $0.hasSuffix(",") }
    },
    KnownDifference(
        code: "framing-in-trailers",
        ours: "keep it as a trailer",
        theirs: "takes it for a second framing",
        why: "a trailer never changes the framing of its message",
        section: "RFC 9110 6.5.1"
    ) { difference, sight in difference.message != nil && sight.hasFramingInTrailers },
    .read(
        "data-after-close",
        ["HPE_CLOSED_CONNECTION"],
        "refuses what comes after a message that ends the connection",
        why: "the server closes; the reader says what came",
        section: "RFC 9112 9.6"
    ) { _, _ in true },
    KnownDifference(
        code: "tab-after-option",
        ours: "leave it out",
        theirs: "does not see that the option is close",
        why: "whitespace around a value is no part of it, and a tab is whitespace",
        section: "RFC 9112 5.1"
    ) { difference, sight in
        difference.message?.persists == false && difference.other?.persists == true
            && sight.values(of: "connection").contains { $0.contains("\t") }
    },
    KnownDifference(
        code: "proxy-connection",
        ours: "do not know it",
        theirs: "takes it for Connection",
        why: "no specification has it",
        section: "RFC 9112 C.2.2"
    ) { difference, sight in
        difference.message?.persists == true && difference.other?.persists == false
            && !sight.values(of: "proxy-connection").isEmpty
    },
    // Heads.
    .noted(.bareLineFeed, "refuses it", why: "the tutorial's client ends its lines so"),
    .noted(.spaceBeforeColon, "refuses it", why: "a proxy takes it out of a response"),
    .read(
        "method-not-registered",
        ["HPE_INVALID_METHOD"],
        "refuses it",
        why: "any token is a method; 501 is the server's to say",
        section: "RFC 9110 9.1"
    ) { difference, _ in
        !registered.contains(String(difference.message?.startLine.prefix { $0 != " " } ?? "GET"))
    },
    .read(
        "target-of-no-form",
        ["HPE_INVALID_URL"],
        "refuses it",
        why: "the server answers for targets, and a recorder keeps them",
        section: "RFC 9112 3.2"
    ) { difference, _ in
        let target = difference.message?.startLine.split(separator: " ")[1]
        return target.map { !$0.hasPrefix("/") || !$0.utf8.allSatisfy { $0 < 0x80 } } ?? false
    },
    .read(
        "minor-version",
        ["HPE_INVALID_VERSION"],
        "refuses 1.2 to 1.9",
        why: "a higher minor version is read as the highest that is known",
        section: "RFC 9110 2.5"
    ) { difference, _ in
        difference.message.map { $0.startLine.contains(/HTTP\/1\.[2-9]/) } ?? false
    },
    KnownDifference(
        code: "judged-whole",
        ours: "wait for the end of a head or a trailer",
        theirs: "refuses it before its end has come",
        why: "it is kept as it came, and so is read when all of it is here",
        section: "RFC 9112 8"
    ) { difference, sight in
        guard case .refuses = difference.theirs else { return false }
        return difference.ours == .waitsInHead
            || difference.ours == .waits && sight.hasLastChunk
    },
    KnownDifference(
        code: WireRule.bareCarriageReturn.rawValue,
        ours: "refuse it, or wait for the LF that ends a line",
        theirs: "passes over one before a head, and over some at its end",
        why: "whoever takes it for a line end sees other fields",
        section: WireRule.bareCarriageReturn.section
    ) { difference, sight in
        difference.ours == .refuses(WireRule.bareCarriageReturn.rawValue)
            || difference.ours == .waitsInHead && sight.text.contains("\r\r")
    },
    .refused(.hostMissing, "leaves it to its user", why: "it must be answered 400"),
    .refused(.hostRepeated, "leaves it to its user", why: "it must be answered 400"),
    .refused(.hostInvalid, "leaves it to its user", why: "it must be answered 400"),
    .refused(.requestLineMalformed, "reads HTTP/0.9", why: "no version is no HTTP/1"),
    .refused(.targetInvalid, "reads a fragment", why: "a target has none"),
    .refused(.versionInvalid, "reads RTSP and ICE", why: "neither is HTTP"),
    .refused(.versionUnsupported, "reads 2.0 and 0.9", why: "neither comes in this form"),
    .refused(.statusLineMalformed, "reads it", why: "a status has three digits from 100 on"),
    // Framing.
    .refused(.contentLengthInvalid, "reads 2^63 and more", why: "a file is at most that long"),
    .refused(
        .lengthAndTransferEncoding,
        "lets an empty Transfer-Encoding, and in responses any, go with a length",
        why: "it may be smuggling"
    ),
    .refused(.transferEncodingInVersion10, "reads it", why: "its framing is faulty"),
    .refused(
        .transferEncodingNotChunkedLast,
        "reads responses to their end, and takes an empty one for none",
        why: "we could not pass it on as what it is"
    ),
    .refused(
        .transferEncodingUnknown,
        "reads on where chunked comes last, and responses to their end",
        why: "a coding that nobody undoes is content that nobody understands"
    ),
    // Chunks.
    .refused(
        .chunkSizeInvalid,
        "reads leading zeros without end, and sizes up to 2^64",
        why: "sizes must not overflow"
    ),
    .refused(.chunkExtensionInvalid, "reads it", why: "a semicolon is followed by a name"),
    .read(
        "whitespace-in-extensions",
        ["HPE_INVALID_CHUNK_SIZE", "HPE_STRICT"],
        "refuses it",
        why: "whitespace around the semicolon and the equals sign is allowed, if bad",
        section: "RFC 9112 7.1.1"
    ) { _, sight in sight.hasChunkExtension },
]
