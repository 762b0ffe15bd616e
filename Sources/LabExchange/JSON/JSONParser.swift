// Bytes -> the tape of a JSON document (RFC 8259), strictly: what is no JSON is compared as text.

/// Reads one document.
struct JSONParser {
    private let all: UnsafeBufferPointer<UInt8>
    private var at = 0
    private(set) var entries: ContiguousArray<JSONEntry> = []

    init(_ all: UnsafeBufferPointer<UInt8>) {
        self.all = all
        entries.reserveCapacity(all.count / 16)
        // A byte order mark is no JSON, and may be ignored (RFC 8259 8.1).
        if all.starts(with: [0xEF, 0xBB, 0xBF]) { at = 3 }
    }

    /// Whether it is one value with nothing but space around it.
    mutating func parse() -> Bool {
        guard value(depth: 0) else { return false }
        skipSpace()
        return at == all.count
    }

    private mutating func skipSpace() {
        while at < all.count, all[at] <= 0x20 {
            switch all[at] {
            case 0x20, 0x0A, 0x0D, 0x09: at += 1
            default: return
            }
        }
    }

    private mutating func value(depth: Int) -> Bool {
        skipSpace()
        guard at < all.count, depth < JSONDocument.mostDepth else { return false }
        switch all[at] {
        case 0x7B: return object(depth)
        case 0x5B: return array(depth)
        case 0x22: return string()
        case 0x74: return word("true", .boolean, 0x9D39_247E_3377_6D41)
        case 0x66: return word("false", .boolean, 0x2AF7_398C_8C6C_7A35)
        case 0x6E: return word("null", .null, 0x44DB_0150_24D9_2B1F)
        default: return number()
        }
    }

    private mutating func open(_ kind: JSONKind) -> Int {
        entries.append(
            JSONEntry(hash: 0, start: Int32(at), end: 0, next: 0, count: 0, kind: kind)
        )
        return entries.count - 1
    }

    private mutating func close(_ index: Int, hash: UInt64, count: Int = 0) {
        entries[index].hash = hash
        entries[index].end = Int32(at)
        entries[index].next = Int32(entries.count)
        entries[index].count = Int32(count)
    }

    private mutating func object(_ depth: Int) -> Bool {
        let index = open(.object)
        at += 1
        var count = 0
        var sum: UInt64 = 0x8A5C_D789_635D_2DFF
        skipSpace()
        if at < all.count, all[at] == 0x7D {
            at += 1
            close(index, hash: ContentHash.mixed(sum))
            return true
        }
        while true {
            skipSpace()
            guard at < all.count, all[at] == 0x22 else { return false }
            let name = entries.count
            guard string() else { return false }
            skipSpace()
            guard at < all.count, all[at] == 0x3A else { return false }
            at += 1
            let member = entries.count
            guard value(depth: depth + 1) else { return false }
            // A sum, so that the order of members does not matter.
            sum &+= ContentHash.mixed(
                entries[name].hash ^ (entries[member].hash &* 0x9E37_79B9_7F4A_7C15)
            )
            count += 1
            skipSpace()
            guard at < all.count else { return false }
            at += 1
            if all[at - 1] == 0x2C { continue }
            guard all[at - 1] == 0x7D else { return false }
            close(index, hash: ContentHash.mixed(sum), count: count)
            return true
        }
    }

    private mutating func array(_ depth: Int) -> Bool {
        let index = open(.array)
        at += 1
        var count = 0
        var hash: UInt64 = 0x1218_0BB1_A4B9_21C3
        skipSpace()
        if at < all.count, all[at] == 0x5D {
            at += 1
            close(index, hash: hash)
            return true
        }
        while true {
            let element = entries.count
            guard value(depth: depth + 1) else { return false }
            hash = ContentHash.mixed(hash ^ entries[element].hash) &+ 1
            count += 1
            skipSpace()
            guard at < all.count else { return false }
            at += 1
            if all[at - 1] == 0x2C { continue }
            guard all[at - 1] == 0x5D else { return false }
            close(index, hash: hash, count: count)
            return true
        }
    }

    private mutating func word(_ word: StaticString, _ kind: JSONKind, _ hash: UInt64) -> Bool {
        let length = word.utf8CodeUnitCount
        guard at + length <= all.count else { return false }
        for offset in 0..<length where all[at + offset] != word.utf8Start[offset] { return false }
        let index = open(kind)
        at += length
        close(index, hash: hash)
        return true
    }

    private mutating func string() -> Bool {
        let index = open(.string)
        at += 1
        let start = at
        var isPlain = true
        while at < all.count {
            let byte = all[at]
            if byte == 0x22 {
                let text = UnsafeBufferPointer(rebasing: all[start..<at])
                at += 1
                let hash =
                    isPlain
                    ? ContentHash.of(text)
                    : JSONText.unescaped(text).withUnsafeBufferPointer { ContentHash.of($0) }
                close(index, hash: hash ^ 0x517C_C1B7_2722_0A95)
                return true
            }
            if byte < 0x20 { return false }
            if byte == 0x5C {
                isPlain = false
                at += 1
                guard at < all.count, isEscape() else { return false }
            }
            at += 1
        }
        return false
    }

    /// Whether what stands after a backslash is an escape; goes to its last byte.
    private mutating func isEscape() -> Bool {
        switch all[at] {
        case 0x22, 0x5C, 0x2F, 0x62, 0x66, 0x6E, 0x72, 0x74: return true
        case 0x75:
            guard at + 4 < all.count else { return false }
            for offset in 1...4 where JSONText.digit(all[at + offset]) == nil { return false }
            at += 4
            return true
        default: return false
        }
    }

    private mutating func number() -> Bool {
        let index = open(.number)
        guard let hash = JSONNumber.read(all, from: &at) else { return false }
        close(index, hash: hash)
        return true
    }
}
