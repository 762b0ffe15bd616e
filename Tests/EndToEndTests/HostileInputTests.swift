import Foundation
import LabTestSupport
import Testing

/// Every input of ``hostileRows``, and each row's sound neighbour, sent to one `lab record`.
struct HostileRun: Sendable {
    static let shared = Result { try HostileRun(hostileRows) }

    /// What follows every input on its connection: answered where the server reads on, and never
    /// where it closes.
    static let probe = "GET /status/203 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

    let session: String
    let serverPort: Int
    /// By the row's name: the neighbour's first, then those of the inputs.
    let dialogues: [String: [Dialogue]]
    let stored: [Int: [StoredExchange]]
    let end: Finished

    init(_ rows: [HostileRow]) throws {
        let lab = try LabRecord()
        serverPort = lab.port
        var dialogues: [String: [Dialogue]] = [:]
        for row in rows {
            for input in [HostileInput.served(row.sound, 200)] + row.inputs {
                let text = input.endsSending ? input.text : input.text + Self.probe
                let bytes = marked(text, port: lab.port).bytes
                let dialogue = try Dialogue(to: lab, bytes, endsSending: input.endsSending)
                dialogues[row.name, default: []].append(dialogue)
            }
        }
        self.dialogues = dialogues
        session = lab.session
        end = lab.stop()
        stored = try lab.storedExchanges()
    }
}

/// A text's bytes without its marks, and the places that those mark.
private func marked(_ text: String, port: Int) -> (bytes: [UInt8], places: [Int]) {
    let mark = Array("‸".utf8)
    var rest = Array(text.replacingOccurrences(of: "{port}", with: "\(port)").utf8)[...]
    var bytes: [UInt8] = []
    var places: [Int] = []
    while let byte = rest.first {
        if byte == mark[0], rest.starts(with: mark) {
            places.append(bytes.count)
            rest = rest.dropFirst(mark.count)
        } else {
            bytes.append(byte)
            rest = rest.dropFirst()
        }
    }
    return (bytes, places)
}

/// The head at the front of bytes, empty line included; nil where it does not end.
private func head(of bytes: [UInt8]) -> ArraySlice<UInt8>? {
    let start = bytes.firstIndex { $0 != 0x0D && $0 != 0x0A } ?? bytes.endIndex
    for end in bytes[start...].indices where bytes[end] == 0x0A {
        let after = bytes[(end + 1)...]
        if after.first == 0x0A { return bytes[...(end + 1)] }
        if after.starts(with: [0x0D, 0x0A]) { return bytes[...(end + 2)] }
    }
    return nil
}

/// The request line at the front of bytes, its end included: all that is refused where it is none.
private func line(of bytes: [UInt8]) -> ArraySlice<UInt8>? {
    let start = bytes.firstIndex { $0 != 0x0D && $0 != 0x0A } ?? bytes.endIndex
    return bytes[start...].firstIndex(of: 0x0A).map { bytes[...$0] }
}

