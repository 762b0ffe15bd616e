// Which elements of two sequences stay, by their hashes: what lies between is what changed.

/// A stretch that differs: elements of the one against elements of the other, either may be empty.
struct SequenceGap: Equatable {
    var before: Range<Int>
    var after: Range<Int>
}

/// Aligns sequences by their longest common subsequence.
enum SequenceAlignment {
    /// The largest table that is filled, in cells; beyond it, all between the common beginning and
    /// the common end is one gap.
    static let mostCells = 1_000_000

    /// The stretches that differ, in order.
    static func gaps(_ before: [UInt64], _ after: [UInt64]) -> [SequenceGap] {
        var start = 0
        while start < before.count, start < after.count, before[start] == after[start] {
            start += 1
        }
        var (endBefore, endAfter) = (before.count, after.count)
        while endBefore > start, endAfter > start, before[endBefore - 1] == after[endAfter - 1] {
            endBefore -= 1
            endAfter -= 1
        }
        let (rows, columns) = (endBefore - start, endAfter - start)
        if rows == 0, columns == 0 { return [] }
        guard rows > 0, columns > 0, rows <= mostCells / columns else {
            return [SequenceGap(before: start..<endBefore, after: start..<endAfter)]
        }
        let common = common(before[start..<endBefore], after[start..<endAfter])
        var gaps: [SequenceGap] = []
        var (lastBefore, lastAfter) = (start, start)
        for (first, second) in common + [(endBefore, endAfter)] {
            if first > lastBefore || second > lastAfter {
                gaps.append(SequenceGap(before: lastBefore..<first, after: lastAfter..<second))
            }
            (lastBefore, lastAfter) = (first + 1, second + 1)
        }
        return gaps
    }

    /// The places of a longest common subsequence.
    private static func common(
        _ before: ArraySlice<UInt64>,
        _ after: ArraySlice<UInt64>
    ) -> [(Int, Int)] {
        let width = after.count + 1
        var lengths = [Int32](repeating: 0, count: (before.count + 1) * width)
        for row in stride(from: before.count - 1, through: 0, by: -1) {
            for column in stride(from: after.count - 1, through: 0, by: -1) {
                let isEqual =
                    before[before.startIndex + row] == after[after.startIndex + column]
                lengths[row * width + column] =
                    isEqual
                    ? lengths[(row + 1) * width + column + 1] + 1
                    : max(
                        lengths[(row + 1) * width + column],
                        lengths[row * width + column + 1]
                    )
            }
        }
        var found: [(Int, Int)] = []
        var (row, column) = (0, 0)
        while row < before.count, column < after.count {
            if before[before.startIndex + row] == after[after.startIndex + column] {
                found.append((before.startIndex + row, after.startIndex + column))
                row += 1
                column += 1
            } else if lengths[(row + 1) * width + column] >= lengths[row * width + column + 1] {
                row += 1
            } else {
                column += 1
            }
        }
        return found
    }
}
