// Bytes as words of a POSIX shell.

import FoundationEssentials

/// Bytes as words of a POSIX shell.
enum Shell {
    /// Text as one word.
    static func word(_ text: String) -> String { word(bytes: Array(text.utf8)) }

    /// Bytes as one word; not for bytes with NUL or with line ends at their end that are no text.
    static func word(bytes: [UInt8]) -> String {
        let plain = "-_./:=@%+,".utf8
        let isBare =
            !bytes.isEmpty
            && bytes.allSatisfy { byte in
                byte &- 0x30 < 10 || (byte | 0x20) &- 0x61 < 26 || plain.contains(byte)
            }
        if isBare { return String(decoding: bytes, as: UTF8.self) }
        if isPlainText(bytes) {
            let parts = bytes.split(separator: 0x27, omittingEmptySubsequences: false)
            return "'"
                + parts.map { String(decoding: $0, as: UTF8.self) }.joined(separator: "'\\''") + "'"
        }
        return "\"$(printf '" + octal(bytes) + "')\""
    }

    /// A command that writes bytes on its standard output.
    static func piped(_ bytes: [UInt8]) -> String {
        if isPlainText(bytes) { return "printf '%s' " + word(bytes: bytes) }
        return "printf '%s' '" + Data(bytes).base64EncodedString() + "' | base64 -d"
    }

    /// Whether bytes may stand between single quotes on a terminal: UTF-8 with no control bytes but
    /// line feeds and tabs.
    static func isPlainText(_ bytes: [UInt8]) -> Bool {
        String(validating: bytes, as: UTF8.self) != nil
            && SafeText.lines(bytes).utf8.elementsEqual(bytes)
    }

    /// A format for `printf`: three digits each, so that a digit that follows is not taken in.
    private static func octal(_ bytes: [UInt8]) -> String {
        bytes.reduce(into: "") { text, byte in
            switch byte {
            case 0x20..<0x7F where byte != 0x25 && byte != 0x27 && byte != 0x5C:
                text.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                let digits = String(byte, radix: 8)
                text += "\\" + String(repeating: "0", count: 3 - digits.count) + digits
            }
        }
    }
}
