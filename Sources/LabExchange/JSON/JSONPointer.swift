// Places in JSON: RFC 6901, and `*` for every element or member where one pointer is to name many.

/// A place in a JSON text, or many alike: `/user/id`, `/items/*/updated`.
public struct JSONPointer: Sendable, Equatable, CustomStringConvertible {
    /// One step down.
    enum Step: Sendable, Equatable {
        /// A member of this name; in an array the element of this number.
        case name([UInt8])
        /// `*`: every member, every element. A member that has this name is among them.
        case any
    }

    /// The pointer as it was written.
    public let description: String
    let steps: [Step]

    /// Reads a pointer; nil where it is not empty and does not begin with `/`, or has a `~` that is
    /// neither `~0` nor `~1`.
    public init?(_ text: String) {
        description = text
        guard !text.isEmpty else {
            steps = []
            return
        }
        guard text.utf8.first == 0x2F else { return nil }
        var steps: [Step] = []
        for part in text.utf8.dropFirst().split(separator: 0x2F, omittingEmptySubsequences: false) {
            if part.elementsEqual("*".utf8) {
                steps.append(.any)
                continue
            }
            guard let name = Self.unescaped(part) else { return nil }
            steps.append(.name(name))
        }
        self.steps = steps
    }

    private static func unescaped(_ part: Substring.UTF8View) -> [UInt8]? {
        var name: [UInt8] = []
        var isEscape = false
        for byte in part {
            switch (isEscape, byte) {
            case (true, 0x30): name.append(0x7E)
            case (true, 0x31): name.append(0x2F)
            case (true, _): return nil
            case (false, 0x7E):
                isEscape = true
                continue
            case (false, _): name.append(byte)
            }
            isEscape = false
        }
        return isEscape ? nil : name
    }

    /// A name as it stands in a pointer.
    public static func escaped(_ name: [UInt8]) -> String {
        var out: [UInt8] = []
        for byte in name {
            switch byte {
            case 0x7E: out += [0x7E, 0x30]
            case 0x2F: out += [0x7E, 0x31]
            default: out.append(byte)
            }
        }
        return String(decoding: out, as: UTF8.self)
    }
}
