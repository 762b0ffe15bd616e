// Messages as peers send them, and as they should not: whole ones made of parts, one part of which
// may be odd, and then one byte of which may be damaged.

import LabTestSupport

/// Makes messages of a seed.
struct MessageGenerator {
    private var random: SplitMix64
    private let makesResponses: Bool

    /// The bytes of one connection.
    struct Sample: Hashable {
        var bytes: [UInt8] = []
        /// The methods that the responses answer; nil for requests.
        var methods: [String]?
    }

    init(seed: UInt64, makesResponses: Bool) {
        random = SplitMix64(seed: seed)
        self.makesResponses = makesResponses
    }

    /// One to three messages on one connection, at most one of which has an odd part.
    mutating func sample() -> Sample {
        var sample = Sample(methods: makesResponses ? [] : nil)
        let count = chance(2) ? 1 : chance(2) ? 2 : 3
        let odd = chance(6) ? count : Int.random(in: 0..<count, using: &random)
        for place in 0..<count {
            let message =
                makesResponses
                ? response(isOdd: place == odd, &sample) : request(isOdd: place == odd)
            sample.bytes += Array(message.utf8)
        }
        if chance(5) { damage(&sample.bytes) }
        return sample
    }

    // MARK: - Requests

    private mutating func request(isOdd: Bool) -> String {
        var line = one(of: ["GET / HTTP/1.1", "POST /a?b=c HTTP/1.1", "PUT http://h/%20 HTTP/1.1"])
        var fields = ["Host: h"]
        var body = body()
        if isOdd {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: line = one(of: Self.oddRequestLines)
            case 1: fields = one(of: Self.oddHosts)
            case 2:
                fields.insert(one(of: Self.oddFields), at: Int.random(in: 0...1, using: &random))
            case 3: body = oddLength()
            default: body = oddChunks()
            }
        }
        return message(line, fields + plainFields(), body, isOdd: isOdd)
    }

    private static let oddRequestLines = [
        "HEAD / HTTP/1.1", "OPTIONS * HTTP/1.1", "CONNECT h:443 HTTP/1.1", "GET / HTTP/1.0",
        "GET / HTTP/1.2", "GET / HTTP/2.0", "GET / HTTP/0.9", "GET / HTTP/1.10", "GET / http/1.1",
        "GET / HTTP/ 1.1", "GET /", "GET", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1 ",
        " GET / HTTP/1.1", "GET /a b HTTP/1.1", "GET /a#b HTTP/1.1", "GET /\u{E9} HTTP/1.1",
        "GET h HTTP/1.1", "GET * HTTP/1.1", "GET ? HTTP/1.1", "BREW / HTTP/1.1", "get / HTTP/1.1",
        "G@T / HTTP/1.1", "GET\t/ HTTP/1.1", "PRI * HTTP/2.0", "GET ftp://h/ HTTP/1.1",
        "GET /\u{1} HTTP/1.1", "GET / ICE/1.0", "SOURCE / ICE/1.0", "DESCRIBE / RTSP/1.0",
        "CONNECT / HTTP/1.1", "GET http://u@h/ HTTP/1.1",
    ]

    private static let oddHosts: [[String]] = [
        [], ["Host: h", "Host: h"], ["Host:"], ["Host: h h"], ["Host: u@h"], ["Host: h:80"],
        ["Host: [::1]:8"], ["host:h"], ["Host: h:x"],
    ]

    // MARK: - Responses

    private mutating func response(isOdd: Bool, _ sample: inout Sample) -> String {
        var line = one(of: ["HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.1 500 "])
        var fields: [String] = []
        var method = "GET"
        var body = body()
        if body.isEmpty, !chance(8) { body = ["Content-Length: 0", "\r\n"] }
        if isOdd {
            switch Int.random(in: 0..<6, using: &random) {
            case 0: line = one(of: Self.oddStatusLines)
            case 1:
                method = one(of: ["HEAD", "CONNECT"])
                if method == "HEAD" { body = [body.first ?? "X: y", "\r\n"] }
            case 2: fields = [one(of: Self.oddFields)]
            case 3: body = oddLength()
            case 4:
                line = "HTTP/1.1 " + one(of: ["100 Continue", "103 Early Hints", "204 No Content"])
                body = ["X: y", "\r\n"]
            default: body = oddChunks()
            }
        }
        let isInterim = line.contains(" 10") && !line.contains("101")
        if !isInterim { sample.methods?.append(method) }
        return message(line, fields + plainFields(), body, isOdd: isOdd)
    }

    private static let oddStatusLines = [
        "HTTP/1.1 200", "HTTP/1.1 200 ", "HTTP/1.1 200 O\tK", "HTTP/1.1 200 \u{E9}",
        "HTTP/1.1  200 OK", "HTTP/1.1 20 OK", "HTTP/1.1 2000 OK", "HTTP/1.1 099 X",
        "HTTP/1.1 2x0 OK",
        "HTTP/1.0 200 OK", "HTTP/1.2 200 OK", "HTTP/2.0 200 OK", "HTTP/0.9 200 OK",
        "http/1.1 200 OK",
        "HTTP/1.1", "HTTP/1.1 ", "ICY 200 OK", "HTTP/1.1 304 Not Modified", "HTTP/1.1 204 None",
        "HTTP/1.1 101 Switching", "HTTP/1.1 199 Odd", "HTTP/1.1 102 Processing",
        "HTTP/1.1 999 Last", "HTTP/1.1 200 O\u{1}K", "HTTP/1.1\t200 OK", "HTTP/1.1 200\tOK",
        "HTTP/1.10 200 OK", " HTTP/1.1 200 OK", "HTTP/1.1 205 Reset",
    ]

    // MARK: - What both have

    private mutating func plainFields() -> [String] {
        let all = [
            "Accept: */*", "X: y", "X:z", "X:  y z \t", "X:", "X: a\tb", "Connection: keep-alive",
            "X-\(String(repeating: "long", count: 12)): \(String(repeating: "value ", count: 20))",
        ]
        return (0..<Int.random(in: 0...2, using: &random)).map { _ in one(of: all) }
    }

    private static let oddFields = [
        "A : b", "A\t: b", " A: b", "A: b\r\n c", "A: b\r\n\tc", "A:\r\n b", "NoColon", "A(b): c",
        "A b: c", ": c", "A\u{1}: c", "A: b\u{1}c", "A: b\u{7F}c", "A: b\u{0}c", "A: \u{E9}",
        "\u{E9}: a", "A: b\rc", "A: b\r\r", "A\r: b", "\r", "Connection: close",
        "Connection: close, X", "Connection: close\t", "Connection:keep-alive,close",
        "Expect: 100-continue",
        "Upgrade: x\r\nConnection: upgrade", "Transfer-Encoding:", "\"A\": b", "A: \"b\r\n",
        "Trailer: T", "TE: trailers", "!#$%&'*+-.^_`|~9: a", "A:b: c", "A::b",
        "Proxy-Connection: close",
    ]

    /// The fields of framing, and then the empty line and the content.
    private mutating func body() -> [String] {
        switch Int.random(in: 0..<3, using: &random) {
        case 0: []
        case 1: ["Content-Length: 5", "\r\nhello"]
        default:
            [
                "Transfer-Encoding: chunked",
                "\r\n" + one(of: ["", "5\r\nhello\r\n", "5\r\nhello\r\n1\r\n \r\n"])
                    + one(of: ["0\r\n\r\n", "0\r\nT: u\r\n\r\n"]),
            ]
        }
    }

    private mutating func oddLength() -> [String] {
        one(of: [
            ["Content-Length: 05", "\r\nhello"],
            ["Content-Length: 5\t", "\r\nhello"], ["Content-Length: 5 ", "\r\nhello"],
            ["content-length:5", "\r\nhello"], ["Content-Length: 0", "\r\n"],
            ["Content-Length: 5\r\nContent-Length: 5", "\r\nhello"],
            ["Content-Length: 5\r\nContent-Length: 6", "\r\nhello"],
            ["Content-Length: 5, 5", "\r\nhello"], ["Content-Length: +5", "\r\nhello"],
            ["Content-Length: -5", "\r\nhello"], ["Content-Length: 5 5", "\r\nhello"],
            ["Content-Length: 0x5", "\r\nhello"], ["Content-Length:", "\r\n"],
            ["Content-Length: 5;", "\r\nhello"], ["Content-Length: 6", "\r\nhello"],
            ["Content-Length: 9223372036854775807", "\r\nhello"],
            ["Content-Length: 9223372036854775808", "\r\nhello"],
            ["Content-Length: 18446744073709551616", "\r\nhello"],
            ["Content-Length: 5\r\n ", "\r\nhello"],
            ["Content-Length: 5\r\nTransfer-Encoding: chunked", "\r\n0\r\n\r\n"],
            ["Transfer-Encoding: chunked\r\nContent-Length: 5", "\r\n0\r\n\r\n"],
            ["Content_Length: 5\r\nContent-Length: 0", "\r\n"],
        ])
    }

    private mutating func oddChunks() -> [String] {
        let codings = [
            "chunked, chunked", "gzip, chunked", "chunked, gzip", "gzip", "identity", "xchunked",
            "chunkedx", "chunked;x=1", "Chunked", "chunked,", ",chunked", "\tchunked", "chunked \t",
            "chunked\r\nTransfer-Encoding: chunked", "gzip\r\nTransfer-Encoding: chunked",
            "chunked\r\nTransfer-Encoding: gzip", "\u{B}chunked", "chunked\r\n\t", "\"chunked\"",
            "chu nked", "chunked , identity", "identity, chunked",
        ]
        let contents = [
            "5 \r\nhello\r\n", "5\t\r\nhello\r\n", " 5\r\nhello\r\n", "0x5\r\nhello\r\n",
            "+5\r\nhello\r\n", "-5\r\nhello\r\n", "05\r\nhello\r\n",
            "00000000000000005\r\nhello\r\n",
            "0000000000000005\r\nhello\r\n", "A\r\nhellohello\r\n", "a\r\nhellohello\r\n",
            "5;\r\nhello\r\n", "5;a\r\nhello\r\n", "5;a=b\r\nhello\r\n", "5;a=\"b;c\"\r\nhello\r\n",
            "5;a=\"b\\\"c\"\r\nhello\r\n", "5; a = b\r\nhello\r\n", "5 ;a\r\nhello\r\n",
            "5;a;b=c\r\nhello\r\n", "5;;a\r\nhello\r\n", "5;a=\r\nhello\r\n", "5;=b\r\nhello\r\n",
            "5;a=\"b\r\nhello\r\n", "5;a\nb\r\nhello\r\n", "5;a\rb\r\nhello\r\n",
            "5;\u{1}\r\nhello\r\n",
            "5\nhello\r\n", "5\r\nhello\n", "5\rhello\r\n", "5\r\nhello", "5\r\nhell\r\n",
            "5\r\nhello!\r\n", "5_0\r\nhello\r\n", "\r\nhello\r\n", "g\r\nhello\r\n",
            "5\r\nhello\r\n\r\n", "FFFFFFFFFFFFFFFF\r\nhello\r\n", "7FFFFFFFFFFFFFFF\r\nhello\r\n",
            "10000000000000000\r\nhello\r\n", "5;\u{E9}\r\nhello\r\n", "5;a=b c\r\nhello\r\n",
        ]
        let ends = [
            "0\r\nT: u\r\nT: v\r\n\r\n", "0\r\nNoColon\r\n\r\n", "0\r\nT : u\r\n\r\n",
            "0\r\n T: u\r\n\r\n", "0\r\nT: u\r\n v\r\n\r\n", "0\r\nContent-Length: 5\r\n\r\n",
            "0\r\nTransfer-Encoding: chunked\r\n\r\n", "0\nT: u\r\n\r\n", "0\r\nT: u\n\r\n",
            "0\r\nT: u\r\n\n", "0\r\n\n", "0\r\n\r", "0\r\nT: \u{1}\r\n\r\n", "0\r\nT:\r\n\r\n",
            "0\r\n", "0", "00\r\n\r\n", "0;a\r\n\r\n", "0\r\nT: u\rv\r\n\r\n", "0\r\n: u\r\n\r\n",
            "0\r\n\u{E9}: u\r\n\r\n", "0\r\nT: \u{E9}\r\n\r\n",
        ]
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
            return ["Transfer-Encoding: " + one(of: codings), "\r\n5\r\nhello\r\n0\r\n\r\n"]
        case 1:
            return ["Transfer-Encoding: chunked", "\r\n" + one(of: contents) + "0\r\n\r\n"]
        default:
            return ["Transfer-Encoding: chunked", "\r\n5\r\nhello\r\n" + one(of: ends)]
        }
    }

    private mutating func message(
        _ line: String,
        _ fields: [String],
        _ body: [String],
        isOdd: Bool
    ) -> String {
        var lines = [line] + fields
        if let framing = body.first { lines.append(framing) }
        let text = lines.joined(separator: "\r\n") + "\r\n" + (body.last ?? "\r\n")
        guard isOdd, chance(8) else { return text }
        switch Int.random(in: 0..<4, using: &random) {
        // Empty lines before it, line ends of LF alone, of CR alone, and an early end.
        case 0: return one(of: ["\r\n", "\n", "\r\n\r\n", "\r", " \r\n"]) + text
        case 1:
            return text.split(separator: "\r\n", omittingEmptySubsequences: false)
                .joined(separator: "\n")
        case 2:
            return text.split(separator: "\r\n", omittingEmptySubsequences: false)
                .joined(separator: "\r")
        default: return String(text.unicodeScalars.dropLast(Int.random(in: 1...9, using: &random)))
        }
    }

    private mutating func damage(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0..<bytes.count, using: &random)
        let odd: [UInt8] = [0x00, 0x09, 0x0A, 0x0D, 0x20, 0x22, 0x2C, 0x30, 0x3A, 0x3B, 0x7F, 0xFF]
        switch Int.random(in: 0..<4, using: &random) {
        case 0: bytes[place] = odd[Int.random(in: 0..<odd.count, using: &random)]
        case 1: bytes[place] = UInt8.random(in: 0x21...0x7E, using: &random)
        case 2: bytes.remove(at: place)
        default: bytes.insert(odd[Int.random(in: 0..<odd.count, using: &random)], at: place)
        }
    }

    private mutating func chance(_ one: Int) -> Bool {
        Int.random(in: 0..<one, using: &random) == 0
    }

    private mutating func one<Element>(of all: [Element]) -> Element {
        all[Int.random(in: 0..<all.count, using: &random)]
    }
}
