// Hands libFuzzer the function that it calls with each input it thinks of. How an input is read:
//
//     first byte        its low four bits: how many bytes of lengths follow, 0 for pieces of one byte
//                       bit 4: the reader allows little, so that limits are met
//                       bits 5 and 6: the method whose response comes first
//     lengths           of the pieces, less one; used again and again, as long as there is more
//     the rest          what the peer sends before it closes

import CFuzzer
import Glibc
import LabWire

/// An input, taken apart.
struct Input {
    let message: UnsafeRawBufferPointer
    let limits: HeadLimits
    let firstMethod: Int
    let isInSingleBytes: Bool
    /// The ranges of `message` that are fed one after another.
    let pieces: [Range<Int>]

    init?(_ start: UnsafePointer<UInt8>?, _ count: Int) {
        let bytes = UnsafeRawBufferPointer(start: start, count: count)
        guard let first = bytes.first else { return nil }
        let lengths = bytes.dropFirst().prefix(Int(first & 15))
        message = UnsafeRawBufferPointer(rebasing: bytes[lengths.endIndex...])
        limits =
            first & 16 == 0
            ? HeadLimits() : HeadLimits(headBytes: 96, targetBytes: 24, fields: 4)
        firstMethod = Int(first >> 5 & 3)
        isInSingleBytes = lengths.isEmpty
        var pieces: [Range<Int>] = []
        var start = 0
        while start < message.count {
            let length =
                lengths.isEmpty
                ? 1 : Int(lengths[lengths.startIndex + pieces.count % lengths.count]) + 1
            let end = min(start + length, message.count)
            pieces.append(start..<end)
            start = end
        }
        self.pieces = pieces
    }
}

/// What is fuzzed: libFuzzer's function has no argument for it.
private let reader = getenv("LAB_FUZZ").map { String(cString: $0) } ?? "request"

/// Checks one input; libFuzzer finds it by this name.
@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    guard let input = Input(start, count) else { return 0 }
    switch reader {
    case "request": check(input, RequestSubject.self)
    case "response": check(input, ResponseSubject.self)
    case "forgetful": check(input, ForgetfulSubject.self)
    default: fail("has no reader", reader)
    }
    return 0
}
