// An application's answer on its way to the client: framed, told, sent, block by block.
//
//     begin(head) ─▶ held ─▶ send(block) ─▶ head and block go out ─▶ send* ─▶ finish(last)
//                     └────────────────── finish(last) ─▶ all of it at once, its length known

import CLabLinux
import Glibc
import LabExchange
import LabWire

/// One answer of an application's.
struct ApplicationAnswer {
    private let client: ClientConnection
    private let request: RequestHead
    private let answerer: Answerer
    private(set) var head: AnswerHead?
    /// Whether the head was sent, and nothing else can be answered any more.
    private(set) var hasBegun = false
    /// Whether there is nothing more to be sent.
    private(set) var isOver = false
    /// Whether the client did not take all of it.
    private(set) var isUnsent = false
    /// How much content the application gave beyond the length that it had announced.
    private(set) var surplus = 0
    private(set) var sentBytes: UInt64 = 0
    private var sendsChunks = false

    init(client: ClientConnection, request: RequestHead, answerer: Answerer) {
        self.client = client
        self.request = request
        self.answerer = answerer
    }

    /// Takes the head; until it is sent it can be replaced.
    mutating func begin(_ head: AnswerHead) { self.head = head }

    /// Whether what the application gives as content is not sent: a HEAD's answer, a 204, 205 or 304
    /// (RFC 9110 6.4.1).
    private var isBodiless: Bool {
        head?.mayHaveContent == false || request.method.equals("HEAD")
    }

    /// Whether content that came now would be sent, its length allowing.
    var takesContent: Bool { !isOver && !isBodiless }

    /// How many bytes of the announced length were not given; 0 where none was announced.
    func missing(after last: Int = 0) -> UInt64 {
        guard let length = head?.length, !isBodiless, sentBytes + UInt64(last) < length else {
            return 0
        }
        return length - sentBytes - UInt64(last)
    }

    /// Sends the head, where that was not done, and a block of content.
    mutating func send(_ block: ArraySlice<UInt8>, _ record: inout ExchangeRecord) {
        guard !isOver else { return }
        var out = hasBegun ? [] : start(knownLength: nil, &record)
        append(block, to: &out, &record)
        deliver(out, &record)
    }

    /// Sends what is left, and the end.
    mutating func finish(_ last: ArraySlice<UInt8>, _ record: inout ExchangeRecord) {
        guard !isOver else { return }
        // Of HEAD nobody knows what GET would have given, unless the application gives that.
        let knowsLength = !request.method.equals("HEAD") || !last.isEmpty
        var out =
            hasBegun ? [] : start(knownLength: knowsLength ? UInt64(last.count) : nil, &record)
        append(last, to: &out, &record)
        if sendsChunks { out.appendLastChunk() }
        deliver(out, &record)
        isOver = true
    }

    /// Answers by a response of the server's own, where nothing was sent yet.
    mutating func replace(with response: Response, _ record: inout ExchangeRecord) {
        guard !isOver, !hasBegun else { return }
        (hasBegun, isOver) = (true, true)
        if !answerer.answer(response, &record) { isUnsent = true }
    }

    /// Sends bytes that are a whole response, or a part of it, as they are; the end of the connection is
    /// its end.
    mutating func sendUnframed(_ bytes: ArraySlice<UInt8>, _ record: inout ExchangeRecord) {
        guard !isOver else { return }
        record.responseContent(bytes)
        deliver(Array(bytes), &record)
    }

    /// Begins a response whose head is the application's own.
    mutating func beginUnframed(
        status: Int,
        reason: ArraySlice<UInt8>,
        head: ArraySlice<UInt8>,
        _ record: inout ExchangeRecord
    ) {
        hasBegun = true
        answerer.mustClose = true
        record.responseHead(
            status: status,
            reason: reason,
            head: head,
            startedNs: clab_monotonic_ns()
        )
        deliver(Array(head), &record)
    }

    /// The client is gone.
    mutating func loseClient() {
        isUnsent = true
        breakOff()
    }

    /// Nothing more is sent: the client sees that the answer is not whole, if it had one.
    mutating func breakOff() {
        answerer.mustClose = true
        isOver = true
    }

    private mutating func start(knownLength: UInt64?, _ record: inout ExchangeRecord) -> [UInt8] {
        guard let head else { return [] }
        hasBegun = true
        var length = head.length ?? knownLength
        if !head.mayHaveContent {
            // A 304 may tell the length of what it stands for, a 205 has none (RFC 9110 8.6, 15.3.6).
            length = head.status == 304 ? head.length : head.status == 205 ? 0 : nil
        } else if length == nil, !request.method.equals("HEAD") {
            sendsChunks = request.minorVersion >= 1
            if !sendsChunks { answerer.mustClose = true }
        }
        let bytes = head.bytes(
            length: length,
            isChunked: sendsChunks,
            connection: answerer.closes ? "close" : answerer.keepsAlive ? "keep-alive" : nil,
            now: time(nil)
        )
        record.responseHead(
            status: head.status,
            reason: head.reason,
            head: bytes,
            startedNs: clab_monotonic_ns()
        )
        return bytes
    }

    private mutating func append(
        _ block: ArraySlice<UInt8>,
        to out: inout [UInt8],
        _ record: inout ExchangeRecord
    ) {
        guard !isBodiless else { return }
        var content = block
        if let length = head?.length {
            content = block.prefix(Int(min(length - sentBytes, UInt64(block.count))))
            surplus += block.count - content.count
        }
        guard !content.isEmpty else { return }
        sentBytes += UInt64(content.count)
        record.responseContent(content)
        if sendsChunks { out.append(chunk: content) } else { out.append(contentsOf: content) }
    }

    private mutating func deliver(_ bytes: [UInt8], _ record: inout ExchangeRecord) {
        guard !bytes.isEmpty else { return }
        // What a client was answered is on record, whatever ends this process then.
        record.flush()
        if !client.send(bytes, stallNs: answerer.stallNs) { loseClient() }
    }
}
