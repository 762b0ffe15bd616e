// The results of a replay as comma-separated values (RFC 4180), a request a line: what spreadsheets
// and data frames take.

public import LabSession

/// Writes results as CSV.
public struct ResultCSV {
    /// What the times are counted from, nanoseconds; the first result's moment.
    private var startNs: Int64?

    /// Makes a writer for one run.
    public init() {}

    /// The first line: the names of the columns.
    public static let header =
        "exchange,round,connection,method,target,status,outcome,matches,offset_ms,response_ms,"
        + "service_ms,first_byte_ms\r\n"

    /// The line of one result, those of a run given in order.
    ///
    /// Times have microseconds; a time that is not known is empty.
    public mutating func line(_ result: ReplayResultReport) -> String {
        let startNs = startNs ?? result.intendedNs
        self.startNs = startNs
        func between(_ from: Int64?, _ to: Int64?) -> String {
            guard let from, let to else { return "" }
            return Self.milliseconds(to - from)
        }
        let fields = [
            "\(result.exchangeID)", "\(result.round)", "\(result.connection)",
            Self.quoted(result.method), Self.quoted(result.target),
            result.status.map { "\($0)" } ?? "", result.outcome, result.matches ? "1" : "0",
            between(startNs, result.intendedNs), between(result.intendedNs, result.doneNs),
            between(result.sentNs, result.doneNs), between(result.sentNs, result.firstByteNs),
        ]
        return fields.joined(separator: ",") + "\r\n"
    }

    private static func milliseconds(_ ns: Int64) -> String {
        let microseconds = (abs(ns) + 500) / 1000
        let rest = String(microseconds % 1000)
        let padding = String(repeating: "0", count: 3 - rest.count)
        return "\(ns < 0 && microseconds > 0 ? "-" : "")\(microseconds / 1000).\(padding)\(rest)"
    }

    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D })
        else { return text }
        return "\""
            + text.split(separator: "\"", omittingEmptySubsequences: false)
            .joined(separator: "\"\"") + "\""
    }
}
