// Traffic on a terminal: what came over the wire may hold escape sequences, and must not run.

/// Bytes and strings of traffic as text that a terminal shows and does not obey.
enum SafeText {
    /// Bytes on one line: UTF-8 as it is; control and malformed bytes, and what turns the direction
    /// of writing, as `\xNN`.
    static func line(_ bytes: some Sequence<UInt8>) -> String { escape(bytes, keepsLines: false) }

    /// A string on one line.
    static func line(_ text: String) -> String { escape(text.utf8, keepsLines: false) }

    /// Bytes as lines of text: as ``line(_:)``, but line ends and tabs stay.
    static func lines(_ bytes: some Sequence<UInt8>) -> String { escape(bytes, keepsLines: true) }

    /// Bytes on one line, from which the bytes can be had again: each backslash is `\x5c`.
    static func reversible(_ bytes: some Sequence<UInt8>) -> String {
        bytes.split(separator: 0x5C, omittingEmptySubsequences: false).map { line($0) }
            .joined(separator: "\\x5c")
    }

    /// Whether bytes are UTF-8 text with few enough control bytes to be read by a person.
    static func isText(_ bytes: some Collection<UInt8>) -> Bool {
        var controls = 0
        var scalars = 0
        var decoder = UTF8()
        var input = bytes.makeIterator()
        while true {
            switch decoder.decode(&input) {
            case .scalarValue(let scalar):
                scalars += 1
                if scalar == "\0" { return false }
                if isHidden(scalar), !"\n\t\r".unicodeScalars.contains(scalar) { controls += 1 }
            case .emptyInput:
                // An escape sequence in a log is text; a picture is not.
                return controls * 4 <= scalars
            case .error:
                return false
            }
        }
    }

    /// The text cut to a width, in the middle, where its two ends tell most.
    static func cut(_ text: String, to width: Int) -> String {
        guard text.displayWidth > width, width > 1 else { return text }
        let kept = width - 1
        var head = ""
        for character in text where head.displayWidth + character.displayWidth <= (kept + 1) / 2 {
            head.append(character)
        }
        var tail = ""
        for character in text.reversed() {
            guard tail.displayWidth + character.displayWidth <= kept / 2 else { break }
            tail.insert(character, at: tail.startIndex)
        }
        return head + "…" + tail
    }

    private static func escape(_ bytes: some Sequence<UInt8>, keepsLines: Bool) -> String {
        var text = ""
        var rest = Array(bytes)[...]
        while let first = rest.first {
            if keepsLines, first == 0x0D, rest.dropFirst().first == 0x0A {
                rest.removeFirst()
                continue
            }
            let (scalar, length) = scalar(rest)
            if let scalar, !isHidden(scalar) || (keepsLines && (first == 0x0A || first == 0x09)) {
                text.unicodeScalars.append(scalar)
            } else {
                for byte in rest.prefix(length) { text += hexadecimal(byte) }
            }
            rest.removeFirst(length)
        }
        return text
    }

    private static func scalar(_ bytes: ArraySlice<UInt8>) -> (Unicode.Scalar?, Int) {
        var decoder = UTF8()
        var input = bytes.prefix(4).makeIterator()
        guard case .scalarValue(let scalar) = decoder.decode(&input) else { return (nil, 1) }
        return (scalar, UTF8.width(scalar))
    }

    private static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7F..<0xA0: true
        // Marks that turn the direction of writing, and line separators.
        case 0x200E, 0x200F, 0x2028...0x202E, 0x2066...0x2069, 0xFEFF: true
        default: false
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
    }
}

extension String {
    /// How many columns of a terminal the text takes.
    var displayWidth: Int { reduce(0) { $0 + $1.displayWidth } }
}

extension Character {
    var displayWidth: Int {
        guard let scalar = unicodeScalars.first else { return 0 }
        switch scalar.value {
        case 0x300..<0x370: return 0
        case 0x1100..<0x1160, 0x2E80..<0x303F, 0x3041..<0xA4D0, 0xAC00..<0xD7A4, 0xF900..<0xFB00,
            0xFE30..<0xFE70, 0xFF00..<0xFF61, 0xFFE0..<0xFFE7, 0x1F300..<0x1F650,
            0x1F900..<0x1FA00, 0x20000..<0x3FFFE:
            return 2
        default: return 1
        }
    }
}
