// A recording's news as lines of JSON.

import LabExchange
import LabSession

/// Makes one JSON object of each piece of news.
enum RecordJSON {
    static func line(_ news: RecordingNews) -> String {
        switch news {
        case .exchange(let exchange): "{\"event\":\"exchange\",\(members(exchange))}"
        case .child(let child):
            """
            {"event":"child","connection_id":\(child.connectionID),"pid":\(child.pid),\
            "fate":\(text(child.fate.rawValue)),"wait_status":\(child.waitStatus),\
            "user_cpu_us":\(child.usage.userCPUUs),"system_cpu_us":\(child.usage.systemCPUUs),\
            "zombie_at_most_ms":\(milliseconds(child.zombieAtMostNs)),\
            "unfinished":\(child.unfinished.map { "{\(members($0))}" } ?? "null")}
            """
        case .event(let kind, let pid, let detail):
            "{\"event\":\(text(kind.rawValue)),\"pid\":\(pid == 0 ? "null" : "\(pid)"),\"detail\":\(String(decoding: detail, as: UTF8.self))}"
        }
    }

    private static func members(_ exchange: ExchangeNews) -> String {
        """
        "id":\(exchange.id),"connection_id":\(exchange.connectionID),"pid":\(exchange.pid),\
        "method":\(text(exchange.method)),"target":\(text(exchange.target)),\
        "status":\(exchange.status.map(String.init) ?? "null"),\
        "outcome":\(text(exchange.outcome.rawValue)),\
        "error":\(exchange.error.isEmpty ? "null" : text(exchange.error)),\
        "duration_ms":\(milliseconds(exchange.durationNs)),\
        "response_bytes":\(exchange.responseBytes)
        """
    }

    private static func milliseconds(_ nanoseconds: Int64?) -> String {
        nanoseconds.map { "\(Double($0 / 1000) / 1000)" } ?? "null"
    }

    private static func text(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": out += "\\\""
            case "\\": out += "\\\\"
            default:
                if scalar.value < 0x20 {
                    let digits = String(scalar.value, radix: 16)
                    out += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                } else {
                    out.unicodeScalars.append(scalar)
                }
            }
        }
        return out + "\""
    }
}
