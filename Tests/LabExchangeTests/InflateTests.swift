import Foundation
import LabExchange
import LabTestSupport
import Testing

/// Content codings, undone; python's zlib makes them.
@Suite struct InflateTests {
    private func coded(_ expression: String) throws -> [UInt8] {
        let end = try Tool.run(
            "python3",
            "-c",
            "import base64,gzip,random,zlib\nd=bytes(random.Random(1).choices(b'abcd \\n<>', k=70000))+bytes(range(256))*9\nprint(base64.b64encode(\(expression)).decode())"
        )
        guard let data = Data(base64Encoded: end.output.trimmingCharacters(in: .newlines)) else {
            throw Trouble("python: \(end.errors)")
        }
        return Array(data)
    }

    @Test(arguments: [
        ("gzip", "gzip.compress(d)"), ("x-gzip", "gzip.compress(d, 1)"),
        ("gzip", "gzip.compress(d, 0)"), ("deflate", "zlib.compress(d, 9)"),
        ("deflate", "zlib.compress(d)[2:-4]"),
        ("gzip", "gzip.compress(d[:30000]) + gzip.compress(d[30000:])"),
    ])
    func `gzip and deflate give back what was coded`(coding: String, expression: String) throws {
        let plain = try coded("d")
        let bytes = try coded(expression)
        #expect(Inflate.undo([coding], of: bytes[...]).map { Array($0) } == plain)
        // Two codings on top of each other, the last one undone first.
        let twice = try coded("gzip.compress(zlib.compress(d))")
        #expect(Inflate.undo(["deflate", "gzip"], of: twice[...]).map { Array($0) } == plain)
    }

    @Test func `damaged content is not undone, and traps nothing`() throws {
        let bytes = try coded("gzip.compress(d)")
        #expect(Inflate.undo(["gzip"], of: bytes.dropLast(9)[...]) == nil)
        #expect(Inflate.undo(["br"], of: bytes[...]) == nil)
        var random = SplitMix64(seed: 3)
        for _ in 0..<60 {
            var damaged = Array(bytes.prefix(2000))
            for _ in 0..<3 {
                damaged[Int.random(in: 10..<damaged.count, using: &random)] =
                    UInt8.random(in: .min ... .max, using: &random)
            }
            _ = Inflate.undo(["gzip"], of: damaged[...])
        }
    }
}
