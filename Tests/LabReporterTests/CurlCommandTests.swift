// The commands that send an exchange again, and that a shell makes the same words of them.

import Foundation
import LabReporter
import LabSession
import Testing

@Suite struct `A curl command` {
    private func curl(_ id: Int64, _ change: String = "") throws -> CurlCommand {
        try ReaderFixture(change).read { CurlCommand(try $0.exchange(id)) }
    }

    @Test func `of every exchange`() throws {
        let all = try (1...9).map { try curl($0).command }
        try Golden.check(all.joined(separator: "\n") + "\n", "curl")
    }

    /// What a shell makes of a command in which `curl` and `nc` print their words and their input.
    private func words(_ command: String) throws -> (words: [String], input: [UInt8]) {
        let process = Process()
        process.executableURL = URL(filePath: "/bin/sh")
        let script = #"""
            curl() { for word; do printf '%s\0' "$word"; done; printf '\0'; case "$*" in *@-*) cat;; esac; }
            nc() { printf 'nc\0\0'; cat; }
            """#
        process.arguments = ["-c", script + "\n" + command]
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let output = [UInt8](try pipe.fileHandleForReading.readToEnd() ?? Data())
        process.waitUntilExit()
        var rest = output[...]
        var words: [String] = []
        while let end = rest.firstIndex(of: 0), end > rest.startIndex {
            words.append(String(decoding: rest[..<end], as: UTF8.self))
            rest = rest[(end + 1)...]
        }
        return (words, Array(rest.dropFirst()))
    }

    @Test func `quotes what a shell would take apart`() throws {
        let (words, _) = try words(curl(3).command)
        #expect(words.contains("X-It: it's"))
        #expect(words.last == "http://127.0.0.1:8888/blob?a=[1]")
        #expect(words.contains("Accept;"), "a field without a value")
    }

    @Test(arguments: [
        "@/etc/passwd", "it's", "$(id) `id` \"$HOME\" \\ %s !", "a\nb\n", "", "\n", "é", "-d",
        "a\r\nb", "\0",
        String(repeating: "x", count: 9000), "\u{1b}[2J",
    ])
    func `sends a content byte for byte`(content: String) throws {
        let hex = content.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let command = try curl(
            2,
            "UPDATE body SET bytes = x'\(hex)', size = \(content.utf8.count) WHERE id = 1"
        )
        let (words, input) = try words(command.command)
        let flag = try #require(words.firstIndex(of: "--data-binary"))
        let value = words.indices.contains(flag + 1) ? words[flag + 1] : ""
        if value == "@-" {
            #expect(input == Array(content.utf8))
        } else {
            #expect(!value.hasPrefix("@"))
            #expect(content.isEmpty || value == content)
        }
        #expect(
            !command.command.unicodeScalars.contains { $0.value < 32 && $0 != "\n" && $0 != "\t" }
        )
    }

    @Test func `sends what no client would send byte for byte through nc`() throws {
        let command = try curl(8)
        let (words, input) = try words(command.command)
        #expect(words == ["nc"])
        #expect(input == Array("GET / HTTP/1.1\nHost : x\n\n".utf8))
        #expect(
            command.remarks == ["curl cannot send this request as it came; the command uses nc."]
        )
    }

    @Test func `says when the content is not whole`() throws {
        let command = try curl(2, "UPDATE body SET truncated = 1, size = 99 WHERE id = 1")
        #expect(
            command.remarks == ["Of the request's content only the first 14 of 99 bytes were kept."]
        )
    }

    @Test(arguments: [
        ("HEAD / HTTP/1.1", "--head http://127.0.0.1:8888/"),
        ("DELETE /a/../b HTTP/1.1", "-X DELETE --path-as-is http://127.0.0.1:8888/a/../b"),
        ("OPTIONS * HTTP/1.1", "-X OPTIONS --request-target '*' http://127.0.0.1:8888/"),
        ("GET //x HTTP/1.1", "--request-target //x http://127.0.0.1:8888/"),
        ("GET http://a.example/x HTTP/1.1", "--proxy http://127.0.0.1:8888 http://a.example/x"),
        ("GET /?q='a' HTTP/1.0", "--http1.0 'http://127.0.0.1:8888/?q='\\''a'\\'''"),
    ])
    func `takes the form that its request had`(line: String, expected: String) throws {
        let quoted = line.replacing("'", with: "''")
        let command = try curl(
            1,
            """
            UPDATE exchange SET request_head = CAST('\(quoted)' || x'0d0a' || 'Host: 127.0.0.1:8888'
                || x'0d0a' || 'Accept: */*' || x'0d0a' || 'User-Agent: x' || x'0d0a0d0a' AS BLOB) WHERE id = 1
            """
        )
        let plain = command.command.replacing(" -H 'Accept: */*' -H 'User-Agent: x'", with: "")
        #expect(plain == "curl --globoff " + expected)
    }
}
