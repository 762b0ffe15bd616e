// What an application says before its content: checked, for nobody else looks at it.

import LabWire

/// Why an application's answer can't be sent: a sentence about "the application".
package struct AnswerFault: Error, Equatable {
    package let sentence: String
}

/// The status and the fields of an application's answer.
package struct AnswerHead {
    package let status: Int
    /// The reason phrase; the usual one where the application gave none.
    let reason: [UInt8]
    /// `Content-Length`, if the application gave it.
    let length: UInt64?
    /// All other fields, each a line with its CRLF.
    private var lines: [UInt8] = []
    private var hasDate = false
    private var hasServer = false

    /// Checks what an application gave: what is sent of it can't end a line or the head (RFC 9110 5.5),
    /// and says nothing about the connection (RFC 9110 7.6.1).
    ///
    /// - Parameters:
    ///   - status: From 200 to 599; interim responses are the server's.
    ///   - reason: The reason phrase, or nothing.
    ///   - fields: Names and values in the order in which they are sent.
    /// - Throws: ``AnswerFault``.
    package init(
        status: Int,
        reason: ArraySlice<UInt8>,
        fields: [(name: ArraySlice<UInt8>, value: ArraySlice<UInt8>)]
    ) throws(AnswerFault) {
        guard (200...599).contains(status) else {
            throw AnswerFault(sentence: "answered with the status \(status), which is none")
        }
        guard reason.allSatisfy(Self.isText) else {
            throw AnswerFault(sentence: "answered with a control byte in its reason phrase")
        }
        var length: UInt64?
        for (name, value) in fields {
            guard !name.isEmpty, name.allSatisfy(Self.isToken) else {
                throw AnswerFault(sentence: "gave '\(text(name))', which is no field name")
            }
            guard value.allSatisfy(Self.isText) else {
                throw AnswerFault(
                    sentence: "gave a line end or another control byte in the field '\(text(name))'"
                )
            }
            guard !Self.isOfConnection(name) else {
                throw AnswerFault(
                    sentence: "gave the field '\(text(name))', which is about a connection"
                )
            }
            if name.equals(ignoringCase: "content-length") {
                guard let number = Self.number(value), length == nil || length == number else {
                    throw AnswerFault(
                        sentence: "gave the length '\(text(value))', which is none, or the second"
                    )
                }
                length = number
                continue
            }
            if name.equals(ignoringCase: "date") { hasDate = true }
            if name.equals(ignoringCase: "server") { hasServer = true }
            lines.append(contentsOf: name)
            lines.append(": ")
            lines.append(contentsOf: value)
            lines.append("\r\n")
        }
        self.status = status
        self.reason = reason.isEmpty ? Array(Response.reason(status).utf8) : Array(reason)
        self.length = length
    }

    /// Whether a field of this name, in any case, is about the connection, which an application does
    /// not have.
    package static func isOfConnection(_ name: ArraySlice<UInt8>) -> Bool {
        name.equals(ignoringCase: "connection") || name.equals(ignoringCase: "keep-alive")
            || name.equals(ignoringCase: "proxy-connection") || name.equals(ignoringCase: "te")
            || name.equals(ignoringCase: "trailer") || name.equals(ignoringCase: "upgrade")
            || name.equals(ignoringCase: "transfer-encoding")
    }

    /// Whether a byte may stand in a field name (RFC 9110 5.6.2).
    static func isToken(_ byte: UInt8) -> Bool {
        asciiLowercased(byte) &- 0x61 < 26 || byte &- 0x30 < 10
            || "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }

    private static func isText(_ byte: UInt8) -> Bool {
        byte >= 0x20 && byte != 0x7F || byte == 0x09
    }

    private static func number(_ value: ArraySlice<UInt8>) -> UInt64? {
        guard value.allSatisfy({ $0 &- 0x30 < 10 }) else { return nil }
        return UInt64(String(decoding: value, as: UTF8.self))
    }

    /// Whether an answer of this status may have content at all.
    var mayHaveContent: Bool { status != 204 && status != 205 && status != 304 }

    /// The head as it is sent, its empty line included.
    ///
    /// - Parameters:
    ///   - length: `Content-Length`; nil for none.
    ///   - isChunked: The content is sent in chunks.
    ///   - connection: The value of `Connection`; nil for none.
    ///   - now: For `Date`, where the application gave none.
    /// - Returns: The bytes.
    func bytes(length: UInt64?, isChunked: Bool, connection: StaticString?, now: Int) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(lines.count + 192)
        out.append("HTTP/1.1 ")
        out.append(decimal: status)
        out.append(0x20)
        out.append(contentsOf: reason)
        out.append("\r\n")
        if !hasDate {
            out.append("Date: ")
            out.appendDate(now)
            out.append("\r\n")
        }
        if !hasServer { out.append("Server: lab\r\n") }
        out.append(contentsOf: lines)
        if let length {
            out.append("Content-Length: ")
            out.append(decimal: length)
            out.append("\r\n")
        }
        if isChunked { out.append("Transfer-Encoding: chunked\r\n") }
        if let connection {
            out.append("Connection: ")
            out.append(connection)
            out.append("\r\n")
        }
        out.append("\r\n")
        return out
    }
}

private func text(_ bytes: ArraySlice<UInt8>) -> String {
    String(decoding: bytes.prefix(64), as: UTF8.self)
}
