// An exchange as `lab show --json` gives it: bytes as text where they are UTF-8, else as Base64.

import FoundationEssentials
import LabExchange
import LabSession

/// An exchange as JSON gives it.
struct ExchangeObject: Encodable {
    /// A run of bytes: one of ``text`` and ``base64``.
    struct Content: Encodable {
        let text: String?
        let base64: String?

        init(_ bytes: [UInt8]) {
            text = String(validating: bytes, as: UTF8.self)
            base64 = text == nil ? Data(bytes).base64EncodedString() : nil
        }
    }

    /// A body: what is kept of it, and what is known of the whole.
    struct Body: Encodable {
        let size: Int64
        let sha256: String
        let isTruncated: Bool
        let content: Content

        init(_ body: StoredBody) {
            size = body.size
            sha256 = Hexadecimal.text(body.digest)
            isTruncated = body.isTruncated
            content = Content(body.bytes)
        }
    }

    /// What became of it in a replay.
    struct Replayed: Encodable {
        let run: Int64
        let label: String?
        let target: String
        let results: Int
        let mismatches: Int
        let round: Int
        let status: Int?
        let outcome: String
        let mismatch: String?
        let tookNs: Int64?
        let head: Content?
        let body: Body?

        init(_ replayed: ReplayedExchange) {
            run = replayed.run
            label = replayed.label
            target = replayed.target
            results = replayed.results
            mismatches = replayed.mismatches
            round = replayed.round
            status = replayed.status
            outcome = replayed.outcome
            mismatch = replayed.mismatch
            tookNs = replayed.tookNs
            head = replayed.head.map { Content($0) }
            body = replayed.body.map { Body($0) }
        }
    }

    let exchange: ExchangeSummary
    let version: String
    let reason: String?
    let error: String?
    let errors: Content?
    let errorsSize: Int64
    let requestHead: Content
    let requestBody: Body?
    let responseHead: Content?
    let responseBody: Body?
    let requestTrailers: Content?
    let responseTrailers: Content?
    let refusedAnswer: Content?
    let phases: [PhaseDuration]
    let environ: [EnvironEntry]
    let deviations: [StoredDeviation]
    let recording: Recording?
    let connection: ConnectionDetail?
    let child: ChildDetail?
    let replayed: Replayed?

    init(_ detail: ExchangeDetail, _ replayed: ReplayedExchange?) {
        self.replayed = replayed.map { Replayed($0) }
        exchange = detail.summary
        version = detail.version
        reason = detail.reason
        error = detail.error
        errors = detail.errors.map { Content($0) }
        errorsSize = detail.errorsSize
        requestHead = Content(detail.requestHead)
        requestBody = detail.requestBody.map { Body($0) }
        responseHead = detail.responseHead.map { Content($0) }
        responseBody = detail.responseBody.map { Body($0) }
        requestTrailers = detail.requestTrailers.isEmpty ? nil : Content(detail.requestTrailers)
        responseTrailers = detail.responseTrailers.isEmpty ? nil : Content(detail.responseTrailers)
        refusedAnswer = detail.refusedAnswer.map { Content($0) }
        phases = detail.phases
        environ = detail.environ
        deviations = detail.deviations
        recording = detail.recording
        connection = detail.connection
        child = detail.child
    }
}

/// Bytes as hexadecimal digits.
enum Hexadecimal {
    static func text(_ bytes: some Sequence<UInt8>) -> String {
        bytes.reduce(into: "") { text, byte in
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
}
