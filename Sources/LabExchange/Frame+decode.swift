// The bytes of a datagram -> frames.

import LabWire

/// A datagram that does not hold whole frames: fork server and recorder are not of one build.
public struct FrameError: Error, CustomStringConvertible {
    /// Makes the error.
    public init() {}

    /// A sentence.
    public var description: String {
        "The fork server sent something that is no frame. 'lab' and 'lab-forkserver' must be of the same build."
    }
}

extension Frame {
    /// Calls `body` with each frame of a datagram.
    ///
    /// - Throws: ``FrameError`` where the datagram does not hold whole frames; what `body` throws.
    static func decode(
        _ datagram: UnsafeRawBufferPointer,
        _ body: (Frame) throws -> Void
    ) throws {
        var input = ByteScanner(datagram)
        while !input.isAtEnd {
            let frame = try Frame(&input)
            guard !input.isBroken else { throw FrameError() }
            try body(frame)
        }
    }

    fileprivate init(_ input: inout ByteScanner) throws {
        guard let kind = FrameKind(rawValue: input.number()) else { throw FrameError() }
        switch kind {
        case .childForked:
            self = .childForked(
                origin: input.origin(),
                pid: input.number(),
                parentPID: input.number(),
                forkedNs: input.number()
            )
        case .childStarted:
            self = .childStarted(
                origin: input.origin(),
                pid: input.number(),
                parentPID: input.number(),
                startedNs: input.number(),
                baselineRSSKiB: input.number()
            )
        case .requestHead:
            self = .requestHead(
                connectionID: input.number(),
                sequence: input.number(),
                startedNs: input.number(),
                headNs: input.number(),
                method: input.byteArray(),
                target: input.byteArray(),
                minorVersion: input.number(),
                head: input.byteArray(),
                environ: input.environ(),
                deviations: input.deviations()
            )
        case .requestContent:
            self = .requestContent(
                connectionID: input.number(),
                sequence: input.number(),
                bytes: input.byteArray()
            )
        case .requestEnd:
            self = .requestEnd(
                connectionID: input.number(),
                sequence: input.number(),
                endedNs: input.number()
            )
        case .environ:
            self = .environ(
                connectionID: input.number(),
                sequence: input.number(),
                environ: input.environ()
            )
        case .applicationErrors:
            self = .applicationErrors(
                connectionID: input.number(),
                sequence: input.number(),
                bytes: input.byteArray()
            )
        case .upstreamConnected:
            self = .upstreamConnected(
                connectionID: input.number(),
                sequence: input.number(),
                atNs: input.number()
            )
        case .responseHead:
            self = .responseHead(
                connectionID: input.number(),
                sequence: input.number(),
                startedNs: input.number(),
                status: input.number(),
                reason: input.byteArray(),
                head: input.byteArray()
            )
        case .responseContent:
            self = .responseContent(
                connectionID: input.number(),
                sequence: input.number(),
                bytes: input.byteArray()
            )
        case .exchangePart:
            self = .exchangePart(
                connectionID: input.number(),
                sequence: input.number(),
                part: input.stored(),
                bytes: input.byteArray()
            )
        case .exchangeEnd:
            self = .exchangeEnd(
                connectionID: input.number(),
                sequence: input.number(),
                endedNs: input.number(),
                outcome: input.stored(),
                error: input.text(),
                userCPUUs: input.number(),
                systemCPUUs: input.number(),
                deviations: input.deviations(),
                responseDeviations: input.deviations()
            )
        case .childEnding:
            self = .childEnding(
                connectionID: input.number(),
                closedNs: input.number(),
                exitingNs: input.number()
            )
        case .childReaped:
            self = .childReaped(
                connectionID: input.number(),
                pid: input.number(),
                waitStatus: input.number(),
                sigchldNs: input.number(),
                reapedNs: input.number(),
                usage: input.usage(),
                fate: input.stored()
            )
        case .connectionOpened:
            self = .connectionOpened(origin: input.origin(), pid: input.number())
        case .connectionClosed:
            self = .connectionClosed(connectionID: input.number(), closedNs: input.number())
        case .fragment: throw FrameError()
        case .serverEvent:
            self = .serverEvent(
                kind: input.stored(),
                atNs: input.number(),
                pid: input.number(),
                detail: input.byteArray()
            )
        }
    }
}

extension ByteScanner {
    fileprivate mutating func origin() -> ConnectionOrigin {
        ConnectionOrigin(
            connectionID: number(),
            peerAddress: byteArray(),
            peerPort: number(),
            arrivedNs: number(),
            acceptedNs: number(),
            forkStartedNs: number()
        )
    }

    fileprivate mutating func stored<Value: FrameCode>() -> Value {
        let all = Value.allCases
        let code = Int(number(UInt8.self))
        return all[min(code, all.count - 1)]
    }

    fileprivate mutating func deviations() -> [Deviation] {
        let count = Int(number(UInt16.self))
        var found: [Deviation] = []
        for _ in 0..<count where !isBroken {
            let rule: WireRule = stored()
            found.append(Deviation(rule, at: Int(number(UInt64.self))))
        }
        return found
    }

    fileprivate mutating func environ() -> Environ {
        var environ = Environ()
        let count = Int(number(UInt32.self))
        for _ in 0..<count where !isBroken {
            let type = Environ.ValueType(rawValue: number()) ?? .string
            let name = run()
            environ.add(name: name, value: run(), as: type)
        }
        return environ
    }

    fileprivate mutating func usage() -> ResourceUsage {
        var usage = ResourceUsage()
        usage.userCPUUs = number()
        usage.systemCPUUs = number()
        usage.maxRSSKiB = number()
        usage.minorFaults = number()
        usage.majorFaults = number()
        usage.voluntarySwitches = number()
        usage.involuntarySwitches = number()
        return usage
    }
}
