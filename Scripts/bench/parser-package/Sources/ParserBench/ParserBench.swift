// Parsers of HTTP/1 heads, taking turns on one thread: LabWire's readers, llhttp alone, and NIO's
// decoders around llhttp. Standard input has a line for each message that was recorded:
//
//     METHOD TAB REQUEST-HEAD TAB CONTENT TAB RESPONSE-HEAD
//
// all but the method in hexadecimal. Standard output has the tables. What is counted is the thread's CPU time, so that whoever shares
// the machine takes part in it only by way of the caches.

import CParserBench
import Glibc
import LabWire
import NIOCore
import NIOEmbedded
import NIOHTTP1

/// One parser and the messages that it is to read.
struct Subject {
    let name: String
    /// Reads every message once; returns how many ended.
    let readAll: () -> Int
}

/// What one turn of a subject cost.
struct Turn {
    var seconds = 0.0
    var messages = 0
    var allocations = 0

    init(of subject: Subject, seconds: Double, expecting count: Int) {
        let start = bench_cpu_ns()
        let before = bench_allocations()
        repeat {
            let read = subject.readAll()
            guard read == count else {
                fail("\(subject.name) read \(read) messages where \(count) are.")
            }
            messages += read
            self.seconds = Double(bench_cpu_ns() - start) / 1e9
        } while self.seconds < seconds
        allocations = Int(bench_allocations() - before)
    }

    var rate: Double { Double(messages) / seconds }
    var allocationsPerMessage: Double { Double(allocations) / Double(messages) }
}

/// One recorded exchange.
struct Recorded {
    let method: [UInt8]
    let requestHead: [UInt8]
    /// The request's content, framed as its head says.
    let content: [UInt8]
    let responseHead: [UInt8]

    init?(line: String) {
        let parts = line.split(separator: "\t", omittingEmptySubsequences: false)
        guard parts.count == 4 else { fail("A line of the input has \(parts.count) parts, not 4.") }
        method = Array(parts[0].utf8)
        requestHead = Self.bytes(parts[1])
        responseHead = Self.bytes(parts[3])
        let bytes = Self.bytes(parts[2])
        guard let request = try? RequestHead(parsing: requestHead),
            let response = try? ResponseHead(parsing: responseHead)
        else { return nil }
        // Each side's messages follow one another on one connection, so that no parser is set up
        // anew between them: what ends a connection is left out, and a content that would make this
        // a measurement of memcpy is too.
        guard request.persists, response.persists, !response.isInterim,
            !request.connection.contains(.upgrade), method != Array("CONNECT".utf8),
            bytes.count <= 4096
        else { return nil }
        switch request.framing {
        case .chunked:
            var framed: [UInt8] = []
            framed.append(chunk: bytes)
            framed.appendLastChunk()
            content = framed
        case .length(let length):
            guard length == UInt64(bytes.count) else { return nil }
            content = bytes
        case .none, .untilClose: content = []
        }
    }

    private static func bytes(_ text: Substring) -> [UInt8] {
        let digits = text.utf8.compactMap(hexadecimalDigit)
        return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
    }
}

func fail(_ sentence: String) -> Never {
    let line = "ParserBench: \(sentence)\n"
    _ = line.withCString { write(2, $0, strlen($0)) }
    exit(2)
}

/// Takes a head as a caller in another module would: so that no part of it is found to be unused
/// and left out by the optimizer.
@inline(never) @_optimize(none)
func use(_ head: some MessageHead) {}

// MARK: - Requests

func labRequests(_ messages: [[UInt8]]) -> Subject {
    var reader = RequestReader()
    return Subject(name: "LabWire's RequestReader") {
        var ends = 0
        for message in messages {
            message.withUnsafeBytes { reader.receive($0) }
            reading: while true {
                switch reader.next() {
                case .head(let head): use(head)
                case .content: continue
                case .end: ends += 1
                case .needsBytes: break reading
                case .refused, .closed: return -1
                }
            }
        }
        return ends
    }
}

func llhttp(_ messages: [[UInt8]], readsResponses: Bool) -> Subject {
    let parser = bench_llhttp_new(readsResponses)
    var ends = 0
    return Subject(name: "llhttp from C, keeping places only") {
        let before = ends
        for message in messages {
            ends = message.withUnsafeBytes {
                Int(bench_llhttp_feed(parser, $0.baseAddress, $0.count))
            }
            if ends < 0 { return -1 }
        }
        return ends - before
    }
}

func nioRequests(_ messages: [[UInt8]]) -> Subject {
    let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
    let buffers = messages.map { ByteBuffer(bytes: $0) }
    return Subject(name: "NIO's HTTPRequestDecoder in an EmbeddedChannel") {
        var ends = 0
        for buffer in buffers {
            guard (try? channel.writeInbound(buffer)) != nil else { return -1 }
            while let part = try? channel.readInbound(as: HTTPServerRequestPart.self) {
                if case .end = part { ends += 1 }
            }
        }
        return ends
    }
}

// MARK: - Responses, all read as if to HEAD: their heads are the whole of them.

private let headMethod = Array("HEAD".utf8)