@Suite struct HostileInputTests {
    @Test(arguments: hostileRows)
    func `each way to get HTTP wrong is answered, closed and stored as its section says`(
        row: HostileRow
    ) throws {
        let run = try HostileRun.shared.get()
        let dialogues = try #require(run.dialogues[row.name]).dropFirst()
        try #require(dialogues.count == row.inputs.count)
        for (input, dialogue) in zip(row.inputs, dialogues) {
            let said: Comment = "\(row.testDescription): \(dialogue.sent.prefix(200).shown)"
            let (_, places) = marked(input.text, port: run.serverPort)
            let stored = try #require(run.stored[dialogue.port], said)
            let probed = input.closes ? [] : ["203 ok"]
            #expect(stored.map(\.description) == input.stored + probed, said)
            #expect(dialogue.statuses == stored.map(\.status), said)
            #expect(stored.allSatisfy { dialogue.text.contains($0.answer ?? "?") }, said)
            #expect(dialogue.isClosed, said)
            let exchanges = stored.prefix(input.stored.count)
            let deviations = exchanges.flatMap(\.deviations)
            if !places.isEmpty { #expect(deviations.map(\.offset) == places, said) }
            for deviation in deviations {
                #expect(
                    row.sections.contains {
                        $0 == deviation.section || $0.hasPrefix(deviation.section + ".")
                    },
                    "\(said): \(deviation.section)"
                )
            }
            // What is refused never passes for whole; a 413 does not wait for the rest.
            #expect(
                exchanges.allSatisfy {
                    ($0.isWhole == 1) == ($0.outcome == "ok") || $0.status == 413
                },
                said
            )
            if let first = exchanges.first {
                let isLine = deviations.first?.code == "request-line-malformed"
                let whole =
                    (isLine ? line(of: dialogue.sent) : head(of: dialogue.sent))
                    ?? dialogue.sent[...]
                #expect(first.headBytes.elementsEqual(whole.prefix(64 << 10)), said)
            }
            for (name, value) in input.environ {
                let wanted = value?.replacingOccurrences(of: "{port}", with: "\(run.serverPort)")
                #expect(exchanges.last?.environ[name] == wanted, "\(said): \(name)")
            }
        }
    }

    @Test(arguments: hostileRows)
    func `its sound neighbour is served, and nothing is noted`(row: HostileRow) throws {
        let run = try HostileRun.shared.get()
        let dialogue = try #require(run.dialogues[row.name]?.first)
        let said: Comment = "\(row.testDescription): \(dialogue.sent.prefix(200).shown)"
        let stored = try #require(run.stored[dialogue.port], said)
        #expect(stored.last?.description == "203 ok", said)
        #expect(stored.dropLast().allSatisfy { $0.description == "200 ok" }, said)
        #expect(stored.count > 1, said)
        #expect(dialogue.statuses == stored.map(\.status), said)
    }

    @Test(arguments: [
        ("space before the colon", "A : b\\r\\n", " ^"),
        ("a method that is no token", "G@T / HTTP/1.1\\r\\n", " ^"),
        ("a Host that is missing, repeated or none", "GET / HTTP/1.1\\r\\n", "^"),
    ])
    func `lab show points at the byte that a request is refused for`(
        name: String,
        line: String,
        mark: String
    ) throws {
        let run = try HostileRun.shared.get()
        let dialogue = try #require(run.dialogues[name]?[1])
        let exchange = try #require(run.stored[dialogue.port]?.first)
        let shown = try Tool.run(Place.lab, "show", run.session, "\(exchange.id)").output
        #expect(shown.contains("    \(line)\n    \(mark)\n"), "\(shown)")
        #expect(shown.contains("* refused: it broke a rule: the message "), "\(shown)")
    }

    @Test func `what stalls is answered 408, and its child is freed`() throws {
        let lab = try LabRecord(["--header-timeout", "300ms", "--idle-timeout", "300ms"])
        // The third is how HTTP/0.9 asked: one line, and then silence.
        let stalled = [
            ("GET / HTTP/1.1\r\nHost", "408 bad_request head-truncated"),
            ("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc", "408 truncated"),
            ("GET / HTTP/1.1\r\n", "408 bad_request head-truncated"),
        ]
        let dialogues = try stalled.map { try Dialogue(to: lab, Array($0.0.utf8)) }
        // Nothing began: an idle connection is closed without a word, and no exchange.
        let idle = try Dialogue(to: lab, [])
        #expect(lab.stop().status == 0)
        let stored = try lab.storedExchanges()
        for ((text, wanted), dialogue) in zip(stalled, dialogues) {
            #expect(dialogue.statuses == [408], "\(text.debugDescription)")
            #expect(dialogue.isClosed)
            let exchange = try #require(stored[dialogue.port]?.first)
            #expect(exchange.description == wanted)
            #expect(exchange.error?.hasPrefix("timeout: the ") == true)
            #expect(exchange.isWhole == 0)
        }
        #expect(idle.received.isEmpty && idle.isClosed)
        #expect(try #require(stored[idle.port]).isEmpty)
        #expect(try lab.sql("SELECT count(*) FROM child WHERE fate = 'exited'") == "4")
    }

    @Test func `a client of HTTP 0.9 got no answer before its time was up`() throws {
        let lab = try LabRecord(["--header-timeout", "60s"])
        let client = try RawClient(port: lab.port)
        try client.send("GET /\r\n")
        #expect(client.readToEnd().hasPrefix("HTTP/1.1 400 "))
        lab.stop()
        #expect(
            try lab.sql("SELECT status, outcome, hex(request_head) FROM exchange")
                == "400|bad_request|474554202F0D0A"
        )
    }

    @Test func `a client that waits for 100 is told to go on, and one of HTTP/1.0 is not`() throws {
        let lab = try LabRecord()
        defer { lab.stop() }
        func answer(
            to version: String,
            _ expectation: String
        ) throws -> (first: String, all: String) {
            let client = try RawClient(port: lab.port)
            try client.send(
                "POST /echo HTTP/\(version)\r\nHost: a\r\nExpect: \(expectation)\r\n"
                    + "Connection: close\r\nContent-Length: 5\r\n\r\n"
            )
            let waits = version == "1.1" && expectation == "100-Continue"
            let first = waits ? client.read { $0.hasSuffix("\r\n\r\n") } : ""
            try client.send("hello")
            return (first, client.readToEnd())
        }
        let told = try answer(to: "1.1", "100-Continue")
        #expect(told.first == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(told.all.hasPrefix("HTTP/1.1 200 ") && told.all.hasSuffix("hello"))
        for (version, expectation) in [("1.0", "100-continue"), ("1.1", "something-else")] {
            let untold = try answer(to: version, expectation)
            #expect(untold.all.hasPrefix("HTTP/1.1 200 ") && untold.all.hasSuffix("hello"))
        }
    }

    @Test func `none of it harms the recording`() throws {
        let run = try HostileRun.shared.get()
        #expect(run.end.status == 0, "\(run.end.errors)")
        #expect(try Tool.run(Place.lab, "check", run.session).status == 0)
        #expect(
            try LabRecord.sql(
                run.session,
                "SELECT count(*) FROM child WHERE fate <> 'exited' OR exit_code <> 0"
            ) == "0"
        )
    }
}

extension Sequence<UInt8> {
    /// The bytes as a literal that can be read.
    var shown: String { String(decoding: Array(self), as: UTF8.self).debugDescription }
}
