// Numbers as people read them: three digits that mean something, and always the unit.

/// Numbers as text.
enum Quantity {
    /// What stands where a number is not known.
    static let none = "–"

    /// A duration: `412 µs`, `1.23 ms`, `2 min 03 s`.
    static func duration(_ nanoseconds: Int64?) -> String {
        guard let nanoseconds else { return none }
        let value = Double(nanoseconds)
        return switch nanoseconds.magnitude {
        case 0..<1000: "\(nanoseconds) ns"
        case ..<999_500: significant(value / 1e3) + " µs"
        case ..<999_500_000: significant(value / 1e6) + " ms"
        case ..<60_000_000_000: significant(value / 1e9) + " s"
        case ..<3_600_000_000_000: parts(nanoseconds / 1_000_000_000, "min", "s")
        default: parts(nanoseconds / 60_000_000_000, "h", "min")
        }
    }

    /// A duration that is kept in microseconds.
    static func duration(microseconds: Int64?) -> String {
        duration(microseconds.map { $0.multipliedReportingOverflow(by: 1000).partialValue })
    }

    /// An amount of data: `13 B`, `1.23 MiB`.
    static func bytes(_ bytes: Int64?) -> String {
        guard let bytes else { return none }
        guard bytes.magnitude >= 1024 else { return "\(bytes) B" }
        var value = Double(bytes) / 1024
        for unit in ["KiB", "MiB", "GiB"] {
            if value.magnitude < 1000 { return significant(value) + " " + unit }
            value /= 1024
        }
        return significant(value) + " TiB"
    }

    /// A whole number, its thousands marked.
    static func count(_ number: Int64) -> String {
        let digits = String(number.magnitude)
        var text = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return number < 0 ? "-" + text : text
    }

    static func count(_ number: Int64?) -> String { number.map { count($0) } ?? none }

    static func count(_ number: Int) -> String { count(Int64(number)) }

    /// A number and the name of what is counted.
    static func count(_ number: Int, _ one: String, _ many: String) -> String {
        number == 1 ? "1 \(one)" : "\(count(number)) \(many)"
    }

    /// What a comparison sent: `10 rounds of 1,000 requests, 1 connection`.
    static func rounds(_ rounds: Int, ofRequests requests: Int, _ connections: Int) -> String {
        count(rounds, "round", "rounds") + " of " + count(requests, "request", "requests") + ", "
            + count(connections, "connection", "connections")
    }

    /// A rate: `1,234 requests/s`, `3.21 requests/s`.
    static func rate(_ perSecond: Double?) -> String {
        guard let perSecond, perSecond.isFinite, perSecond < 1e15 else { return none }
        let text =
            perSecond < 999.5 ? significant(perSecond) : count(Int64(perSecond.rounded()))
        return text + "/s"
    }

    /// A part of a whole, in percent.
    static func share(_ part: Int, of whole: Int) -> String {
        whole > 0 ? decimal(Double(part) * 100 / Double(whole), places: 1) + " %" : none
    }

    /// Milliseconds with three decimals, for columns of them.
    static func milliseconds(_ nanoseconds: Int64?) -> String {
        nanoseconds.map { decimal(Double($0) / 1e6, places: 3) } ?? none
    }

    /// A number with a given count of decimals.
    static func decimal(_ value: Double, places: Int) -> String {
        guard value.isFinite, value.magnitude < 1e15 else { return none }
        let scale = (0..<places).reduce(Int64(1)) { scale, _ in scale * 10 }
        let scaled = Int64((value.magnitude * Double(scale)).rounded())
        let fraction = String(scaled % scale)
        let zeros = String(repeating: "0", count: max(0, places - fraction.count))
        let sign = value < 0 && scaled > 0 ? "-" : ""
        return sign + String(scaled / scale) + (places > 0 ? "." + zeros + fraction : "")
    }

    private static func significant(_ value: Double) -> String {
        decimal(value, places: value.magnitude < 9.995 ? 2 : value.magnitude < 99.95 ? 1 : 0)
    }

    private static func parts(_ number: Int64, _ large: String, _ small: String) -> String {
        let rest = number % 60
        return "\(number / 60) \(large) \(rest < 10 ? "0" : "")\(rest) \(small)"
    }
}
