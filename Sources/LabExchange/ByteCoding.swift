// Numbers and runs of bytes, little-endian, one after another: what frames are written in.

/// Appends values to bytes.
struct ByteWriter {
    var bytes: [UInt8]

    mutating func put(_ number: some FixedWidthInteger) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func put(run: some Collection<UInt8>) {
        put(UInt32(run.count))
        bytes.append(contentsOf: run)
    }

    mutating func put(text: String) { put(run: text.utf8) }
}

/// Takes values from bytes.
///
/// Reading past the end gives zeros and sets ``isBroken``.
struct ByteScanner {
    private let bytes: UnsafeRawBufferPointer
    private(set) var at = 0
    private(set) var isBroken = false

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    var isAtEnd: Bool { at >= bytes.count }

    mutating func number<Number: FixedWidthInteger>(_ type: Number.Type = Number.self) -> Number {
        let size = MemoryLayout<Number>.size
        guard at + size <= bytes.count else {
            isBroken = true
            at = bytes.count
            return 0
        }
        defer { at += size }
        return Number(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: Number.self))
    }

    mutating func run() -> UnsafeRawBufferPointer {
        let length = Int(number(UInt32.self))
        guard at + length <= bytes.count else {
            isBroken = true
            at = bytes.count
            return UnsafeRawBufferPointer(start: nil, count: 0)
        }
        defer { at += length }
        return UnsafeRawBufferPointer(rebasing: bytes[at..<at + length])
    }

    mutating func byteArray() -> [UInt8] { Array(run()) }

    mutating func text() -> String { String(decoding: run(), as: UTF8.self) }
}
