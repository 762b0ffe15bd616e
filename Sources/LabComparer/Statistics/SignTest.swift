// Coins: of the rounds that differ, how many differ in the one direction.

import RealModule

/// The exact sign test, which of paired counts is McNemar's (1947).
enum SignTest {
    /// The chance of at least `heads` heads among `heads + tails` throws of a fair coin.
    static func oneSidedP(heads: Int, tails: Int) -> Double {
        let throwsCount = heads + tails
        guard heads > 0 else { return 1 }
        var sum = 0.0
        // From the far end, where the terms are smallest.
        for count in stride(from: throwsCount, through: heads, by: -1) {
            sum += Double.exp(logChoose(throwsCount, count) - Double(throwsCount) * Double.log(2))
        }
        return min(1, sum)
    }

    private static func logChoose(_ all: Int, _ some: Int) -> Double {
        Double.logGamma(Double(all + 1)) - Double.logGamma(Double(some + 1))
            - Double.logGamma(Double(all - some + 1))
    }

    /// The highest rate that is compatible with none among `count`, at 95 % (the rule of three).
    static func highestRate(withNoneAmong count: Int) -> Double {
        count == 0 ? 1 : min(1, 3 / Double(count))
    }
}
