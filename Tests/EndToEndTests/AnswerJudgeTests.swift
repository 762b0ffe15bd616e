import Foundation
import LabTestSupport
import Testing

/// What two independent judges say of the bytes that lab answers: h11 of their framing, httplint of
/// their fields.
@Suite struct AnswerJudgeTests {
    @Test func `h11 reads whatever lab answers to hostile input, to the last byte`() throws {
        let run = try HostileRun.shared.get()
        let connections = run.dialogues.flatMap { name, dialogues in
            dialogues.map { Connection($0, named: name) }
        }
        let verdict = try judged(connections)
        #expect(verdict.complaints.isEmpty)
        #expect(verdict.answers == run.dialogues.values.joined().map(\.statuses.count).reduce(0, +))
    }

    @Test func `h11 reads whatever a hostile upstream lets through, and sees what is cut`() throws {
        let run = try UpstreamRun.shared.get()
        let connections = upstreamRows.flatMap { row in
            zip([nil] + row.cases, run.dialogues[row.name] ?? []).map { item, dialogue in
                Connection(
                    dialogue.dialogue,
                    named: row.name,
                    isCut: item?.isCut == true,
                    isLinted: false
                )
            }
        }
        let verdict = try judged(connections)
        #expect(verdict.complaints.isEmpty)
        #expect(verdict.answers > connections.count)
    }

    @Test func `httplint finds nothing bad in any answer of the built-in application`() throws {
        let lab = try LabRecord()
        defer { lab.stop() }
        // Not 206: nobody asked for a part.
        let codes = [
            200, 201, 202, 203, 204, 205, 301, 302, 303, 304, 307, 308, 400, 401, 403, 404, 405,
            408, 411, 413, 414, 416, 417, 421, 422, 426, 429, 431, 451, 500, 501, 502, 503, 504,
            505,
        ]
        let targets =
            codes.map { "/status/\($0)" } + [
                "/", "/environ", "/bytes/100000", "/bytes/0", "/sleep/0", "/spin/1", "/allocate/1",
                "/nothing", "/status/x", "/echo",
            ]
        let connections = try targets.flatMap { target in
            try ["GET", "HEAD", "OPTIONS", "POST", "BREW"].map { method in
                let request = "\(method) \(target) HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
                let dialogue = try Dialogue(to: lab, Array(request.utf8))
                return Connection(dialogue, named: "\(method) \(target)")
            }
        }
        let verdict = try judged(connections)
        #expect(verdict.complaints.isEmpty)
        #expect(verdict.answers == connections.count)
    }

    @Test func `an answer that is damaged is not let pass`() throws {
        let run = try HostileRun.shared.get()
        let dialogue = try #require(run.dialogues["HTTP/1.2 is served as HTTP/1.1"]?.first)
        let damages = [
            ("Content-Length: 13", "Content-Length: 12", "h11"),
            ("Content-Length: 13", "Content-Length: 14", "h11"),
            ("Content-Length: 13", "Content-Length: 13, 14", "h11"),
            ("Content-Length: 13", "Transfer-Encoding: chunked", "h11"),
            ("Server: lab", "Server : lab", "h11"), ("Server: lab", "Server: l\u{0}b", "h11"),
            ("HTTP/1.1 200 OK", "HTTP/1.1 20 OK", "h11"), ("World!", "World!!", "h11"),
            ("HTTP/1.1 200 OK", "HTTP/1.1 204 No Content", "h11"),
            ("Date: ", "Date: yesterday, ", "httplint"),
            ("HTTP/1.1 200 OK", "HTTP/1.1 302 Found", "httplint"),
        ]
        let connections = try damages.map { sound, damaged, judge in
            let place = try #require(dialogue.text.range(of: sound))
            let text = dialogue.text.replacingCharacters(in: place, with: damaged)
            return Connection(dialogue, named: damaged, received: text)
        }
        let verdict = try judged(connections)
        for (_, damaged, judge) in damages {
            let complaints = verdict.complaints.filter { $0.name.hasPrefix(damaged + ": ") }
            #expect(complaints.contains { $0.judge == judge }, "\(damaged): \(complaints)")
        }
    }

    @Test func `an answer that was to break off, and does not, is not let pass`() throws {
        let run = try HostileRun.shared.get()
        let dialogue = try #require(run.dialogues["HTTP/1.2 is served as HTTP/1.1"]?.first)
        let verdict = try judged([
            Connection(dialogue, named: "whole"), Connection(dialogue, named: "cut", isCut: true),
        ])
        #expect(
            verdict.complaints.map(\.complaint) == ["the answer that breaks off passes for whole"]
        )
    }

    // MARK: The judges

    /// A connection as the judges are told of it.
    private struct Connection: Encodable {
        let name: String
        let sent: Data
        let received: Data
        let date: Double
        let cut: Bool
        let lint: Bool

        /// `received` stands for what was received.
        init(
            _ dialogue: Dialogue,
            named name: String,
            received: String? = nil,
            isCut: Bool = false,
            isLinted: Bool = true
        ) {
            self.name = "\(name): \(dialogue.sent.prefix(200).shown)"
            sent = Data(dialogue.sent)
            self.received = received.map { Data($0.utf8) } ?? Data(dialogue.received)
            date = dialogue.date.timeIntervalSince1970
            cut = isCut
            lint = isLinted
        }
    }

    private struct Complaint: Decodable, CustomStringConvertible {
        let name: String
        let judge: String
        let complaint: String
        var description: String { "\(judge) says \(complaint) of \(name)" }
    }

    /// Lets the judges read what went over some connections.
    private func judged(
        _ connections: [Connection]
    ) throws -> (answers: Int, complaints: [Complaint]) {
        let file = try Place.temporary().appendingPathComponent("connections").path
        let lines = try connections.map { try JSONEncoder().encode($0) }
        try Data(lines.joined(separator: [0x0A])).write(to: URL(fileURLWithPath: file))
        let python = Place.package.appendingPathComponent(".build/venv/bin/python").path
        let script = Place.package.appendingPathComponent("Scripts/judge-answers.py").path
        let end = try Tool.run("sh", "-c", "exec '\(python)' '\(script)' < '\(file)'")
        let complaints = try end.output.split(separator: "\n").map {
            try JSONDecoder().decode(Complaint.self, from: Data($0.utf8))
        }
        try #require(end.status == (complaints.isEmpty ? 0 : 1), "\(end.errors)")
        let count = try #require(end.errors.firstMatch(of: #/judged (\d+) answers/#))
        return (try #require(Int(count.1)), complaints)
    }
}
