// Datagrams -> frames, those that came in fragments put together.

/// Takes datagrams as they come and gives the frames that they hold.
public struct FrameGatherer {
    /// What has come of a datagram that was sent in fragments, by connection.
    private var parts: [Int64: [UInt8]] = [:]

    /// Makes a gatherer that waits for nothing.
    public init() {}

    /// Calls `body` with each frame of a datagram.
    ///
    /// - Throws: ``FrameError`` where the datagram does not hold whole frames; what `body` throws.
    public mutating func take(
        _ datagram: UnsafeRawBufferPointer,
        _ body: (Frame) throws -> Void
    ) throws {
        guard datagram.first == FrameKind.fragment.rawValue else {
            return try Frame.decode(datagram) { frame in
                // Of a child that is gone nothing more comes.
                if case .childReaped(let connectionID, _, _, _, _, _, _) = frame, !parts.isEmpty {
                    parts[connectionID] = nil
                }
                try body(frame)
            }
        }
        var input = ByteScanner(datagram)
        _ = input.number(UInt8.self)
        let connectionID = input.number(Int64.self)
        let isLast = input.number(UInt8.self) == 1
        parts[connectionID, default: []].append(contentsOf: input.run())
        guard !input.isBroken, input.isAtEnd else { throw FrameError() }
        guard isLast, let whole = parts.removeValue(forKey: connectionID) else { return }
        try whole.withUnsafeBytes { try Frame.decode($0, body) }
    }
}
