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
            return difference(request.content, body, codings(answer.head ?? []))
        }
        return nil
    }

    /// Why two contents that are not the same bytes are not the same; nil where they mean the same.
    private func difference(
        _ captured: CapturedContent,
        _ body: DifferingBody,
        _ codings: [String]
    ) -> String? {
        guard captured.isWhole, body.bytes.count == body.size,
            !(pointers.isEmpty && codings.isEmpty) || isGzip(captured),
            let came = Inflate.undo(codings, of: body.bytes[...])
        else { return "body" }
        // A compressor may put the time into what it makes, or another one may do better.
        let expected = plain(captured, codings)
        if expected.elementsEqual(came) { return nil }
        guard !pointers.isEmpty, let mine = JSONDocument(expected[...]),
            let theirs = JSONDocument(came[...])
        else { return "body" }
        return mine.difference(from: theirs, ignoring: pointers)
            .map { $0.isEmpty ? "body" : "body:" + $0 }
    }

    /// The captured content without its coding, which is told from its first bytes: its head is not
    /// at hand, and a server may have begun to compress, or ceased to.
    private func plain(_ captured: CapturedContent, _ codings: [String]) -> ArraySlice<UInt8> {
        let bytes = Array(run(captured.place, captured.size))[...]
        return Inflate.undo(isGzip(captured) ? ["gzip"] : codings, of: bytes) ?? bytes
    }

    private func isGzip(_ captured: CapturedContent) -> Bool {
        run(captured.place, captured.size).starts(with: [0x1F, 0x8B, 0x08])
    }

    /// The codings of a head's content.
    private func codings(_ head: [UInt8]) -> [String] {
        head.withUnsafeBufferPointer { head in
            var found: [String] = []
            var lines = HeadLines(head)
            while let line = lines.next() {
                let name = String(decoding: line.name, as: UTF8.self).lowercased()
                guard name == "content-encoding" else { continue }
                found += String(decoding: line.value, as: UTF8.self).lowercased()
                    .split { $0 == "," || $0 == " " || $0 == "\t" }.map { String($0) }
            }
            return found
        }
    }

    private func run(_ place: Int, _ count: Int) -> UnsafeBufferPointer<UInt8> {
        UnsafeBufferPointer(start: arena + place, count: count)
    }
}
