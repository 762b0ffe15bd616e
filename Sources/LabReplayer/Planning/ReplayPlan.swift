// Captured exchanges -> requests as bytes, and what each is expected to be answered. Done once, before
// a request's turn comes: nothing is parsed, rendered or looked up by who sends it.

import LabExchange
import LabWire

/// The content that an answer had when it was captured; its places are in the plan's arena.
struct CapturedContent: BitwiseCopyable {
    /// A SHA-256 digest, bytes.
    static let digestSize = 32

    /// Where the bytes that were kept begin; the digest of the whole stands before them.
    var place = 0
    /// How many there were in the whole.
    var size = 0
    /// Whether all bytes were kept.
    var isWhole = true

    /// Where its SHA-256 digest begins; used only where less was kept than there was.
    var digest: Int { place - Self.digestSize }
}

/// One request, ready to be sent.
///
/// Plain data: it is copied in the loop, and a large session has a million of them.
struct PlannedRequest: BitwiseCopyable {
    var exchangeID: Int64
    /// Where its bytes begin in the plan's arena, head and content.
    var place: Int
    var length: Int32
    /// The method is its first bytes.
    var methodLength: Int32
    /// How long the captured answer's head is, which stands behind the bytes; 0 where heads are not
    /// compared.
    var headLength: Int32 = 0
    /// The captured status; 0 where there was no answer.
    var status: Int16
    /// Whether the method leaves a response's framing to its fields: neither HEAD nor CONNECT.
    var isPlain: Bool
    /// Whether it asks the target to close the connection.
    var closes: Bool
    /// Whether the content was captured to its end.
    var comparesContent: Bool
    var content: CapturedContent

    /// Where the captured answer's head begins.
    var headPlace: Int { place + Int(length) }
}

/// All that can be sent of a session.
final class ReplayPlan: @unchecked Sendable {
    // Unchecked: one thread makes it, and publishes what is made by way of the session table.
    let arena = StableMemory<UInt8>()
    /// The requests in captured order.
    let requests = StableMemory<PlannedRequest>()
    /// What sessions are made of: what cannot be sent is not in it.
    private(set) var draft: SessionDraft
    private(set) var skipped: [SkippedExchanges] = []
    private let settings: ReplaySettings
    private let host: [UInt8]
    private var editor: RequestEditor
    private var contents: [Int64: CapturedContent] = [:]

    /// How many bodies are looked for in what was rendered before; a session has few, or all differ.
    private static let mostContents = 100_000

    /// How many requests there are.
    var count: Int { requests.count }

    /// Makes a plan without requests.
    init(_ settings: ReplaySettings) {
        self.settings = settings
        draft = SessionDraft(settings.sessions)
        editor = RequestEditor(settings.changes)
        host = Array(settings.target.text.utf8)
    }

    /// Renders exchanges, after those that were rendered before.
    ///
    /// - Parameter exchanges: Grouped by connection, each connection's in the order of their sequence.
    func add(_ exchanges: [CapturedExchange]) {
        for exchange in exchanges {
            if let reason = add(exchange) {
                skip(exchange, reason)
            } else {
                draft.add(exchange)
            }
        }
    }

    /// What was changed in the captured requests, counted.
    var changed: [ReplayOutline.Change] {
        var changed: [ReplayOutline.Change] = []
        if !settings.changes.keepsHost {
            let option = "Host: \(settings.target.text)"
            changed.append(ReplayOutline.Change(option: option, count: count))
        }
        for (name, count) in zip(editor.names, editor.counts) {
            changed.append(ReplayOutline.Change(option: name, count: count))
        }
        return changed
    }

    /// Gives back what only the making of sessions needs: they were made.
    func forgetDraft() { draft.forget() }

    /// Forgets where bodies stand: what comes next is not to point into what was there before, which
    /// is given back when it was sent.
    func forgetContents() { contents.removeAll(keepingCapacity: true) }

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
    private func add(_ exchange: CapturedExchange) -> SkippedExchanges.Reason? {
        let changes = settings.changes
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
            keepsHopByHop: settings.keepsHopByHop && isDirect
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
        let answer = settings.matching.parts.contains(.headers) ? exchange.responseHead ?? [] : []
        // A head stands in a session, and so does a content: neither is longer than SQLite allows.
        guard let length = Int32(exactly: bytes.count) else { return .incompleteContent }
        let place = arena.append(contentsOf: bytes)
        _ = arena.append(contentsOf: answer)
        requests.append(
            PlannedRequest(
                exchangeID: exchange.id,
                place: place,
                length: length,
                methodLength: Int32(clamping: sent.method.count),
                headLength: Int32(clamping: answer.count),
                status: Int16(clamping: exchange.status ?? 0),
                isPlain: !sent.method.equals("HEAD"),
                closes: !sent.persists,
                comparesContent: exchange.hasWholeAnswer,
                content: captured(exchange.responseBody)
            )
        )
        return nil
    }

    /// Each distinct body stands in the arena once, as in the session.
    private func captured(_ body: StoredBody?) -> CapturedContent {
        guard let body, body.size > 0 else { return CapturedContent() }
        if let known = contents[body.id] { return known }
        // Places are read without further checks, so what the session says is made sure of here.
        let padding = [UInt8](repeating: 0, count: CapturedContent.digestSize)
        _ = arena.append(
            contentsOf: Array((body.digest + padding).prefix(CapturedContent.digestSize))
        )
        let content = CapturedContent(
            place: arena.append(contentsOf: body.bytes),
            size: Int(body.size),
            isWhole: body.bytes.count == Int(body.size)
        )
        if contents.count >= Self.mostContents { contents.removeAll(keepingCapacity: true) }
        contents[body.id] = content
        return content
    }
}
