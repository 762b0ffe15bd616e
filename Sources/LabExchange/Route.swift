// A target -> the route that it belongs to: what latencies are grouped by.

import LabWire

/// The route of a request target: its path with what looks like an identifier folded.
///
/// The query is left out. A segment of digits becomes `{id}`, a UUID `{uuid}`, sixteen or more
/// hexadecimal digits `{hex}`. The host of an absolute target stays.
public func route(ofTarget target: some Collection<UInt8>) -> String {
    var path = Array(target.prefix { $0 != 0x3F })
    var prefix: [UInt8] = []
    if path.count > 7, path.prefix(7).equals(ignoringCase: "http://") {
        let end = path.dropFirst(7).firstIndex(of: 0x2F) ?? path.endIndex
        prefix = Array(path[..<end])
        path = Array(path[end...])
    }
    guard path.contains(where: { $0 &- 0x30 < 10 }) else {
        return String(decoding: prefix + path, as: UTF8.self)
    }
    let folded = path.split(separator: 0x2F, omittingEmptySubsequences: false).map { segment in
        if segment.isEmpty { return segment }
        if segment.allSatisfy({ $0 &- 0x30 < 10 }) { return ArraySlice("{id}".utf8) }
        if isUUID(segment) { return ArraySlice("{uuid}".utf8) }
        if segment.count >= 16, segment.allSatisfy({ hexadecimalDigit($0) != nil }) {
            return ArraySlice("{hex}".utf8)
        }
        return segment
    }
    return String(decoding: prefix + Array(folded.joined(separator: [0x2F])), as: UTF8.self)
}

private func isUUID(_ segment: ArraySlice<UInt8>) -> Bool {
    guard segment.count == 36 else { return false }
    for (index, byte) in segment.enumerated() {
        switch index {
        case 8, 13, 18, 23: if byte != 0x2D { return false }
        default: if hexadecimalDigit(byte) == nil { return false }
        }
    }
    return true
}
