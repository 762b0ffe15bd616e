// What a replay would send: `lab replay --dry-run`.

public import LabExchange

/// A replay that is not done.
public struct DryRunReport: Encodable, Sendable {
    /// The target's URL.
    public var target: String
    /// How many connections there would be at once.
    public var concurrency: Int
    /// How many requests there would be; nil where the time decides.
    public var plannedRequests: Int?
    /// For how long they would start, seconds; nil where the requests decide.
    public var durationS: Double?
    /// When the last request would be due, seconds from the start; nil where answers decide.
    public var lastDueS: Double?
    /// Whether it would be refused without `--allow-unsafe`.
    public var needsAllowUnsafe: Bool
    /// One pass over the session.
    public var outline: ReplayOutline

    /// Makes a report.
    public init(
        target: String,
        concurrency: Int,
        plannedRequests: Int?,
        durationS: Double?,
        lastDueS: Double?,
        needsAllowUnsafe: Bool,
        outline: ReplayOutline
    ) {
        self.target = target
        self.concurrency = concurrency
        self.plannedRequests = plannedRequests
        self.durationS = durationS
        self.lastDueS = lastDueS
        self.needsAllowUnsafe = needsAllowUnsafe
        self.outline = outline
    }

    private enum CodingKeys: String, CodingKey {
        case schemaVersion, target, concurrency, plannedRequests, durationS, lastDueS,
            needsAllowUnsafe
    }

    /// All on one level; what is not known is null.
    public func encode(to encoder: any Encoder) throws {
        try outline.encode(to: encoder)
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(JSONReport.schemaVersion, forKey: .schemaVersion)
        try members.encode(target, forKey: .target)
        try members.encode(concurrency, forKey: .concurrency)
        try members.encode(plannedRequests, forKey: .plannedRequests)
        try members.encode(durationS, forKey: .durationS)
        try members.encode(lastDueS, forKey: .lastDueS)
        try members.encode(needsAllowUnsafe, forKey: .needsAllowUnsafe)
    }

    /// One JSON object, ending in a line end.
    ///
    /// - Throws: What the encoder throws: never for these values.
    public var json: String { get throws { try JSONReport.encoded(self, isPretty: true) } }

    /// Text for people, ending in a line end.
    public func text(style: Style) -> String {
        let sections = [
            about(style), methods(style), routes(style), changes(style), skipped(style),
            heads(style),
        ]
        return sections.filter { !$0.isEmpty }.map { $0.joined(separator: "\n") }
            .joined(separator: "\n\n") + "\n"
    }

    private func about(_ style: Style) -> [String] {
        let requests = Quantity.count(outline.requests)
        let connections = Quantity.count(outline.connections)
        let sessions = Quantity.count(outline.sessions)
        let pass =
            "\(requests) requests on \(connections) captured connections, \(sessions) sessions"
        let amount: String
        if let durationS {
            amount = "as many as go in \(Quantity.duration(Int64(durationS * 1e9))), over and over"
        } else if let plannedRequests, plannedRequests != outline.requests {
            amount = "\(Quantity.count(plannedRequests)) requests, over and over"
        } else {
            amount = "once"
        }
        return [
            style.bold("Dry run: nothing was sent"), "  target         \(SafeText.line(target))",
            "  the session    \(pass)",
            "  sent           \(amount), on \(concurrency) connections at once",
            "  duration       \(duration)",
        ]
    }

    private var duration: String {
        if let durationS { return Quantity.duration(Int64(durationS * 1e9)) }
        guard let lastDueS else {
            return "not known: each request waits for the answer before it"
        }
        return "\(Quantity.duration(Int64(lastDueS * 1e9))) until the last one is due"
    }

    private func methods(_ style: Style) -> [String] {
        var table = Table([.text("method"), .number("requests"), .text("")])
        for one in outline.methods {
            let note =
                one.isSafe ? "" : needsAllowUnsafe ? "needs --allow-unsafe" : "may change something"
            table.add([
                Table.Cell(SafeText.line(one.method)), Table.Cell(Quantity.count(one.count)),
                Table.Cell(note, needsAllowUnsafe ? .bad : .doubtful),
            ])
        }
        return [style.bold("Methods")] + table.lines(style)
    }

    private func routes(_ style: Style) -> [String] {
        let most = 20
        var table = Table([.text("route"), .number("requests")])
        for one in outline.routes.prefix(most) {
            let name = SafeText.cut(SafeText.line("\(one.method) \(one.route)"), to: 60)
            table.add([Table.Cell(name), Table.Cell(Quantity.count(one.count))])
        }
        let more = outline.routes.count - most
        return [style.bold("Routes")] + table.lines(style)
            + (more > 0 ? [style.dim("  and \(Quantity.count(more)) more; --json has all")] : [])
    }

    private func changes(_ style: Style) -> [String] {
        guard !outline.changes.isEmpty else { return [] }
        var table = Table([.text("what is changed"), .number("requests")])
        for one in outline.changes {
            table.add([
                Table.Cell(SafeText.cut(SafeText.line(one.option), to: 60)),
                Table.Cell(Quantity.count(one.count), one.count == 0 ? .doubtful : .plain),
            ])
        }
        return [style.bold("Changes")] + table.lines(style)
    }

    private func skipped(_ style: Style) -> [String] {
        guard !outline.skipped.isEmpty else { return [] }
        var table = Table([.text("why"), .text("ended then as"), .number("exchanges")])
        for one in outline.skipped {
            table.add([
                Table.Cell(one.reason), Table.Cell(one.outcome),
                Table.Cell(Quantity.count(one.count)),
            ])
        }
        return [style.bold("Left out")] + table.lines(style)
    }

    private func heads(_ style: Style) -> [String] {
        guard !outline.firstHeads.isEmpty else { return [] }
        let lines = outline.firstHeads.map { head in
            head.split(separator: "\r\n").map {
                style.paint("> " + SafeText.line(String($0)), .sent)
            }
        }
        return [style.bold("The first requests")] + lines.joined(separator: [""])
    }
}
