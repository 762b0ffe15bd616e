// An exchange as one command that sends it again, for a POSIX shell.

import FoundationEssentials
import LabExchange
public import LabSession
import LabWire

/// An exchange as one command that sends it again.
public struct CurlCommand: Sendable, Equatable {
    /// The command, without a line end.
    ///
    /// It holds no control bytes but the line feeds and tabs of a text body.
    public let command: String
    /// What the command does not do as it was, a sentence each.
    public let remarks: [String]

    /// Makes the command for an exchange.
    ///
    /// A request that was refused, and that no HTTP client would send, is sent byte for byte by `nc`.
    public init(_ detail: ExchangeDetail) {
        var remarks: [String] = []
        if let body = detail.requestBody, body.isTruncated {
            remarks.append(
                "Of the request's content only the first \(body.bytes.count) of \(body.size) bytes "
                    + "were kept."
            )
        }
        let host = detail.recording?.host ?? "127.0.0.1"
        let port = detail.recording?.port ?? 8888
        if let head = try? RequestHead(parsing: detail.requestHead),
            !head.method.elementsEqual("CONNECT".utf8)
        {
            let builder = CurlBuilder(head: head, body: detail.requestBody, host: host, port: port)
            command = builder.command
        } else {
            // The parser's reason is in the exchange's deviations already, so `try?` loses nothing.
            remarks.append("curl cannot send this request as it came; the command uses nc.")
            let bytes = detail.requestHead + (detail.requestBody?.bytes ?? [])
            command = Shell.piped(bytes) + " | nc \(Shell.word(host)) \(port)"
        }
        self.remarks = remarks
    }
}

private struct CurlBuilder {
    let head: RequestHead
    let body: StoredBody?
    let host: String
    let port: Int

    private var content: [UInt8]? {
        if let body { return body.bytes }
        // curl sends no `Content-Length: 0` unless it is given an empty body.
        return head.value(ofFirst: "content-length") == nil ? nil : []
    }

    var command: String {
        let words = ["curl", "--globoff"] + version + method + headers + data + address
        return (isPiped ? Shell.piped(content ?? []) + " | " : "") + words.joined(separator: " ")
    }

    private var version: [String] { head.minorVersion == 0 ? ["--http1.0"] : [] }

    private var method: [String] {
        let name = String(decoding: head.method, as: UTF8.self)
        if name == "HEAD", content == nil { return ["--head"] }
        if name == (content == nil ? "GET" : "POST") { return [] }
        return ["-X", Shell.word(name)]
    }

    private var authority: String { "\(host.contains(":") ? "[\(host)]" : host):\(port)" }

    private var headers: [String] {
        var words: [String] = []
        func add(_ line: some Sequence<UInt8>) { words += ["-H", Shell.word(bytes: Array(line))] }
        for field in head.fields {
            let (name, value) = (head.name(of: field), head.value(of: field))
            if name.equals(ignoringCase: "content-length") { continue }
            if name.equals(ignoringCase: "host"), value.elementsEqual(authority.utf8) { continue }
            // `Name:` takes a header away; `Name;` sends one without a value.
            add(value.isEmpty ? name + [0x3B] : name + [0x3A, 0x20] + value)
        }
        // What curl would add by itself, and was not there.
        var added = ["user-agent": "User-Agent:", "accept": "Accept:"]
        if content != nil { added["content-type"] = "Content-Type:" }
        if (content?.count ?? 0) > 1 << 20 { added["expect"] = "Expect:" }
        for (name, line) in added.sorted(by: { $0.key < $1.key })
        where HeadFields(head.bytes).value(name) == nil {
            add(line.utf8)
        }
        return words
    }

    /// Whether the content goes through standard input: a leading `@` would name a file, a shell's
    /// word holds no NUL, and one argument takes no more than 128 KiB.
    private var isPiped: Bool {
        guard let content else { return false }
        return content.count > 8192 || content.first == 0x40 || !Shell.isPlainText(content)
    }

    private var data: [String] {
        guard let content else { return [] }
        return ["--data-binary", isPiped ? "@-" : Shell.word(bytes: content)]
    }

    private var address: [String] {
        let target = Array(head.target)
        let base = "http://" + authority
        if target.first == 0x2F {
            let text = String(decoding: target, as: UTF8.self)
            let isPlain = target.allSatisfy { (0x21..<0x7F).contains($0) && $0 != 0x23 }
            guard isPlain, !text.hasPrefix("//") else {
                return ["--request-target", Shell.word(bytes: target), Shell.word(base + "/")]
            }
            let hasDots = text.contains("/.")
            return (hasDots ? ["--path-as-is"] : []) + [Shell.word(base + text)]
        }
        if target.starts(with: "http://".utf8) {
            return ["--proxy", Shell.word(base), Shell.word(bytes: target)]
        }
        return ["--request-target", Shell.word(bytes: target), Shell.word(base + "/")]
    }
}
