// Sends this server's own answers, and tells of them as they are sent.

import CLabLinux
import Glibc
import LabWire

/// Sends one answer to one request.
final class Answerer {
    private let client: ClientConnection
    private let head: RequestHead?
    private let wantsClose: Bool
    /// How long the client may take nothing; ns.
    let stallNs: Int64
    /// Set where the connection can't go on after this answer.
    var mustClose = false

    init(client: ClientConnection, head: RequestHead?, closes: Bool, stallNs: Int64) {
        self.client = client
        self.head = head
        wantsClose = closes
        self.stallNs = stallNs
    }

    /// Whether the connection ends with this answer.
    var closes: Bool { wantsClose || mustClose }
    /// Whether an HTTP/1.0 client is to hear that it may go on.
    var keepsAlive: Bool { !closes && head?.minorVersion == 0 }

    /// Sends a response of this server's own.
    ///
    /// - Returns: Whether the client took all of it.
    func answer(_ response: Response, _ record: inout ExchangeRecord) -> Bool {
        let startedNs = clab_monotonic_ns()
        let bytes = response.head(closes: closes, keepsAlive: keepsAlive)
        let isBodiless = !response.mayHaveContent || head?.method.equals("HEAD") == true
        let reason = Response.reason(response.status).utf8
        switch response.content {
        case .bytes(let content):
            record.responseHead(
                status: response.status,
                reason: Array(reason),
                head: bytes,
                startedNs: startedNs
            )
            if !isBodiless { record.responseContent(content[...]) }
            // What a client was answered is on record, whatever ends this process then.
            record.flush()
            // One send for head and content: one segment for the client, one system call here.
            return client.send(isBodiless ? bytes : bytes + content, stallNs: stallNs)
        case .pattern(let count):
            record.responseHead(
                status: response.status,
                reason: Array(reason),
                head: bytes,
                startedNs: startedNs
            )
            record.flush()
            guard client.send(bytes, stallNs: stallNs) else { return false }
            return isBodiless || sendPattern(count, &record)
        }
    }

    private func sendPattern(_ count: Int, _ record: inout ExchangeRecord) -> Bool {
        let block = (0..<min(count, 64 << 10)).map { UInt8(0x61 + $0 % 26) }
        var left = count
        // Whole alphabets, so that the pattern goes on over the blocks.
        let whole = count <= block.count ? count : block.count / 26 * 26
        while left > 0 {
            let piece = block[..<min(left, whole)]
            record.responseContent(piece)
            record.flush()
            guard client.send(piece, stallNs: stallNs) else { return false }
            left -= piece.count
        }
        return true
    }
}
