// What a parser makes of bytes, in a form in which two parsers can be compared.

import LabWire

/// A message that was taken for whole.
struct ReadMessage: Equatable {
    var startLine: String
    var fields: [String]
    var content: [UInt8] = []
    /// The lines of the trailer section; nil for requests, whose reader drops them.
    var trailers: [String]?
    /// Whether another message may follow on the connection.
    var persists: Bool
    /// The rules that it bends; only our reader tells them.
    var bends: [String] = []

    /// A field in one line, without the whitespace around its value, which is no part of it
    /// (RFC 9112 5.1).
    static func line(_ name: some Collection<UInt8>, _ value: some Collection<UInt8>) -> String {
        let value = String(decoding: value, as: UTF8.self).trimmed
        return String(decoding: name, as: UTF8.self) + ":" + value
    }

    /// Whether both mean the same.
    func means(_ other: ReadMessage) -> Bool {
        startLine == other.startLine && fields == other.fields && content == other.content
            && trailers == other.trailers && persists == other.persists
    }
}

extension String {
    fileprivate var trimmed: String {
        let isBlank = { (unit: UInt8) in unit == 0x20 || unit == 0x09 }
        let rest = utf8.drop(while: isBlank)
        guard let last = rest.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(rest[...last]) ?? ""
    }
}

/// Messages in their order, and how they stopped.
struct Reading: Equatable {
    enum Ending: Equatable {
        /// The peer closed between two messages.
        case clean
        /// The peer closed inside a message.
        case unfinished
        /// A rule was broken.
        case refused(String)
    }

    var messages: [ReadMessage] = []
    /// The message whose head was read, but not all of its content.
    var begun: ReadMessage?
    var ending = Ending.clean
    /// Where our reader refused.
    var refusal: Deviation?

    /// What LabWire makes of bytes that come in pieces.
    ///
    /// - Parameters:
    ///   - bytes: Requests, or responses.
    ///   - cuts: Where they are cut, ascending.
    ///   - methods: Those of the requests that the responses answer; nil for requests.
    init(_ bytes: [UInt8], cuts: some Sequence<Int> = [], responsesTo methods: [String]? = nil) {
        var requests = RequestReader()
        var responses = ResponseReader()
        var expected = 0
        var method = "GET"
        func expect() {
            guard let methods else { return }
            method = expected < methods.count ? methods[expected] : "GET"
            responses.expectResponse(toMethod: method.utf8)
            expected += 1
        }
        func feed(_ piece: ArraySlice<UInt8>) {
            piece.withUnsafeBytes {
                methods == nil ? requests.receive($0) : responses.receive($0)
            }
            listen()
        }
        /// Takes in all events; heads only where they stand in for a whole message.
        func listen() {
            while refusal == nil {
                if methods == nil {
                    switch requests.next() {
                    case .needsBytes, .closed: return
                    case .head(let head): begun = ReadMessage(head)
                    case .content(let run): begun?.content += run
                    case .end: close(nil)
                    case .refused(let deviation): refuse(deviation)
                    }
                } else {
                    switch responses.next() {
                    case .needsBytes, .closed: return
                    case .head(let head):
                        begun = ReadMessage(head, answers: method)
                        if head.isInterim { close([]) }
                    case .content(let run): begun?.content += run
                    case .end:
                        close(responses.trailers.bytes)
                        expect()
                    case .refused(let deviation): refuse(deviation)
                    }
                }
            }
        }
        func close(_ trailers: [UInt8]?) {
            guard var message = begun else { preconditionFailure("an end without a head") }
            message.trailers = trailers.map(ReadMessage.lines)
            messages.append(message)
            begun = nil
        }
        func refuse(_ deviation: Deviation) {
            refusal = deviation
            let isUnfinished = deviation.rule == .headTruncated || deviation.rule == .bodyTruncated
            ending = isUnfinished ? .unfinished : .refused(deviation.rule.rawValue)
        }
        expect()
        var start = 0
        for cut in cuts {
            feed(bytes[start..<cut])
            start = cut
        }
        feed(bytes[start...])
        requests.receiveEnd()
        responses.receiveEnd()
        listen()
    }

    /// What a parser told itself.
    init(messages: [ReadMessage], ending: Ending) {
        self.messages = messages
        self.ending = ending
    }

    /// What happens at the place of a message.
    fileprivate func word(at place: Int) -> Word {
        if place < messages.count { return .reads }
        return switch ending {
        case .clean: .ends
        case .unfinished: refusal?.rule == .headTruncated ? .waitsInHead : .waits
        case .refused(let rule): .refuses(rule)
        }
    }
}

/// What one parser does at the place of a message.
enum Word: Hashable {
    case reads, ends, waits, waitsInHead
    case refuses(String)

    /// Whether this is no contradiction to the other parser's word: both refuse, for whatever they
    /// saw first, or neither does, and both do the same.
    func agrees(with other: Word) -> Bool {
        switch (self, other) {
        case (.refuses, .refuses), (.waitsInHead, .waits): true
        default: self == other
        }
    }
}

extension ReadMessage {
    fileprivate init(_ head: RequestHead) {
        let words = [head.method, head.target].map { String(decoding: $0, as: UTF8.self) }
        self.init("\(words[0]) \(words[1]) HTTP/1.\(head.minorVersion)", head)
        persists = head.persists
    }

    fileprivate init(_ head: ResponseHead, answers method: String) {
        let reason = String(decoding: head.reason, as: UTF8.self)
        self.init("HTTP/1.\(head.minorVersion) \(head.status) \(reason)", head)
        persists = head.persists && head.framing(forMethod: Array(method.utf8)) != .untilClose
    }

    private init(_ startLine: String, _ head: some MessageHead) {
        self.init(
            startLine: startLine,
            fields: head.fields.map { Self.line(head.name(of: $0), head.value(of: $0)) },
            persists: true,
            bends: head.deviations.map(\.rule.rawValue)
        )
    }

    /// The lines of a trailer section as it came.
    fileprivate static func lines(_ section: [UInt8]) -> [String] {
        section.split(separator: 0x0A).map { line in
            let parts = line.dropLast().split(
                separator: 0x3A,
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            return Self.line(parts[0], parts[1])
        }
    }
}

/// The first place where our reader and llhttp part.
struct Difference {
    private(set) var ours = Word.ends
    private(set) var theirs = Word.ends
    /// The message that ours read there, or began to read.
    private(set) var message: ReadMessage?
    /// The message that llhttp read there.
    private(set) var other: ReadMessage?

    /// Nil where both read the same messages and then do the same.
    init?(_ ours: Reading, _ theirs: Reading) {
        for place in 0...max(ours.messages.count, theirs.messages.count) {
            message = place < ours.messages.count ? ours.messages[place] : ours.begun
            other = place < theirs.messages.count ? theirs.messages[place] : nil
            (self.ours, self.theirs) = (ours.word(at: place), theirs.word(at: place))
            if self.ours == .reads, self.theirs == .reads {
                if let message, let other, message.means(other) { continue }
            } else if self.ours.agrees(with: self.theirs) {
                return nil
            }
            return
        }
        return nil
    }
}
