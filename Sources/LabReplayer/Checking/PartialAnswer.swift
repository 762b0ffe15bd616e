// An answer that did not come in one read, or is unusual: a machine with bytes in, an answer out.
// It does no I/O and reads no clock.

import LabExchange
import LabWire

/// How a request ended.
struct Answer {
    var outcome: ReplayOutcome
    /// The status; 0 where no head came.
    var status: Int16
    /// Whether the server lets the connection carry another request.
    var persists = false
    /// The content, where it is not the captured one.
    var differingBody: DifferingBody?
    /// The head as it came; nil where none did, or where nobody looks at it.
    var head: [UInt8]?
    /// Whether the content is the captured one.
    var hasCapturedContent: Bool { differingBody == nil }
}

/// Reads one answer; begun anew for each, so that its memory is used again.
final class PartialAnswer {
    private var reader = ResponseReader()
    private var check: ContentCheck
    /// How much content is to come after a head that the scanner understood; -1 where LabWire's
    /// reader reads.
    private var left = -1
    private var status: Int16 = 0
    private var persists = false
    private var head: [UInt8] = []

    /// Begins an answer that LabWire's reader reads from its first byte.
    init(method: UnsafeBufferPointer<UInt8>, check: ContentCheck) {
        self.check = check
        begin(method: method, check: check)
    }

    /// Begins another one.
    func begin(method: UnsafeBufferPointer<UInt8>, check: ContentCheck) {
        self.check = check
        left = -1
        status = 0
        persists = false
        reader = ResponseReader()
        reader.expectResponse(toMethod: method)
    }

    /// Goes on after a head that the scanner understood, at `bytes`: what comes next is content.
    func skipHead(_ head: ScannedHead, _ bytes: UnsafePointer<UInt8>) {
        left = head.contentLength
        status = head.status
        persists = !head.closes
        // Into the memory of the last one, unless a result has that.
        self.head.removeAll(keepingCapacity: true)
        self.head.append(contentsOf: UnsafeBufferPointer(start: bytes, count: head.length))
    }

    /// Takes bytes as they came; gives the answer once it is complete, or cannot become so.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Answer? {
        guard left >= 0 else {
            reader.receive(bytes)
            return read()
        }
        let run = min(left, bytes.count)
        check.take(UnsafeRawBufferPointer(rebasing: bytes[..<run]))
        left -= run
        // Bytes after the end answer no request: the connection is not used again.
        if run < bytes.count { persists = false }
        return left == 0 ? answer(.ok) : nil
    }

    /// Takes note that the server will send no more.
    func receiveEnd() -> Answer {
        guard left < 0 else { return answer(.truncated) }
        reader.receiveEnd()
        persists = false
        return read() ?? answer(.truncated)
    }

    /// Gives up: the connection was reset, or the time is over.
    func cut(_ outcome: ReplayOutcome) -> Answer { answer(outcome) }

    private func read() -> Answer? {
        while true {
            switch reader.next() {
            case .needsBytes: return nil
            case .head(let head):
                if head.isInterim { continue }
                status = Int16(head.status)
                self.head = head.bytes
                // After 101 the connection speaks another protocol.
                persists = head.persists && head.status != 101
            case .content(let run):
                run.withUnsafeBytes { check.take($0) }
            case .end:
                if reader.hasUnread { persists = false }
                return answer(.ok)
            case .closed:
                return answer(.reset)
            case .refused(let deviation):
                // Close-delimited content needs no end; any other that stops early is cut.
                return answer(deviation.rule == .bodyTruncated ? .truncated : .malformed)
            }
        }
    }

    private func answer(_ outcome: ReplayOutcome) -> Answer {
        // Without a head there is no content, and nothing to say about it.
        let body = status == 0 ? nil : check.end()
        return Answer(
            outcome: outcome,
            status: status,
            persists: persists && outcome == .ok,
            differingBody: body,
            head: status == 0 ? nil : head
        )
    }
}
