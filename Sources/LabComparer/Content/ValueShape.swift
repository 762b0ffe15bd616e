// The form of a value: what stays the same where only its content is noise. A request id is a UUID
// each time; a time in ms does not become one in ns.

import LabExchange

/// The form of a value.
struct ValueShape: Equatable {
    /// What it is, in words: `uuid`, `time`, `integer of 3 digits`, `token of about 32`.
    let words: String

    /// Looks at the text of a value: of JSON, a string without its quotes, or a number.
    init(_ bytes: some Collection<UInt8>) {
        let text = Array(bytes.prefix(Self.mostBytes))
        words = Self.number(text) ?? Self.known(text) ?? Self.token(text)
    }

    /// What is longer is told apart by its beginning and its length.
    private static let mostBytes = 4096

    // MARK: Numbers

    private static func number(_ text: [UInt8]) -> String? {
        var rest = text[...]
        let sign = rest.first == 0x2D ? "negative " : ""
        if rest.first == 0x2D || rest.first == 0x2B { rest = rest.dropFirst() }
        guard let first = rest.first, isDigit(first) else { return nil }
        let whole = rest.prefix(while: isDigit)
        rest = rest.dropFirst(whole.count)
        if rest.isEmpty {
            if whole.allSatisfy({ $0 == 0x30 }) { return "zero" }
            return "\(sign)integer of \(whole.count) digits"
        }
        guard rest.first == 0x2E || rest.first.map({ $0 | 0x20 }) == 0x65 else { return nil }
        var decade = whole.count
        if rest.first == 0x2E {
            let fraction = rest.dropFirst().prefix(while: isDigit)
            rest = rest.dropFirst(1 + fraction.count)
            if whole.allSatisfy({ $0 == 0x30 }) {
                let zeros = fraction.prefix { $0 == 0x30 }.count
                if zeros == fraction.count { return "zero" }
                decade = -zeros
            }
        }
        if let mark = rest.first, mark | 0x20 == 0x65 {
            let digits = rest.dropFirst()
            guard let exponent = Int(String(decoding: digits, as: UTF8.self)) else { return nil }
            decade = decade &+ exponent
            rest = []
        }
        guard rest.isEmpty else { return nil }
        return "\(sign)number of about 10^\(decade &- 1)"
    }

    // MARK: Known forms

    private static func known(_ text: [UInt8]) -> String? {
        if isUUID(text) { return "uuid" }
        if isTime(text) { return "time" }
        if isHTTPDate(text) { return "date" }
        if isAddress(text) { return "address" }
        if text.count >= 8, text.allSatisfy({ JSONText.digit($0) != nil }) {
            return "hexadecimal of about \(bucket(text.count))"
        }
        if text.starts(with: "eyJ".utf8), text.filter({ $0 == 0x2E }).count == 2 { return "jwt" }
        if let at = text.firstIndex(of: 0x40), at > 0, text[at...].contains(0x2E),
            !text.contains(0x20)
        {
            return "mail address"
        }
        return nil
    }

    private static func isUUID(_ text: [UInt8]) -> Bool {
        guard text.count == 36 else { return false }
        for (index, byte) in text.enumerated() {
            switch index {
            case 8, 13, 18, 23: if byte != 0x2D { return false }
            default: if JSONText.digit(byte) == nil { return false }
            }
        }
        return true
    }

    /// `2026-11-25T20:13:14…` or with a space (RFC 3339 5.6).
    private static func isTime(_ text: [UInt8]) -> Bool {
        guard text.count >= 16, text.count <= 40 else { return false }
        for (index, byte) in text.prefix(16).enumerated() {
            switch index {
            case 4, 7: if byte != 0x2D { return false }
            case 10: if byte != 0x54, byte != 0x74, byte != 0x20 { return false }
            case 13: if byte != 0x3A { return false }
            default: if !isDigit(byte) { return false }
            }
        }
        return true
    }

    /// `Wed, 25 Nov 2026 20:13:14 GMT` (RFC 9110 5.6.7).
    private static func isHTTPDate(_ text: [UInt8]) -> Bool {
        text.count == 29 && text[3] == 0x2C && text.suffix(4).elementsEqual(" GMT".utf8)
    }

    private static func isAddress(_ text: [UInt8]) -> Bool {
        let parts = text.split(separator: 0x2E, omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { (1...3).contains($0.count) && $0.allSatisfy(isDigit) }
    }

    // MARK: Other text

    /// What other text is made of.
    ///
    /// Without a space: which bytes, and about how many. With one: its words, with a mark for each
    /// that has digits.
    private static func token(_ text: [UInt8]) -> String {
        if text.isEmpty { return "nothing" }
        guard text.contains(where: { $0 <= 0x20 }) else {
            let hasDigits = text.contains(where: isDigit)
            // A plain word stands for itself only: enumerations and names have no form but words.
            return hasDigits ? "token of about \(bucket(text.count))" : "word of letters"
        }
        var words = text.split(whereSeparator: { $0 <= 0x20 }).prefix(40).map { word in
            word.contains(where: isDigit) ? "#" : String(decoding: word, as: UTF8.self)
        }
        if text.count == mostBytes { words.append("…") }
        return "text '\(words.joined(separator: " "))'"
    }

    private static func bucket(_ count: Int) -> Int {
        var power = 1
        while power * 2 <= count { power *= 2 }
        return power
    }

    private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }
}
