// An answer of this server's own, and its bytes.

import Glibc
import LabWire

/// An answer of the built-in application, or a refusal.
struct Response {
    /// The content.
    enum Content {
        case bytes([UInt8])
        /// As many bytes of a pattern, made while they are sent.
        case pattern(count: Int)
    }

    var status: Int
    var type: StaticString = "text/plain; charset=utf-8"
    var content: Content
    /// Further field lines, each with its line end.
    var fields: [UInt8] = []

    init(_ status: Int, _ text: String) {
        self.status = status
        content = .bytes(Array(text.utf8))
    }

    init(_ status: Int, type: StaticString, content: Content) {
        self.status = status
        self.type = type
        self.content = content
    }

    var contentLength: Int {
        switch content {
        case .bytes(let bytes): bytes.count
        case .pattern(let count): count
        }
    }

    /// Whether a response of this status may have content at all (RFC 9110 6.4.1).
    var mayHaveContent: Bool { status >= 200 && status != 204 && status != 205 && status != 304 }

    /// The head as it is sent.
    func head(closes: Bool, keepsAlive: Bool) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(256)
        out.append("HTTP/1.1 ")
        out.append(decimal: status)
        out.append(0x20)
        out.append(contentsOf: Response.reason(status).utf8)
        out.append("\r\nDate: ")
        out.appendDate(time(nil))
        out.append("\r\nServer: lab\r\n")
        if mayHaveContent {
            out.append("Content-Type: ")
            out.append(type)
            out.append("\r\nContent-Length: ")
            out.append(decimal: contentLength)
            out.append("\r\n")
        } else if status == 205 {
            out.append("Content-Length: 0\r\n")
        }
        out.append(contentsOf: fields)
        if closes {
            out.append("Connection: close\r\n")
        } else if keepsAlive {
            out.append("Connection: keep-alive\r\n")
        }
        out.append("\r\n")
        return out
    }

    /// The reason phrase of RFC 9110 15, or nothing for a code that has none.
    static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 205: "Reset Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 411: "Length Required"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 417: "Expectation Failed"
        case 418: "I'm a teapot"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        case 508: "Loop Detected"
        default: ""
        }
    }
}

extension Array where Element == UInt8 {
    /// Appends an IMF-fixdate (RFC 9110 5.6.7), such as `Sun, 06 Nov 1994 08:49:37 GMT`.
    mutating func appendDate(_ moment: time_t) {
        var moment = moment
        var parts = tm()
        gmtime_r(&moment, &parts)
        let days: StaticString = "SunMonTueWedThuFriSat"
        let months: StaticString = "JanFebMarAprMayJunJulAugSepOctNovDec"
        append(three: days, Int(parts.tm_wday))
        append(", ")
        append(two: parts.tm_mday)
        append(0x20)
        append(three: months, Int(parts.tm_mon))
        append(0x20)
        append(decimal: parts.tm_year + 1900)
        append(0x20)
        append(two: parts.tm_hour)
        append(0x3A)
        append(two: parts.tm_min)
        append(0x3A)
        append(two: parts.tm_sec)
        append(" GMT")
    }

    private mutating func append(three words: StaticString, _ index: Int) {
        append(contentsOf: UnsafeBufferPointer(start: words.utf8Start + 3 * index, count: 3))
    }

    private mutating func append(two number: Int32) {
        append(UInt8(0x30 + number / 10))
        append(UInt8(0x30 + number % 10))
    }
}
