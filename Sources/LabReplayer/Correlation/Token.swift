// Which values look as if a server had made them up: those are worth following.

import LabWire

/// What looks like a token: a session's number, a CSRF token, a JWT, a UUID.
enum Token {
    /// Shorter ones are met by chance.
    static let leastLength = 8

    /// The parts of a value that look like tokens: the whole value first, then ever smaller runs.
    static func candidates(in value: [UInt8]) -> [[UInt8]] {
        guard value.count >= leastLength, value.count <= 8192 else { return [] }
        var found: [[UInt8]] = []
        func add(_ run: ArraySlice<UInt8>) {
            if looksRandom(run), !found.contains(where: { $0.elementsEqual(run) }) {
                found.append(Array(run))
            }
        }
        if value.allSatisfy({ isPlain($0) || isBase64($0) || $0 == UInt8(ascii: ".") }) {
            add(value[...])
        }
        value.split { !isPlain($0) && $0 != UInt8(ascii: ".") }.forEach(add)
        value.split { !isBase64($0) }.forEach(add)
        value.split { !isPlain($0) }.forEach(add)
        return found
    }

    /// Letters, digits, `-` and `_`: base64url, hexadecimal, a UUID.
    static func isPlain(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    private static func isBase64(_ byte: UInt8) -> Bool {
        isAlphanumeric(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "/")
            || byte == UInt8(ascii: "=")
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        byte &- 0x30 < 10 || asciiLowercased(byte) &- 0x61 < 26
    }

    /// Whether a run of letters and digits is no word of a language and no name with a number.
    ///
    /// In random text digits, small and capital letters follow each other at random, so that a
    /// change of kind comes at every second place or so; in words and in names it is rare. A quarter
    /// is asked for. What is all digits is a token only where it is long: years and counts are not.
    static func looksRandom(_ run: ArraySlice<UInt8>) -> Bool {
        guard run.count >= leastLength else { return false }
        if run.allSatisfy({ $0 &- 0x30 < 10 }) { return run.count >= 12 }
        // A JWT, or a signed value of the same make: its first part is `{"` in base64.
        if run.count >= 20, run.prefix(3).equals("eyJ") { return true }
        var changes = 0
        var kinds = 0
        var last = 0
        var distinct: Set<UInt8> = []
        for byte in run {
            let kind =
                byte &- 0x30 < 10 ? 1 : byte &- 0x61 < 26 ? 2 : byte &- 0x41 < 26 ? 4 : 0
            guard kind > 0 else { continue }
            if last != 0, kind != last { changes += 1 }
            last = kind
            kinds |= kind
            distinct.insert(byte)
        }
        // Without a digit it may be a name in CamelCase, unless it is long and restless.
        let isName = kinds & 1 == 0 && (run.count < 20 || changes * 5 < run.count * 2)
        return distinct.count >= 5 && kinds.nonzeroBitCount > 1 && changes * 4 >= run.count
            && !isName
    }
}
