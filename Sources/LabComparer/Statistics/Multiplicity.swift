// Many questions asked at once: what each answer is worth then.

/// Adjusted p-values.
enum Multiplicity {
    /// Above so many questions the share of false alarms is bounded, not the chance of one.
    static let mostForHolm = 200

    /// Holm's step-down values (1979): to compare each with alpha keeps the chance of any false
    /// alarm below alpha, whatever depends on what.
    static func holm(_ ps: [Double]) -> [Double] {
        var adjusted = ps
        var highest = 0.0
        for (place, index) in ps.indices.sorted(by: { ps[$0] < ps[$1] }).enumerated() {
            highest = max(highest, min(1, ps[index] * Double(ps.count - place)))
            adjusted[index] = highest
        }
        return adjusted
    }

    /// Benjamini and Hochberg's values (1995): to compare each with alpha keeps the expected share
    /// of false ones among the alarms below alpha.
    static func benjaminiHochberg(_ ps: [Double]) -> [Double] {
        var adjusted = ps
        var lowest = 1.0
        for (place, index) in ps.indices.sorted(by: { ps[$0] > ps[$1] }).enumerated() {
            let rank = ps.count - place
            lowest = min(lowest, ps[index] * Double(ps.count) / Double(rank))
            adjusted[index] = lowest
        }
        return adjusted
    }

    /// Holm's values, or Benjamini and Hochberg's where there are more than 200.
    static func adjusted(_ ps: [Double]) -> [Double] {
        ps.count > mostForHolm ? benjaminiHochberg(ps) : holm(ps)
    }
}
