// An independent judge: swift-nio's llhttp must read the same out of what we let pass as sound.

import LabTestSupport
import LabWire
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

/// One request in words: its head and its content.
private struct Reading: Equatable {
    var head: String
    var content: String
}

private func ours(_ message: [UInt8]) -> [Reading]? {
    var reader = RequestReader()
    message.withUnsafeBytes { reader.receive($0) }
    reader.receiveEnd()
    var found: [Reading] = []
    while true {
        switch reader.next() {
        case .head(let head):
            let fields = head.fields.map {
                String(decoding: head.name(of: $0), as: UTF8.self) + ":"
                    + String(decoding: head.value(of: $0), as: UTF8.self)
            }
            let line =
                String(decoding: head.method, as: UTF8.self) + " "
                + String(decoding: head.target, as: UTF8.self)
            found.append(Reading(head: ([line] + fields).joined(separator: "|"), content: ""))
        case .content(let run):
            found[found.count - 1].content += String(decoding: run, as: UTF8.self)
        case .end: continue
        case .refused: return nil
        case .closed, .needsBytes: return found
        }
    }
}

private func llhttps(_ message: [UInt8]) throws -> [Reading]? {
    let channel = EmbeddedChannel(
        handler: ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes))
    )
    defer { _ = try? channel.finish() }
    do {
        try channel.writeInbound(ByteBuffer(bytes: message))
        var found: [Reading] = []
        while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
            switch part {
            case .head(let head):
                let fields = head.headers.map { "\($0.name):\($0.value)" }
                found.append(
                    Reading(
                        head: (["\(head.method.rawValue) \(head.uri)"] + fields).joined(
                            separator: "|"
                        ),
                        content: ""
                    )
                )
            case .body(let buffer): found[found.count - 1].content += String(buffer: buffer)
            case .end: continue
            }
        }
        return found
    } catch {
        return nil
    }
}

@Suite struct OracleTests {
    @Test func `llhttp reads the same requests out of the same bytes`() throws {
        for message in [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST /p?q=%20 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 5\r\nX: y\r\nX: z\r\n\r\nhello",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6;x=y\r\n world\r\n0\r\n\r\n",
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n",
            "OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET http://h/p HTTP/1.1\r\nHost: h\r\n\r\n",
        ] {
            let bytes = Array(message.utf8)
            #expect(try ours(bytes) == llhttps(bytes), "\(message.debugDescription)")
        }
    }

    /// Nothing that we take for whole may mean something else to another server: that is smuggling.
    @Test(arguments: [11, 12, 13, 14] as [UInt64])
    func `damaged messages that we accept mean the same to llhttp or nothing`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        let sound =
            "POST /path HTTP/1.1\r\nHost: a\r\nX-Y: z\r\nContent-Length: 5\r\n\r\nhelloGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        let chunked =
            "POST /path HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"
        var accepted = 0
        for _ in 0..<1500 {
            var bytes = Array((Bool.random(using: &random) ? sound : chunked).utf8)
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<3, using: &random) {
            case 0: bytes[place] = UInt8.random(in: 0...127, using: &random)
            case 1: bytes.remove(at: place)
            default:
                bytes.insert(
                    [0x20, 0x0A, 0x0D, 0x3A, 0x30].randomElement(using: &random) ?? 0x20,
                    at: place
                )
            }
            guard let mine = ours(bytes), let theirs = try llhttps(bytes) else { continue }
            accepted += 1
            #expect(
                mine.map(\.content) == theirs.map(\.content),
                "seed \(seed): \(String(decoding: bytes, as: UTF8.self).debugDescription)"
            )
        }
        #expect(accepted > 100)
    }
}
