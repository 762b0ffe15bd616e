// A replayed answer beside the captured one, line by line: `<` what both hold, `-` what only the
// captured one held, `+` what only the replayed one holds.

import LabExchange
public import LabSession

/// What became of an exchange in a replay, as text.
public struct ReplayTranscript: Sendable {
    private let detail: ExchangeDetail
    private let replayed: ReplayedExchange
    private let style: Style

    /// Makes a transcript of the replayed answer to the exchange of `detail`.
    public init(_ detail: ExchangeDetail, _ replayed: ReplayedExchange, style: Style) {
        self.detail = detail
        self.replayed = replayed
        self.style = style
    }

    /// The transcript, ending in a line end.
    public var text: String {
        let label = replayed.label.map { " (\(SafeText.line($0)))" } ?? ""
        let title =
            style.bold("Replayed in run \(replayed.run)\(label)")
            + " at \(SafeText.line(replayed.target))"
        return ([title] + about + head + content).joined(separator: "\n") + "\n"
    }

    private var about: [String] {
        let verdict =
            replayed.mismatch.map { RunReport.words($0) } ?? "as it was captured"
        let answer =
            replayed.outcome == "ok"
            ? "answered in \(Quantity.duration(replayed.tookNs)): \(verdict)"
            : "\(SafeText.line(replayed.outcome)) after \(Quantity.duration(replayed.tookNs))"
        let many =
            replayed.results > 1
            ? "; of \(Quantity.count(replayed.results)) results of this run "
                + "\(Quantity.count(replayed.mismatches)) do not match" : ""
        return Paragraph.wrapped(answer + many, width: 96).map { style.dim("* " + $0) }
    }

    private var head: [String] {
        guard let head = replayed.head else {
            guard let status = replayed.status else { return [] }
            return [
                style.dim(
                    "* its status was \(status); its head was not kept (--store all keeps it)"
                )
            ]
        }
        return marked(Self.lines(detail.responseHead ?? []), Self.lines(head))
    }

    private var content: [String] {
        guard let body = replayed.body, body.size > 0 else {
            guard replayed.status != nil, detail.responseBody != nil else { return [] }
            return [style.dim("* it had no content")]
        }
        let facts =
            "\(Quantity.bytes(body.size)), SHA-256 \(Hexadecimal.text(body.digest.prefix(8)))…"
        if body.digest == detail.responseBody?.digest {
            return [style.dim("* the content is the captured one, \(facts)")]
        }
        let captured = detail.responseBody?.bytes ?? []
        let cut =
            body.isTruncated
            ? [style.dim("* only the first \(Quantity.bytes(Int64(body.bytes.count))) were kept")]
            : []
        let most = ExchangeTranscript.mostBody
        guard SafeText.isText(body.bytes), SafeText.isText(captured), body.bytes.count <= most,
            captured.count <= most
        else {
            return [style.dim("* the content is another one, \(facts); --json gives it")] + cut
        }
        return marked(Self.lines(captured), Self.lines(body.bytes)) + cut
    }

    private static func lines(_ bytes: [UInt8]) -> [String] {
        var parts = bytes.split(separator: 0x0A, omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true { parts.removeLast() }
        return parts.map { SafeText.line($0.last == 0x0D ? $0.dropLast() : $0) }
    }

    /// The lines of both, in order, each with its mark.
    private func marked(_ captured: [String], _ came: [String]) -> [String] {
        var removed: Set<Int> = []
        var inserted: Set<Int> = []
        for change in came.difference(from: captured) {
            switch change {
            case .remove(let place, _, _): removed.insert(place)
            case .insert(let place, _, _): inserted.insert(place)
            }
        }
        var lines: [String] = []
        var (mine, theirs) = (0, 0)
        while mine < captured.count || theirs < came.count {
            if removed.contains(mine) {
                lines.append(style.paint("- \(captured[mine])", .bad))
                mine += 1
            } else if inserted.contains(theirs) {
                lines.append(style.paint("+ \(came[theirs])", .good))
                theirs += 1
            } else {
                lines.append(
                    style.paint(came[theirs].isEmpty ? "<" : "< \(came[theirs])", .received)
                )
                mine += 1
                theirs += 1
            }
        }
        return lines
    }
}
