// Is it slower, by more than one cares about? Per-round shifts -> a verdict against a threshold.

import RealModule

/// What a shift is held against.
public struct ShiftThreshold: Sendable, Equatable {
    /// The practical threshold, as a share: 0.05 for 5 %.
    public var share: Double
    /// The least change that counts, in the unit of what is measured.
    public var least: Double
    /// How often an interval may miss, both sides together.
    public var misrate: Double

    /// Makes a threshold.
    public init(share: Double, least: Double, misrate: Double) {
        self.share = share
        self.least = least
        self.misrate = misrate
    }

    /// The threshold as a logarithm.
    var log: Double { Double.log(onePlus: share) }

    /// The size of a change that nobody cares about, as a logarithm, for something that is `level`
    /// large: the threshold, or the least change where that is more.
    func indifference(at level: Double) -> Double {
        Double.log(onePlus: max(share, level > 0 ? least / level : .infinity))
    }
}

/// What became of one shift.
public enum ShiftVerdict: String, Sendable, CaseIterable {
    /// It is larger, by more than the threshold.
    case regressed
    /// It is smaller, by more than the threshold.
    case improved
    /// It is the same, to within what one cares about.
    case equivalent
    /// It can't be told yet.
    case inconclusive
    /// The baseline differs from itself by more than the threshold: the machine is too restless.
    case unstable
    /// Too few requests were answered on both sides.
    case incomparable
}

/// A shift and what is known of it.
public struct ShiftEstimate: Sendable, Equatable {
    /// Candidate against baseline, as logarithms, one per round.
    public var shifts: [Double]
    /// The second baseline against the first, as logarithms, one per round.
    public var controls: [Double]
    /// The baseline's typical size, in the unit of what is measured.
    public var level: Double
    /// The estimate of `shifts`.
    public var bounds: Bounds
    /// The estimate of `controls`; nil where there is no second baseline.
    public var control: Bounds?
    /// The chance of such shifts where the true one is at most the threshold, one-sided.
    public var p: Double
    private let threshold: ShiftThreshold

    /// Estimates a shift; nil where there is no round.
    ///
    /// - Parameters:
    ///   - shifts: `ln(candidate / baseline)` of each round.
    ///   - controls: `ln(second baseline / baseline)` of each round; empty where there is none.
    ///   - level: The baseline's typical size.
    ///   - threshold: What counts.
    public init?(
        shifts: [Double],
        controls: [Double],
        level: Double,
        threshold: ShiftThreshold
    ) {
        guard let bounds = Center.bounds(shifts, misrate: threshold.misrate) else { return nil }
        self.shifts = shifts
        self.controls = controls
        self.level = level
        self.bounds = bounds
        self.threshold = threshold
        control = Center.bounds(controls, misrate: threshold.misrate)
        p = SignedRank.oneSidedP(shifts.map { $0 - threshold.log })
    }

    /// What it comes to.
    ///
    /// - Parameters:
    ///   - adjustedP: ``p`` adjusted for all that is asked at once.
    ///   - alpha: What this look may spend.
    /// - Returns: The verdict; never ``ShiftVerdict/incomparable``, which is for the caller to say.
    public func verdict(adjustedP: Double, alpha: Double) -> ShiftVerdict {
        let indifference = threshold.indifference(at: level)
        let change = level * Double.expMinusOne(bounds.center)
        // A machine that moves the baseline too moves the candidate: only what clears both counts.
        let machine = control.map { max(abs($0.lower), abs($0.upper)) } ?? .infinity
        let isRestless =
            control.map {
                $0.halfWidth > indifference || $0.lower > indifference || $0.upper < -indifference
            } ?? true
        if bounds.lower > threshold.log, adjustedP <= alpha, abs(change) >= threshold.least {
            return isRestless && bounds.lower <= machine ? .unstable : .regressed
        }
        if isRestless { return .unstable }
        if bounds.upper < -threshold.log, abs(change) >= threshold.least { return .improved }
        if bounds.lower >= -indifference, bounds.upper <= indifference { return .equivalent }
        return .inconclusive
    }

    /// About the smallest slowdown that so many rounds, as restless as these, would find nine times
    /// of ten, as a share of the baseline.
    ///
    /// The interval must clear the threshold, and the estimate itself misses by about 0.65 of its
    /// half-width one time in ten (1.28 / 1.96).
    public var detectable: Double {
        guard bounds.halfWidth.isFinite else { return .infinity }
        let found = threshold.log + bounds.halfWidth * 1.65
        return max(Double.expMinusOne(found), level > 0 ? threshold.least / level : 0)
    }

    /// About how many rounds would settle it; nil where more would not.
    public var roundsNeeded: Int? {
        RoundsNeeded.about(
            toShrink: bounds.halfWidth,
            to: max(threshold.indifference(at: level) - abs(bounds.center), threshold.log / 4),
            from: shifts.count
        )
    }
}
