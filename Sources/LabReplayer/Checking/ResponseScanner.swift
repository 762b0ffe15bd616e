// The common response, understood in one look: a whole HTTP/1.1 head with one Content-Length, all
// in the receive buffer. Whatever is not exactly that is left to LabWire's reader, so that the
// rules of HTTP stand in one place; this file may say "I don't know", never anything else.

/// What a replay needs to know of a common response's head.
struct ScannedHead {
    /// The head's bytes, its empty line included.
    var length: Int
    var status: Int16
    var contentLength: Int
    /// Whether the server closes after it.
    var closes: Bool
}

/// Scans heads in place; allocates nothing.
enum ResponseScanner {
    private static let mostFields = 200

    /// The head at `bytes`; nil where it is not whole, or in any way unusual.
    static func scan(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> ScannedHead? {
        // The shortest: "HTTP/1.1 200\r\n" and a Content-Length.
        guard count >= 16, load(bytes) == word("HTTP/1.1"), bytes[8] == 0x20 else { return nil }
        let digits = (bytes[9] &- 0x30, bytes[10] &- 0x30, bytes[11] &- 0x30)
        guard digits.0 < 10, digits.1 < 10, digits.2 < 10 else { return nil }
        let status = Int16(digits.0) * 100 + Int16(digits.1) * 10 + Int16(digits.2)
        guard status >= 200, status != 204, status != 304, bytes[12] == 0x20,
            var at = lineEnd(bytes, 13, count)
        else { return nil }

        var head = ScannedHead(length: 0, status: status, contentLength: -1, closes: false)
        for _ in 0..<mostFields {
            guard at + 1 < count else { return nil }
            if bytes[at] == 0x0D {
                guard bytes[at + 1] == 0x0A, head.contentLength >= 0 else { return nil }
                head.length = at + 2
                return head
            }
            let name = at
            while at < count, isToken(bytes[at]) { at += 1 }
            guard at < count, bytes[at] == 0x3A, at > name else { return nil }
            let length = at - name
            guard let next = lineEnd(bytes, at + 1, count) else { return nil }
            // Of 10, 14 and 17 letters: Connection, Content-Length, Transfer-Encoding.
            if length == 10 || length == 14 || length == 17 {
                guard understand(bytes, name, length, next - 2, &head) else { return nil }
            }
            at = next
        }
        return nil
    }

    /// Takes in a field that decides framing or the connection's life; false where it is unusual.
    private static func understand(
        _ bytes: UnsafePointer<UInt8>,
        _ name: Int,
        _ length: Int,
        _ end: Int,
        _ head: inout ScannedHead
    ) -> Bool {
        var at = name + length + 1
        while at < end, bytes[at] == 0x20 || bytes[at] == 0x09 { at += 1 }
        switch length {
        case 10 where equals(bytes + name, "connection"):
            if end - at == 5, equals(bytes + at, "close") {
                head.closes = true
                return true
            }
            return end - at == 10 && equals(bytes + at, "keep-alive")
        case 14 where equals(bytes + name, "content-length"):
            // 18 digits cannot overflow.
            guard head.contentLength < 0, end > at, end - at <= 18 else { return false }
            var value = 0
            while at < end {
                let digit = bytes[at] &- 0x30
                guard digit < 10 else { return false }
                value = value * 10 + Int(digit)
                at += 1
            }
            head.contentLength = value
            return true
        case 17 where equals(bytes + name, "transfer-encoding"):
            return false
        default:
            return true
        }
    }

    /// The place after the CR LF that ends the line; nil where it has a control byte or no end.
    ///
    /// Eight bytes at a time: a word is passed over if none of its bytes is below SP or is DEL.
    @inline(__always)
    private static func lineEnd(
        _ bytes: UnsafePointer<UInt8>,
        _ start: Int,
        _ count: Int
    ) -> Int? {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let tops: UInt64 = 0x8080_8080_8080_8080
        var at = start
        while at + 8 <= count {
            let eight = load(bytes + at)
            let isBelow = (eight &- ones &* 0x20) & ~eight & tops
            let unlikeDelete = eight ^ (ones &* 0x7F)
            let isDelete = (unlikeDelete &- ones) & ~unlikeDelete & tops
            if isBelow | isDelete != 0 {
                // The lowest mark is exact; those above it may be borrowed.
                at += (isBelow | isDelete).trailingZeroBitCount >> 3
                if bytes[at] != 0x09 { break }
                at += 1
            } else {
                at += 8
            }
        }
        while at < count, bytes[at] != 0x0D {
            guard bytes[at] >= 0x20 && bytes[at] != 0x7F || bytes[at] == 0x09 else { return nil }
            at += 1
        }
        guard at + 1 < count, bytes[at + 1] == 0x0A else { return nil }
        return at + 2
    }

    /// `tchar` of RFC 9110 5.6.2, by two words of bits.
    @inline(__always)
    private static func isToken(_ byte: UInt8) -> Bool {
        let bits: UInt64 = byte & 0x40 == 0 ? 0x03FF_6CFA_0000_0000 : 0x57FF_FFFF_C7FF_FFFE
        return byte < 0x80 && (bits >> UInt64(byte & 63)) & 1 == 1
    }

    /// Whether `text` stands at `bytes`, in any case; letters and `-` only, which `| 0x20` keeps.
    @inline(__always)
    private static func equals(_ bytes: UnsafePointer<UInt8>, _ text: StaticString) -> Bool {
        let other = text.utf8Start
        for at in 0..<text.utf8CodeUnitCount where bytes[at] | 0x20 != other[at] { return false }
        return true
    }

    @inline(__always)
    private static func load(_ bytes: UnsafePointer<UInt8>) -> UInt64 {
        UnsafeRawPointer(bytes).loadUnaligned(as: UInt64.self)
    }

    @inline(__always)
    private static func word(_ text: StaticString) -> UInt64 { load(text.utf8Start) }
}
