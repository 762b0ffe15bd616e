// Wilcoxon's signed ranks, exact: no normal approximation, whatever the number of rounds.

/// What signed ranks say of a sample of differences that is symmetric about its centre.
enum SignedRank {
    /// The chances that the sum of positive ranks is at most 0, 1, … `last`, where signs are fair coins.
    ///
    /// Ranks are whole numbers of any unit: with ties, halves. Each step halves what was there, so
    /// nothing overflows and small chances keep their digits. Sums beyond `last` never come back below
    /// it, so they are not followed.
    static func cumulative(ranks: [Int], upTo last: Int) -> [Double] {
        var all = [Double](repeating: 0, count: last + 1)
        all.withUnsafeMutableBufferPointer { chance in
            chance[0] = 1
            var most = 0
            for rank in ranks {
                most = min(most + rank, last)
                var sum = most
                while sum >= rank {
                    chance[sum] = (chance[sum] + chance[sum - rank]) / 2
                    sum -= 1
                }
                while sum >= 0 {
                    chance[sum] /= 2
                    sum -= 1
                }
            }
            var sum = 1
            while sum < chance.count {
                chance[sum] += chance[sum - 1]
                sum += 1
            }
        }
        return all
    }

    /// The chance of a sum of positive ranks as high as the sample's, where its centre is at most 0.
    ///
    /// One-sided and exact, with middle ranks for ties. Differences of 0 are left out (Wilcoxon's
    /// own way): they say nothing for either side. 1 where nothing is left.
    static func oneSidedP(_ differences: [Double]) -> Double {
        let signed = differences.filter { $0 != 0 }.sorted { abs($0) < abs($1) }
        guard !signed.isEmpty else { return 1 }
        var ranks: [Int] = []
        var start = 0
        while start < signed.count {
            var end = start
            while end < signed.count, abs(signed[end]) == abs(signed[start]) { end += 1 }
            // The mean of the ranks start+1...end, doubled.
            ranks += Array(repeating: start + 1 + end, count: end - start)
            start = end
        }
        // Without ties there are no halves.
        if ranks.allSatisfy({ $0.isMultiple(of: 2) }) { ranks = ranks.map { $0 / 2 } }
        let negative = zip(signed, ranks).reduce(0) { $1.0 < 0 ? $0 + $1.1 : $0 }
        // By symmetry: a high sum of positive ranks is a low sum of negative ones.
        return min(1, cumulative(ranks: ranks, upTo: negative)[negative])
    }

    /// How many Walsh averages are cut off at each end so that the interval of those that stay
    /// misses the centre with a chance of at most `misrate`, both sides together.
    ///
    /// nil where even the whole range misses it more often: `2^(1−n)`.
    static func margin(count: Int, misrate: Double) -> Int? {
        // The lower end is the k-th average, from 1, where P(sum <= k - 1) <= misrate / 2: below the
        // middle of all sums, at which the chance passes a half.
        let ranks = Array(1...max(1, count))
        let chance = cumulative(ranks: ranks, upTo: ranks.reduce(0, +) / 2)
        var cut = -1
        while cut + 1 < chance.count, chance[cut + 1] <= misrate / 2 { cut += 1 }
        return cut < 0 ? nil : cut
    }
}
