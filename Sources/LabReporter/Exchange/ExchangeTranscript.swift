// One exchange in the manner of `curl -v`: `*` what lab knows, `>` what was asked, `<` what was
// answered; then the environ, the rules that were bent, and the child.

import LabExchange
public import LabSession

/// One exchange as text.
public struct ExchangeTranscript: Sendable {
    /// The most of a body that is shown, bytes.
    static let mostBody = 4096

    private let detail: ExchangeDetail
    private let style: Style

    /// Makes a transcript.
    public init(_ detail: ExchangeDetail, style: Style) {
        self.detail = detail
        self.style = style
    }

    /// The transcript, ending in a line end.
    public var text: String {
        let dialogue = about + request + answer
        return [dialogue, errors, environ, deviations, child].filter { !$0.isEmpty }
            .map { $0.joined(separator: "\n") }.joined(separator: "\n\n") + "\n"
    }

    // MARK: The dialogue

    private var about: [String] {
        let summary = detail.summary
        var lines = [
            "exchange \(summary.id), number \(summary.sequence) on connection \(summary.connectionID)"
        ]
        if let connection = detail.connection {
            let address = SafeText.line(connection.peerAddress)
            let host = address.contains(":") ? "[\(address)]" : address
            let at = connection.acceptedAt.map { ", accepted at \($0) UTC" } ?? ""
            let open = connection.openNs.map { ", open for \(Quantity.duration($0))" } ?? ""
            lines.append("from \(host):\(connection.peerPort)\(at)\(open)")
        }
        lines.append("served by child \(summary.pid)" + (detail.child == nil ? "" : childInBrief))
        if !detail.phases.isEmpty {
            // A connection that was accepted at once is not worth a word.
            let told = detail.phases.filter { $0.phase != .queue || $0.durationNs > 0 }
            let times = told.map {
                "\($0.phase.rawValue) \(Quantity.duration($0.durationNs))"
            }
            let cpu = summary.cpuUs.map { [", CPU \(Quantity.duration(microseconds: $0))"] } ?? []
            lines.append(times.joined(separator: ", ") + cpu.joined())
        }
        return lines.flatMap { starred($0) }
    }

    private var childInBrief: String {
        guard let child = detail.child else { return "" }
        let good = child.fate == "exited" && child.exitCode == 0 && child.lifeNs != nil
        return good ? "" : ", which " + ChildWords(child).end
    }

    private var request: [String] {
        lines(detail.requestHead, ">", .sent) + body(detail.requestBody, of: detail.requestHead)
            + lines(detail.requestTrailers, ">", .sent)
    }

    private var answer: [String] {
        let head = detail.responseHead.map { lines($0, "<", .received) } ?? []
        let summary = detail.summary
        let words = Ending.words(outcome: summary.outcome, error: detail.error)
        let outcome = summary.outcome == "ok" ? [] : starred(words)
        return head + body(detail.responseBody, of: detail.responseHead ?? [])
            + lines(detail.responseTrailers, "<", .received) + outcome
    }

    private func starred(_ text: String) -> [String] {
        Paragraph.wrapped(text, width: 96).map { style.dim("* " + $0) }
    }

    /// The lines of a head, without what ends them.
    private func lines(_ head: [UInt8], _ mark: String, _ tone: Style.Tone) -> [String] {
        var parts = head.split(separator: 0x0A, omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        return parts.map { part in
            let line = SafeText.line(part.last == 0x0D ? part.dropLast() : part)
            return style.paint(line.isEmpty ? mark : "\(mark) \(line)", tone)
        }
    }

    private func body(_ body: StoredBody?, of head: [UInt8]) -> [String] {
        guard let body, body.size > 0 else { return [] }
        let type = HeadFields(head).value("content-type") ?? "content of no stated type"
        let coding = HeadFields(head).value("content-encoding").map { ", \($0)" } ?? ""
        let facts =
            "\(SafeText.line(type + coding)), \(Quantity.bytes(body.size)), "
            + "SHA-256 \(Hexadecimal.text(body.digest.prefix(8)))…"
        let kept =
            body.isTruncated
            ? ["* only the first \(Quantity.bytes(Int64(body.bytes.count))) were kept"] : []
        guard coding.isEmpty || coding == ", identity", SafeText.isText(whole(body.bytes)) else {
            return ["* \(facts); --raw gives the bytes"].map { style.dim($0) }
                + kept.map { style.dim($0) }
        }
        let shown = whole(body.bytes.prefix(Self.mostBody))
        var lines = SafeText.lines(shown).split(separator: "\n", omittingEmptySubsequences: false)
            .map { String($0) }
        if lines.last == "" { lines.removeLast() }
        if shown.count < body.bytes.count {
            let rest = Int64(body.bytes.count - shown.count)
            lines.append(
                style.dim("* \(Quantity.bytes(rest)) more are not shown; --raw gives them all")
            )
        }
        return lines + kept.map { style.dim($0) }
    }

    /// A cut body without the half character at its end.
    private func whole(_ bytes: some BidirectionalCollection<UInt8>) -> [UInt8] {
        var kept = Array(bytes)
        for length in 1...4 where length <= kept.count {
            let byte = kept[kept.count - length]
            if byte & 0xC0 == 0x80 { continue }
            let needed = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1
            if needed > length { kept.removeLast(length) }
            break
        }
        return kept
    }

    // MARK: What stands behind it

    /// A traceback reads best as it was written, without a mark before each line.
    private var errors: [String] {
        guard let errors = detail.errors else { return [] }
        var lines = SafeText.lines(whole(errors))
            .split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        if lines.last == "" { lines.removeLast() }
        if detail.errorsSize > errors.count {
            let kept = Quantity.bytes(Int64(errors.count))
            let all = Quantity.bytes(detail.errorsSize)
            lines.append(style.dim("* only the first \(kept) of \(all) were kept"))
        }
        return [style.bold("Errors of the application")] + lines
    }

    private var environ: [String] {
        guard !detail.environ.isEmpty else { return [] }
        return [style.bold("Environ")]
            + detail.environ.map { entry in
                "  \(SafeText.line(entry.name))=\(SafeText.line(entry.bytes))"
            }
    }

    /// The upstream's head; of a failed upstream the head that was answered is our own 502.
    private var upstreamHead: [UInt8]? {
        detail.summary.outcome == "upstream_failed" ? detail.refusedAnswer : detail.responseHead
    }

    private var deviations: [String] {
        guard !detail.deviations.isEmpty else { return [] }
        return [style.bold("Rules bent")]
            + detail.deviations.flatMap { deviation in
                let head =
                    deviation.message == "response" ? upstreamHead ?? [] : detail.requestHead
                return DeviationMark(deviation, in: head).lines(style)
            }
    }

    private var child: [String] {
        guard let child = detail.child else { return [] }
        return [style.bold("Child")] + ChildWords(child).lines.map { "  " + $0 }
    }
}

extension EnvironEntry {
    /// The name's bytes, as the value's.
    var nameBytes: [UInt8] { Self.bytes(name) }

    /// The value's bytes: each code point below 256 is one.
    var bytes: [UInt8] { Self.bytes(value) }

    private static func bytes(_ text: String) -> [UInt8] {
        text.unicodeScalars.flatMap { scalar in
            scalar.value < 256 ? [UInt8(scalar.value)] : Array(String(scalar).utf8)
        }
    }
}
