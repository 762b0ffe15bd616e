// DEFLATE (RFC 1951), and its two wrappers: gzip (RFC 1952) and zlib (RFC 1950).
// A coded answer must be read to be compared, and a pure target links no library of the system.

/// Undoes the content codings gzip and deflate.
public struct Inflate {
    /// The most bytes that a coded content may become: what is larger is compared as it came.
    public static let mostBytes = 64 << 20

    private let input: ArraySlice<UInt8>
    private var at: Int
    private var held: UInt64 = 0
    private var heldCount = 0
    private var output: [UInt8] = []

    private init(_ input: ArraySlice<UInt8>) {
        self.input = input
        at = input.startIndex
    }

    /// Undoes the codings of `Content-Encoding`.
    ///
    /// - Parameters:
    ///   - codings: Their names in lowercase, in the order in which they were applied.
    ///   - content: The coded content.
    /// - Returns: The content; nil where a coding is not known here, or the content is damaged.
    public static func undo(
        _ codings: [String],
        of content: ArraySlice<UInt8>
    ) -> ArraySlice<UInt8>? {
        var content = content
        for coding in codings.reversed() {
            switch coding {
            case "identity", "": continue
            case "gzip", "x-gzip":
                guard let plain = gzip(content) else { return nil }
                content = plain[...]
            case "deflate":
                // Meant is zlib's form; some send the bare one.
                guard let plain = zlib(content) ?? bare(content) else { return nil }
                content = plain[...]
            default: return nil
            }
        }
        return content
    }

    /// One or more members after each other.
    private static func gzip(_ content: ArraySlice<UInt8>) -> [UInt8]? {
        var rest = content
        var all: [UInt8] = []
        repeat {
            guard let start = gzipHeader(rest) else { return nil }
            var inflate = Inflate(rest[start...])
            inflate.output = all
            guard inflate.run(), inflate.at + 8 <= rest.endIndex else { return nil }
            all = inflate.output
            // The checksum is the transport's affair; the end must be there.
            rest = rest[(inflate.at + 8)...]
        } while !rest.isEmpty
        return all
    }

    private static func gzipHeader(_ content: ArraySlice<UInt8>) -> Int? {
        let start = content.startIndex
        guard content.count >= 18, content[start] == 0x1F, content[start + 1] == 0x8B,
            content[start + 2] == 8
        else { return nil }
        let flags = content[start + 3]
        var at = start + 10
        if flags & 4 != 0 {
            guard at + 2 <= content.endIndex else { return nil }
            at += 2 + Int(content[at]) + Int(content[at + 1]) << 8
        }
        for flag in [8, 16] as [UInt8] where flags & flag != 0 {
            guard at < content.endIndex, let end = content[at...].firstIndex(of: 0) else {
                return nil
            }
            at = end + 1
        }
        if flags & 2 != 0 { at += 2 }
        return at < content.endIndex ? at : nil
    }

    private static func zlib(_ content: ArraySlice<UInt8>) -> [UInt8]? {
        guard content.count >= 6 else { return nil }
        let (first, second) = (
            Int(content[content.startIndex]), Int(content[content.startIndex + 1])
        )
        guard first & 15 == 8, (first << 8 | second).isMultiple(of: 31), second & 32 == 0 else {
            return nil
        }
        return bare(content.dropFirst(2))
    }

    private static func bare(_ content: ArraySlice<UInt8>) -> [UInt8]? {
        var inflate = Inflate(content)
        return inflate.run() ? inflate.output : nil
    }

    // MARK: Blocks

    private mutating func run() -> Bool {
        while true {
            guard let isLast = bits(1), let kind = bits(2) else { return false }
            let isRead =
                switch kind {
                case 0: stored()
                case 1: coded(Self.fixedLengths, Self.fixedDistances)
                case 2: dynamic()
                default: false
                }
            guard isRead else { return false }
            if isLast == 1 {
                // Whole bytes that were taken too early go back.
                at -= heldCount / 8
                return true
            }
        }
    }

    private mutating func bits(_ count: Int) -> Int? {
        while heldCount < count {
            guard at < input.endIndex else { return nil }
            held |= UInt64(input[at]) << UInt64(heldCount)
            heldCount += 8
            at += 1
        }
        let value = Int(held & (1 << UInt64(count) - 1))
        held >>= UInt64(count)
        heldCount -= count
        return value
    }

