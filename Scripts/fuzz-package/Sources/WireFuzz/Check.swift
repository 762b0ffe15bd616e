// The same bytes, whole and in pieces, must be read the same.

import LabWire

/// What a reader said, in a form that does not depend on how the bytes were split.
enum Said<Head: MessageHead & Equatable>: Equatable {
    case head(Head)
    case content([UInt8])
    case end(trailers: [UInt8])
    case refused(Deviation)
    case closed
}

/// A reader and what it said so far.
struct Dialogue<S: Subject> {
    private var subject: S
    private(set) var said: [Said<S.Head>] = []

    init(_ input: Input) {
        subject = S(limits: input.limits, firstMethod: input.firstMethod)
    }

    mutating func feed(_ bytes: UnsafeRawBufferPointer) { subject.receive(bytes) }
    mutating func end() { subject.receiveEnd() }

    /// Takes events until the reader has no more to say.
    mutating func listen(_ onHead: (S.Head) -> Void = { _ in }) {
        while true {
            switch subject.next() {
            case .needsBytes: return
            case .head(let head):
                said.append(.head(head))
                onHead(head)
            case .content(let run):
                expect(!run.isEmpty, "gives an empty run of content")
                if case .content(let before)? = said.last {
                    said[said.count - 1] = .content(before + run)
                } else {
                    said.append(.content(Array(run)))
                }
            case .end: said.append(.end(trailers: subject.trailers))
            case .refused(let deviation):
                said.append(.refused(deviation))
                guard case .closed = subject.next() else { fail("goes on after a refusal", said) }
                return
            case .closed:
                if !hasRefused { said.append(.closed) }
                return
            }
        }
    }

    private var hasRefused: Bool {
        if case .refused? = said.last { true } else { false }
    }
}

/// Reads an input whole and in pieces; traps where the two differ, or a head is not its bytes.
func check<S: Subject>(_ input: Input, _: S.Type) {
    var whole = Dialogue<S>(input)
    whole.feed(input.message)
    whole.end()
    whole.listen { S.check($0, limits: input.limits) }

    var pieces = Dialogue<S>(input)
    for piece in input.pieces {
        pieces.feed(UnsafeRawBufferPointer(rebasing: input.message[piece]))
        pieces.listen { head in
            // Byte by byte, a head comes out with its last byte, and so its place is known.
            guard input.isInSingleBytes else { return }
            let start = piece.upperBound - head.bytes.count
            expect(
                start >= 0 && input.message[start..<piece.upperBound].elementsEqual(head.bytes),
                "does not reproduce its bytes"
            )
        }
    }
    pieces.end()
    pieces.listen()
    guard whole.said == pieces.said else {
        fail("is read otherwise in pieces", (whole.said, pieces.said))
    }
}

func expect(_ holds: Bool, _ sentence: String) {
    if !holds { fail(sentence, "") }
}

func fail(_ sentence: String, _ seen: Any) -> Never {
    fatalError("This input \(sentence). \(seen)")
}