func labResponses(_ messages: [[UInt8]]) -> Subject {
    var reader = ResponseReader()
    return Subject(name: "LabWire's ResponseReader") {
        var ends = 0
        for message in messages {
            reader.expectResponse(toMethod: headMethod)
            message.withUnsafeBytes { reader.receive($0) }
            reading: while true {
                switch reader.next() {
                case .head(let head): use(head)
                case .content: continue
                case .end: ends += 1
                case .needsBytes: break reading
                case .refused, .closed: return -1
                }
            }
        }
        return ends
    }
}

func nioResponses(_ messages: [[UInt8]]) -> Subject {
    let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPResponseDecoder()))
    let buffers = messages.map { ByteBuffer(bytes: $0) }
    let request = HTTPClientRequestPart.head(
        HTTPRequestHead(version: .http1_1, method: .HEAD, uri: "/")
    )
    return Subject(name: "NIO's HTTPResponseDecoder in an EmbeddedChannel") {
        var ends = 0
        for buffer in buffers {
            guard (try? channel.writeOutbound(request)) != nil,
                (try? channel.readOutbound(as: HTTPClientRequestPart.self)) != nil,
                (try? channel.writeInbound(buffer)) != nil
            else { return -1 }
            while let part = try? channel.readInbound(as: HTTPClientResponsePart.self) {
                if case .end = part { ends += 1 }
            }
        }
        return ends
    }
}

// MARK: -

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

func padded(_ number: Double, _ decimals: Int) -> String {
    var scale = 1.0
    for _ in 0..<decimals { scale *= 10 }
    let whole = (number * scale).rounded()
    let units = String(Int(whole / scale))
    var grouped = ""
    for (place, digit) in units.enumerated() {
        if place > 0, (units.count - place) % 3 == 0 { grouped.append(",") }
        grouped.append(digit)
    }
    guard decimals > 0 else { return grouped }
    let rest = String(Int(whole.truncatingRemainder(dividingBy: scale)))
    return grouped + "." + String(repeating: "0", count: decimals - rest.count) + rest
}

/// A table of the subjects, each row the median of the rounds in which they took turns.
func compare(
    _ subjects: [Subject],
    _ messages: [[UInt8]],
    what: String,
    rounds: Int,
    seconds: Double
) {
    for subject in subjects {
        _ = Turn(of: subject, seconds: seconds / 4, expecting: messages.count)
    }
    var turns = subjects.map { _ in [Turn]() }
    for _ in 0..<rounds {
        for (place, subject) in subjects.enumerated() {
            turns[place].append(Turn(of: subject, seconds: seconds, expecting: messages.count))
        }
    }
    let bytes = Double(messages.reduce(0) { $0 + $1.count }) / Double(messages.count)
    printRow(
        "\(messages.count) \(what), \(padded(bytes, 0)) bytes on average",
        "\(what)/s",
        "ns each",
        "allocations each"
    )
    printRow("---", "---", "---", "---")
    for (subject, turns) in zip(subjects, turns) {
        let rate = median(turns.map(\.rate))
        let allocations = median(turns.map(\.allocationsPerMessage))
        printRow(subject.name, padded(rate, 0), padded(1e9 / rate, 0), padded(allocations, 2))
    }
    let ratio = median(zip(turns[0], turns[1]).map { $0.rate / $1.rate })
    printRow("the first to the second", padded(ratio, 2), "", "")
    print()
}

func printRow(_ cells: String...) { print("| \(cells.joined(separator: " | ")) |") }

/// How many allocations each further field of a request costs: heads of one and of twenty fields.
func allocationsPerField() -> Double {
    func message(fields: Int) -> [UInt8] {
        let more = String(repeating: "X-Field: some value\r\n", count: fields - 1)
        return Array("GET / HTTP/1.1\r\nHost: a\r\n\(more)\r\n".utf8)
    }
    let counts = [1, 20].map { fields in
        let subject = labRequests([message(fields: fields)])
        _ = subject.readAll()
        let before = bench_allocations()
        for _ in 0..<1000 { _ = subject.readAll() }
        return Double(bench_allocations() - before) / 1000
    }
    return (counts[1] - counts[0]) / 19
}

@main enum ParserBench {
    static func main() {
        guard CommandLine.arguments.count == 3, let rounds = Int(CommandLine.arguments[1]),
            let seconds = Double(CommandLine.arguments[2]), rounds > 0
        else { fail("wants ROUNDS and SECONDS.") }
        var read = 0
        var recorded: [Recorded] = []
        while let line = readLine() {
            read += 1
            if let one = Recorded(line: line) { recorded.append(one) }
        }
        guard !recorded.isEmpty else { fail("no message came that can be measured.") }
        print("\(recorded.count) of \(read) exchanges; the others end a connection or are large.\n")
        let requests = recorded.map { $0.requestHead + $0.content }
        compare(
            [
                labRequests(requests), llhttp(requests, readsResponses: false),
                nioRequests(requests),
            ],
            requests,
            what: "requests",
            rounds: rounds,
            seconds: seconds
        )
        let responses = recorded.map(\.responseHead)
        compare(
            [
                labResponses(responses), llhttp(responses, readsResponses: true),
                nioResponses(responses),
            ],
            responses,
            what: "responses",
            rounds: rounds,
            seconds: seconds
        )
        let perField = allocationsPerField()
        print("Each further field of a request costs LabWire \(padded(perField, 2)) allocations.")
        if perField > 0 { exit(1) }
    }
}
