// Numbers in sentences, without Foundation.

import RealModule

/// Numbers as words.
public enum Words {
    /// A share as percent, to a digit after the point.
    public static func percent(_ share: Double) -> String {
        guard share.isFinite else { return "any" }
        return "\(decimal(share * 100, digits: 1)) %"
    }

    /// A logarithm as a change in percent, with its sign.
    public static func change(_ logarithm: Double) -> String {
        guard logarithm.isFinite else { return logarithm > 0 ? "+∞" : "−∞" }
        let share = Double.expMinusOne(logarithm) * 100
        return "\(share < 0 ? "−" : "+")\(decimal(abs(share), digits: 1)) %"
    }

    /// A small chance.
    public static func p(_ p: Double) -> String {
        p < 0.0001 ? "under 0.0001" : decimal(p, digits: 4)
    }

    /// Nanoseconds as milliseconds.
    public static func milliseconds(_ ns: Double) -> String { "\(decimal(ns / 1e6, digits: 2)) ms" }

    /// A number with so many digits after the point, without zeros at its end.
    public static func decimal(_ value: Double, digits: Int) -> String {
        var scale = 1.0
        for _ in 0..<digits { scale *= 10 }
        let rounded = (value * scale).rounded() / scale
        let text = "\(rounded)"
        return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
    }
}