    private mutating func stored() -> Bool {
        held >>= UInt64(heldCount & 7)
        heldCount -= heldCount & 7
        guard let length = bits(16), let check = bits(16), length == ~check & 0xFFFF else {
            return false
        }
        for _ in 0..<length {
            guard let byte = bits(8) else { return false }
            output.append(UInt8(byte))
        }
        return output.count <= Self.mostBytes
    }

    private mutating func dynamic() -> Bool {
        guard let lengths = bits(5), let distances = bits(5), let codes = bits(4) else {
            return false
        }
        let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
        var sizes = [UInt8](repeating: 0, count: 19)
        for place in order.prefix(codes + 4) {
            guard let size = bits(3) else { return false }
            sizes[place] = UInt8(size)
        }
        guard let code = HuffmanCode(sizes) else { return false }
        let count = lengths + 257 + distances + 1
        var all: [UInt8] = []
        while all.count < count {
            guard let symbol = symbol(code) else { return false }
            switch symbol {
            case ..<16: all.append(UInt8(symbol))
            case 16:
                guard let last = all.last, let more = bits(2) else { return false }
                all += Array(repeating: last, count: 3 + more)
            case 17:
                guard let more = bits(3) else { return false }
                all += Array(repeating: 0, count: 3 + more)
            default:
                guard let more = bits(7) else { return false }
                all += Array(repeating: 0, count: 11 + more)
            }
        }
        guard all.count == count, let first = HuffmanCode(Array(all[..<(lengths + 257)])),
            let second = HuffmanCode(Array(all[(lengths + 257)...]))
        else { return false }
        return coded(first, second)
    }

    private mutating func symbol(_ code: HuffmanCode) -> Int? {
        var (value, first, index) = (0, 0, 0)
        for length in 1..<16 {
            guard let bit = bits(1) else { return nil }
            value |= bit
            let count = code.counts[length]
            if value - count < first { return Int(code.symbols[index + value - first]) }
            index += count
            first = (first + count) << 1
            value <<= 1
        }
        return nil
    }

    private mutating func coded(_ lengths: HuffmanCode, _ distances: HuffmanCode) -> Bool {
        while true {
            guard let symbol = symbol(lengths) else { return false }
            if symbol < 256 {
                output.append(UInt8(symbol))
                continue
            }
            if symbol == 256 { return true }
            guard symbol < 286, let extra = bits(Self.lengthBits[symbol - 257]),
                let code = self.symbol(distances), code < 30,
                let more = bits(Self.distanceBits[code])
            else { return false }
            let length = Self.lengthBase[symbol - 257] + extra
            let distance = Self.distanceBase[code] + more
            guard distance <= output.count, output.count + length <= Self.mostBytes else {
                return false
            }
            for _ in 0..<length { output.append(output[output.count - distance]) }
        }
    }

    // MARK: Tables (RFC 1951 3.2.5 and 3.2.6)

    private static let lengthBase = [
        3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115,
        131, 163, 195, 227, 258,
    ]
    private static let lengthBits = [
        0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
    ]
    private static let distanceBase = [
        1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537,
        2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577,
    ]
    private static let distanceBits = [
        0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12,
        13, 13,
    ]
    private static let fixedLengths = HuffmanCode(
        complete: (0..<288).map { $0 < 144 ? 8 : $0 < 256 ? 9 : $0 < 280 ? 7 : 8 }
    )
    private static let fixedDistances = HuffmanCode(complete: Array(repeating: 5, count: 30))
}

/// A canonical Huffman code, by how many codes there are of each length.
private struct HuffmanCode {
    let counts: [Int]
    let symbols: [UInt16]

    /// A code whose lengths are known to be right.
    init(complete sizes: [UInt8]) {
        var counts = [Int](repeating: 0, count: 16)
        for size in sizes { counts[Int(size)] += 1 }
        counts[0] = 0
        var places = [Int](repeating: 0, count: 16)
        for length in 1..<15 { places[length + 1] = places[length] + counts[length] }
        var symbols = [UInt16](repeating: 0, count: sizes.count)
        for (symbol, size) in sizes.enumerated() where size > 0 {
            symbols[places[Int(size)]] = UInt16(symbol)
            places[Int(size)] += 1
        }
        self.counts = counts
        self.symbols = symbols
    }

    /// nil where more codes are asked for than there can be.
    init?(_ sizes: [UInt8]) {
        self.init(complete: sizes)
        var left = 1
        for length in 1..<16 {
            left = left << 1 - counts[length]
            if left < 0 { return nil }
        }
    }
}
