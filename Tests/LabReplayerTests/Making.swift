// Captured exchanges and runs, with all that a test does not care for left at a default.

import Crypto
import LabExchange
import LabWire

@testable import LabReplayer

extension StoredBody {
    static func make(_ text: String, kept: Int? = nil) -> StoredBody {
        let bytes = Array(text.utf8)
        let digest = Array(SHA256.hash(data: bytes))
        // Equal bodies are one row in a session, so the number is made of the content.
        let id = digest.prefix(7).reduce(Int64(0)) { $0 << 8 | Int64($1) }
        return StoredBody(
            id: id,
            digest: digest,
            size: Int64(bytes.count),
            bytes: Array(bytes.prefix(kept ?? bytes.count)),
            isTruncated: kept.map { $0 < bytes.count } ?? false
        )
    }
}

extension CapturedExchange {
    static func make(
        _ id: Int64,
        connection: Int64 = 1,
        method: String = "GET",
        target: String = "/",
        fields: String = "",
        content: StoredBody? = nil,
        status: Int? = 200,
        answer: String? = "hello",
        outcome: ExchangeOutcome = .ok,
        answerFields: String? = nil,
        startedNs: Int64 = 0,
        endedNs: Int64 = 0,
        client: String = ""
    ) -> CapturedExchange {
        let head = "\(method) \(target) HTTP/1.1\r\nHost: recorded.example\r\n\(fields)\r\n"
        return CapturedExchange(
            id: id,
            connectionID: connection,
            sequence: Int(id),
            requestHead: Array(head.utf8),
            requestBody: content,
            status: status,
            responseBody: answer.map { .make($0) },
            outcome: outcome,
            startedNs: startedNs,
            endedNs: endedNs,
            client: client,
            responseHead: answerFields.map {
                Array("HTTP/1.1 \(status ?? 200) Whatever\r\n\($0)\r\n".utf8)
            } ?? []
        )
    }
}

extension ReplayPlan {
    /// The whole plan of `exchanges`.
    convenience init(_ exchanges: [CapturedExchange], _ settings: ReplaySettings) {
        self.init(settings)
        add(exchanges)
    }
}

extension ReplaySettings {
    static func make(port: Int) throws -> ReplaySettings {
        let target = Authority(host: "127.0.0.1", port: port)
        return ReplaySettings(
            target: target,
            addresses: try resolve(target),
            keepsHopByHop: true
        )
    }
}

/// All that a run gave.
struct Run {
    var summary: ReplaySummary
    var results: [ReplayResult]
    var progress: [ReplayProgress]
}

extension Replayer {
    func runToEnd() throws -> Run {
        var results: [ReplayResult] = []
        var progress: [ReplayProgress] = []
        let summary = try run(
            onResults: { results += $0 },
            onProgress: { progress.append($0) }
        )
        return Run(summary: summary, results: results, progress: progress)
    }
}

extension LoopbackServer {
    /// Replays `exchanges` at this server.
    func replay(
        _ exchanges: [CapturedExchange],
        _ change: (inout ReplaySettings) -> Void = { _ in }
    ) throws -> Run {
        var settings = try ReplaySettings.make(port: port)
        change(&settings)
        let replayer = Replayer(exchanges: exchanges, settings: settings)
        return try serve { try replayer.runToEnd() }
    }
}

/// A response with Content-Length.
func response(_ content: String, status: Int = 200, fields: String = "") -> String {
    "HTTP/1.1 \(status) Any\r\n\(fields)Content-Length: \(content.utf8.count)\r\n\r\n\(content)"
}
