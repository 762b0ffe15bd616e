// What went over one connection, and what the session says of it.

import Foundation
import LabTestSupport

/// What went over one connection.
struct Dialogue: Sendable {
    let sent: [UInt8]
    let received: [UInt8]
    /// Whether the server ended it, of its own accord or after the client did.
    let isClosed: Bool
    /// When it ended.
    let date: Date
    /// The client's port, by which the session knows the connection.
    let port: Int

    /// Sends bytes over a new connection and reads until the server closes it.
    init(to lab: LabRecord, _ bytes: [UInt8], endsSending: Bool = false) throws {
        let client = try RawClient(port: lab.port)
        try client.send(bytes)
        if endsSending { client.endSending() }
        sent = bytes
        (received, isClosed) = client.bytesToClose()
        date = Date()
        port = client.localPort
    }

    /// The statuses of the answers, in order.
    var statuses: [Int] { text.matches(of: #/HTTP/1\.1 (\d{3}) /#).compactMap { Int($0.1) } }

    /// What came, as text.
    var text: String { String(decoding: received, as: UTF8.self) }
}

/// What a session says of one exchange.
struct StoredExchange: Decodable, Sendable, CustomStringConvertible {
    struct Deviation: Decodable, Sendable {
        let code: String
        let section: String
        let offset: Int
        let message: String
    }

    let id: Int
    let status: Int?
    let outcome: String?
    let error: String?
    /// The request's head in hexadecimal.
    let head: String
    /// The answer's head.
    let answer: String?
    /// Whether the request's content came to its end.
    let isWhole: Int
    let environ: [String: String]
    let deviations: [Deviation]

    /// The status, the outcome, and the rules that were bent; those of the response are marked.
    var description: String {
        let codes = deviations.map { $0.message == "response" ? "\($0.code)@response" : $0.code }
        return ([status.map(String.init) ?? "-", outcome ?? "-"] + codes).joined(separator: " ")
    }

    var headBytes: [UInt8] {
        let digits = Array(head.utf8)
        return stride(from: 0, to: digits.count, by: 2).compactMap {
            UInt8(String(decoding: digits[$0..<$0 + 2], as: UTF8.self), radix: 16)
        }
    }
}

extension LabRecord {
    /// Every connection's exchanges in order, by the client's port.
    func storedExchanges() throws -> [Int: [StoredExchange]] {
        struct Connection: Decodable {
            let port: Int
            let exchanges: [StoredExchange]
        }
        let json = try sql(
            """
            SELECT json_group_array(json_object('port', c.peer_port, 'exchanges', (
                SELECT json_group_array(json_object('id', e.id, 'status', e.status,
                    'outcome', e.outcome, 'error', e.error, 'head', hex(e.request_head),
                    'answer', CAST(e.response_head AS TEXT),
                    'isWhole', e.request_ns IS NOT NULL,
                    'environ', (SELECT json_group_object(name, value) FROM environ
                        WHERE exchange_id = e.id AND name NOT LIKE 'wsgi.%'),
                    'deviations', (SELECT json_group_array(json_object('code', code,
                        'section', section, 'offset', offset, 'message', message))
                        FROM deviation WHERE exchange_id = e.id)))
                FROM (SELECT * FROM exchange WHERE connection_id = c.id ORDER BY sequence) e)))
            FROM connection c
            """
        )
        let connections = try JSONDecoder().decode([Connection].self, from: Data(json.utf8))
        return Dictionary(connections.map { ($0.port, $0.exchanges) }) { $1 }
    }
}
