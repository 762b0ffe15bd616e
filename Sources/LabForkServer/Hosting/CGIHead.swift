// The header section of a CGI program's response (RFC 3875 6): bytes -> an answer's head, or a path to go
// on to.

import LabWire

/// What a CGI program printed before its content.
package enum CGIHead {
    /// The head of the program's answer.
    case answer(AnswerHead)
    /// A path and query of this server: the request goes on there (RFC 3875 6.2.2).
    case redirect([UInt8])

    /// The largest header section, bytes.
    package static let mostBytes = 64 << 10

    /// How long the header section is, the empty line included; nil while that has not come.
    package static func length(in bytes: [UInt8]) -> Int? {
        var lineStart = 0
        while let end = bytes[lineStart...].firstIndex(of: 0x0A) {
            if end == lineStart || end == lineStart + 1 && bytes[lineStart] == 0x0D {
                return end + 1
            }
            lineStart = end + 1
        }
        return nil
    }

    /// Reads a whole header section.
    ///
    /// Fields about the connection are left out: the program does not have it.
    ///
    /// - Throws: ``AnswerFault``.
    package init(_ section: ArraySlice<UInt8>) throws(AnswerFault) {
        var fields: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)] = []
        var status: (code: Int, reason: ArraySlice<UInt8>)?
        var location: ArraySlice<UInt8>?
        var hasType = false
        for line in section.split(separator: 0x0A) {
            let line = line.last == 0x0D ? line.dropLast() : line
            if line.isEmpty { continue }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else {
                throw AnswerFault(sentence: "printed a line without a colon in its header section")
            }
            let name = line[..<colon]
            let value = Self.trimmed(line[(colon + 1)...])
            if name.equals(ignoringCase: "status") {
                guard status == nil, let found = Self.status(value) else {
                    throw AnswerFault(sentence: "printed a Status that is none, or a second one")
                }
                status = found
                continue
            }
            if name.equals(ignoringCase: "location") {
                guard location == nil else {
                    throw AnswerFault(sentence: "printed a second Location")
                }
                location = value
            } else if name.equals(ignoringCase: "content-type") {
                guard !hasType else {
                    throw AnswerFault(sentence: "printed a second Content-Type")
                }
                hasType = true
            } else if AnswerHead.isOfConnection(name) {
                continue
            }
            fields.append((name, value))
        }
        if status == nil, let location, Self.isLocal(location) {
            // Checked as all fields are, for it becomes a part of the environ.
            _ = try AnswerHead(status: 302, reason: [], fields: fields)
            self = .redirect(Array(location))
            return
        }
        guard hasType || status != nil || location != nil else {
            throw AnswerFault(
                sentence: "printed a header section with no Content-Type, Status or Location"
            )
        }
        let code = status?.code ?? (location == nil ? 200 : 302)
        self = .answer(
            try AnswerHead(status: code, reason: status?.reason ?? [], fields: fields)
        )
    }

    /// A path of this server, with no fragment; `//` begins the name of another.
    private static func isLocal(_ location: ArraySlice<UInt8>) -> Bool {
        location.first == UInt8(ascii: "/") && location.dropFirst().first != UInt8(ascii: "/")
            && !location.contains(UInt8(ascii: "#"))
    }

    private static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var value = value.drop { $0 == 0x20 || $0 == 0x09 }
        while let last = value.last, last == 0x20 || last == 0x09 { value = value.dropLast() }
        return value
    }

    private static func status(_ value: ArraySlice<UInt8>) -> (Int, ArraySlice<UInt8>)? {
        let digits = value.prefix(3)
        guard digits.count == 3, digits.allSatisfy({ $0 &- 0x30 < 10 }),
            value.count == 3 || value[value.startIndex + 3] == 0x20,
            let code = Int(String(decoding: digits, as: UTF8.self))
        else { return nil }
        return (code, value.dropFirst(4))
    }
}
