// A part of a session's sessions, for one of several machines: no machine asks another one what it
// is to send, and together they send each session once.

/// One of several parts of all sessions.
public struct Shard: Sendable, Equatable {
    /// Which part, from 1.
    public let index: Int
    /// How many parts there are.
    public let count: Int

    /// The most parts that there can be.
    public static let mostParts = 100_000

    /// Makes a shard; nil unless 1 <= `index` <= `count` <= ``mostParts``.
    public init?(index: Int, count: Int) {
        guard count >= 1, count <= Self.mostParts, index >= 1, index <= count else { return nil }
        self.index = index
        self.count = count
    }

    /// Reads `I/N`; nil where it is not that, or no shard.
    public init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2,
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { $0 &- 0x30 < 10 } }),
            let index = Int(parts[0]), let count = Int(parts[1])
        else { return nil }
        self.init(index: index, count: count)
    }

    /// `I/N`.
    public var text: String { "\(index)/\(count)" }

    /// Whether the session whose first exchange is this one belongs to the shard.
    ///
    /// The number is multiplied by 2^64 over the golden ratio (Knuth, The Art of Computer
    /// Programming 6.4): a hash, so that it hangs on nothing but the number, and one that spreads
    /// numbers that follow each other as evenly as can be, so that shards are of one size.
    public func contains(session exchange: Int64) -> Bool {
        let spread = UInt64(bitPattern: exchange) &* 0x9E37_79B9_7F4A_7C15
        return Int(spread.multipliedFullWidth(by: UInt64(count)).high) == index - 1
    }

    /// The shard's part of a number of requests, such that the parts of all shards add up to it.
    public func part(of requests: Int) -> Int {
        requests / count + (index <= requests % count ? 1 : 0)
    }
}
