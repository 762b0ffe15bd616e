// Captured exchanges -> requests as bytes, and what each is expected to be answered. Done once,
// before the first connection: nothing is parsed, rendered or looked up while requests are sent.

import LabExchange
import LabWire

/// The content that an answer had when it was captured; its places are in the plan's arena.
struct CapturedContent {
    /// A SHA-256 digest, bytes.
    static let digestSize = 32

    /// Where the bytes that were kept begin.
    var place = 0
    /// How many there were.
    var size = 0
    /// Where its SHA-256 digest begins; used only where less was kept than there was.
    var digest = 0
    /// Whether all bytes were kept.
    var isWhole = true
}

/// One request, ready to be sent.
///
/// Plain data: it is copied in the loop.
struct PlannedRequest {
    var exchangeID: Int64
    /// Where its bytes begin in the plan's arena, head and content.
    var place: Int
    var length: Int
    /// The method is its first bytes.
    var methodLength: Int
    /// Whether the method leaves a response's framing to its fields: neither HEAD nor CONNECT.
    var isPlain: Bool
    /// Whether it asks the target to close the connection.
    var closes: Bool
    /// The captured status; 0 where there was no answer.
    var status: Int16
    /// Where the captured answer's head begins, where heads are to be compared.
    var headPlace = 0
    /// How long it is; 0 where it is not compared.
    var headLength: Int32 = 0
    var content: CapturedContent
    /// Whether the content was captured to its end.
    var comparesContent: Bool
}

/// All that can be sent of a session.
final class ReplayPlan: @unchecked Sendable {
    // Unchecked: all is made by init and only read after.
    let arena = ByteArena()
    /// The requests in captured order; like the arena it does not move, and is pointed to.
    private let table: UnsafeMutablePointer<PlannedRequest>
    /// How many requests one pass over the session has.
    private(set) var count = 0
    /// What sessions are made of: what cannot be sent is not in it.
    private(set) var draft: SessionDraft
    private(set) var skipped: [SkippedExchanges] = []
    /// What was changed in the captured requests, counted.
    private(set) var changed: [ReplayOutline.Change] = []
    private let matching: Matching
    private let changes: RequestChanges
    private var editor: RequestEditor
    private var contents: [Int64: CapturedContent] = [:]

    var requests: UnsafePointer<PlannedRequest> { UnsafePointer(table) }

    init(_ exchanges: [CapturedExchange], _ settings: ReplaySettings) {
        table = .allocate(capacity: exchanges.count)
        matching = settings.matching
        draft = SessionDraft(settings.sessions)
        changes = settings.changes
        editor = RequestEditor(settings.changes)
        let host = Array(settings.target.text.utf8)
        for exchange in exchanges {
            if let reason = add(exchange, host, settings.keepsHopByHop) {
                skip(exchange, reason)
            } else {
                draft.add(exchange)
            }
        }
        contents = [:]
        if !changes.keepsHost {
            let option = "Host: \(settings.target.text)"
            changed.append(ReplayOutline.Change(option: option, count: count))
        }
        for (name, count) in zip(editor.names, editor.counts) {
            changed.append(ReplayOutline.Change(option: name, count: count))
        }
        editor = RequestEditor(RequestChanges())
    }

    deinit { table.deallocate() }

    /// Gives back what only the making of sessions needs.
    func forgetDraft() { draft.moments = [] }

    private func skip(_ exchange: CapturedExchange, _ reason: SkippedExchanges.Reason) {
        let place = skipped.firstIndex { $0.reason == reason && $0.outcome == exchange.outcome }
        if let place {
            skipped[place].count += 1
        } else {
            skipped.append(
                SkippedExchanges(reason: reason, outcome: exchange.outcome, count: 1)
            )
        }
    }

    /// Renders one exchange; gives why it cannot be sent, where that is so.
    private func add(
        _ exchange: CapturedExchange,
        _ host: [UInt8],
        _ keepsHopByHop: Bool
    ) -> SkippedExchanges.Reason? {
        if exchange.outcome == .badRequest { return .badRequest }
        if exchange.outcome == .tunnel { return .tunnel }
        // Wide limits: what was let pass when it was captured is sent again.
        let limits = HeadLimits(headBytes: .max, targetBytes: .max, fields: .max)
        guard let head = try? RequestHead(parsing: exchange.requestHead, limits: limits) else {
            return .unreadableHead
        }
        if head.method.equals("CONNECT") { return .tunnel }
        if let methods = changes.methods,
            !methods.contains(String(decoding: head.method, as: UTF8.self))
        {
            return .methodNotAllowed
        }
        let body = exchange.requestBody
        if body?.isTruncated == true { return .incompleteContent }
        // A client that left inside its content: whole, it would be another request.
        if !exchange.isRequestComplete { return .incompleteContent }
        let content = body?.bytes ?? []
        let isDirect = exchange.intermediary == nil
        var bytes = head.forwarded(
            host: changes.keepsHost ? head.askedHost ?? host : host,
            by: exchange.intermediary,
            keepsHopByHop: keepsHopByHop && isDirect
        )
        // What is sent decides what the target does, so its own words are read back.
        guard var sent = try? RequestHead(parsing: bytes, limits: limits) else {
            return .unreadableHead
        }
        if !changes.areNone {
            guard let edited = editor.edit(sent) else { return .rewrittenTarget }
            guard let read = try? RequestHead(parsing: edited, limits: limits) else {
                return .unreadableHead
            }
            bytes = edited
            sent = read
        }
        switch sent.framing {
        case .chunked:
            bytes.append(chunk: content)
            let trailers = TrailerSection(bytes: exchange.requestTrailers)
            bytes.appendLastChunk(
                trailers: isDirect ? trailers.bytes : trailers.forwarded(of: head).lines
            )
        case .length(let length):
            // Sent so, the target would wait for ever.
            guard length == UInt64(content.count) else { return .incompleteContent }
            bytes.append(contentsOf: content)
        case .none, .untilClose: break
        }
        let answer = matching.parts.contains(.headers) ? exchange.responseHead ?? [] : []
        (table + count).initialize(
            to: PlannedRequest(
                exchangeID: exchange.id,
                place: arena.append(bytes),
                length: bytes.count,
                methodLength: sent.method.count,
                isPlain: !sent.method.equals("HEAD"),
                closes: !sent.persists,
                status: Int16(clamping: exchange.status ?? 0),
                headPlace: arena.append(answer),
                headLength: Int32(clamping: answer.count),
                content: place(of: exchange.responseBody),
                comparesContent: exchange.hasWholeAnswer
            )
        )
        count += 1
        return nil
    }

    /// Each distinct body stands in the arena once, as in the session.
    private func place(of body: StoredBody?) -> CapturedContent {
        guard let body, body.size > 0 else { return CapturedContent() }
        if let known = contents[body.id] { return known }
        // Places are read without further checks, so what the session says is made sure of here.
        let padding = [UInt8](repeating: 0, count: CapturedContent.digestSize)
        let content = CapturedContent(
            place: arena.append(body.bytes),
            size: Int(body.size),
            digest: arena.append(Array((body.digest + padding).prefix(CapturedContent.digestSize))),
            isWhole: body.bytes.count == Int(body.size)
        )
        contents[body.id] = content
        return content
    }
}
