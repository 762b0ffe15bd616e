// Is this answer the captured one, and if not, why? Asked once for each answer.

import LabExchange

/// Judges answers by what the user wants compared.
struct AnswerJudge {
    private let parts: Matching.Parts
    private let headers: HeaderCheck
    private let pointers: [JSONPointer]
    private let arena: UnsafePointer<UInt8>

    init(_ matching: Matching, _ arena: UnsafePointer<UInt8>) {
        parts = matching.parts
        headers = HeaderCheck(ignored: matching.ignoredHeaders)
        pointers = matching.ignoredPointers
        self.arena = arena
    }

    /// Why an answer does not match (``ReplayResult/mismatch``); nil where it does.
    ///
    /// - Parameters:
    ///   - request: What was asked, and is expected.
    ///   - answer: What came of it.
    ///   - wasSent: Whether any of the request was sent.
    /// - Returns: The first reason.
    @inline(__always)
    func mismatch(
        _ request: UnsafePointer<PlannedRequest>,
        _ answer: borrowing Answer,
        wasSent: Bool
    ) -> String? {
        if answer.outcome == .ok, answer.status == request.pointee.status,
            answer.hasCapturedContent, !parts.contains(.headers)
        {
            return nil
        }
        return difference(request.pointee, answer, wasSent)
    }

    private func difference(
        _ request: PlannedRequest,
        _ answer: borrowing Answer,
        _ wasSent: Bool
    ) -> String? {
        guard answer.outcome == .ok else {
            // No answer was captured, and none came: but only to a request that was sent.
            let isAlike = request.status == 0 && answer.status == 0 && wasSent
            return isAlike ? nil : "outcome"
        }
        if request.status == 0 { return "outcome" }
        if parts.contains(.status), answer.status != request.status { return "status" }
        if parts.contains(.headers), request.headLength > 0, let head = answer.head {
            let name = head.withUnsafeBufferPointer { came in
                headers.difference(
                    run(request.headPlace, Int(request.headLength)),
                    came,
                    comparesLength: !request.isPlain
                )
            }
            if let name { return "header:" + name }
        }
        if parts.contains(.body), request.comparesContent, let body = answer.differingBody {
            return difference(request.content, body)
        }
        return nil
    }

    private func difference(_ captured: CapturedContent, _ body: DifferingBody) -> String? {
        guard !pointers.isEmpty, captured.isWhole, body.bytes.count == body.size,
            let mine = JSONDocument(Array(run(captured.place, captured.size))[...]),
            let theirs = JSONDocument(body.bytes[...])
        else { return "body" }
        return mine.difference(from: theirs, ignoring: pointers).map {
            $0.isEmpty ? "body" : "body:" + $0
        }
    }

    private func run(_ place: Int, _ count: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: arena + place, count: count)
    }
}
