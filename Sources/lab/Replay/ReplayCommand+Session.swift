// What is read before a replay: the exchanges, and where and how they are sent.

import ArgumentParser
import LabExchange
import LabReplayer
import LabSession
import LabWire

extension ReplayCommand {
    func isForwarded(_ exchange: CapturedExchange) -> Bool {
        guard let head = try? RequestHead(parsing: exchange.requestHead),
            case .absolute = head.form
        else { return false }
        return true
    }

    /// What is captured, run by run, without what `--filter` leaves out.
    ///
    /// - Throws: ``Failure`` where `--filter` is no condition, or true of nothing; where a request was
    ///   forwarded to a host that its target names, and no `--target` says where all are to go.
    func captured(
        _ reader: SessionReader,
        withAnswerHeads heads: Bool
    ) throws -> () throws -> [CapturedExchange]? {
        var readsHeads = heads || checking.matching.parts.contains(.headers)
        if case .cookie = sessions.sessions { readsHeads = true }
        let wanted = try filter.map { try self.wanted(by: $0, reader) }
        let source = try CapturedReader(reader, withAnswerHeads: readsHeads)
        return {
            while let all = try source.next() {
                let some = wanted.map { wanted in all.filter { wanted.contains($0.id) } } ?? all
                // What was captured by a forward proxy went to the hosts that its targets name.
                if target == nil, watching.spawn == nil, some.contains(where: { isForwarded($0) }) {
                    throw Failure(
                        "Cannot tell where to replay '\(session)': some of its requests were forwarded "
                            + "to other hosts. Say where all are to go with --target."
                    )
                }
                if !some.isEmpty { return some }
            }
            return nil
        }
    }

    private func wanted(by filter: String, _ reader: SessionReader) throws -> Set<Int64> {
        var wanted: Set<Int64> = []
        do {
            try reader.forEachExchange(where: filter) { wanted.insert($0.id) }
        } catch let error as ExpressionError {
            throw Failure(error.description, code: ExitCode.validationFailure.rawValue)
        }
        guard !wanted.isEmpty else {
            throw Failure("'\(session)' holds no exchange of which '\(filter)' is true.")
        }
        return wanted
    }

    func replaySettings(
        _ recordings: [Recording],
        _ shard: Shard?
    ) throws -> ReplaySettings {
        let recording = recordings.last
        let place: Authority
        if let started = try watching.place() {
            place = started
        } else if let target {
            place = try authority(ofURL: target, option: "--target")
        } else if let upstream = recording?.upstream {
            place = try authority(ofURL: upstream, option: "the recorded upstream")
        } else if let recording {
            place = Authority(host: recording.host, port: recording.port)
        } else {
            throw Failure("The session does not say where it was recorded. Give --target.")
        }
        var settings = ReplaySettings(
            target: place,
            addresses: try ReplaySettings.resolve(place),
            // What a proxy's upstream got had no hop-by-hop fields; the built-in server saw them.
            keepsHopByHop: recording?.upstream == nil
        )
        settings.concurrency = concurrency ?? 10
        pacing.apply(to: &settings)
        settings.shard = shard
        // Sessions of one rate are shared; at a rate of requests each has its time among all.
        if let shard, settings.shape.rate?.unit == .sessions {
            settings.shape.rate?.perSecond /= Double(shard.count)
            settings.shape.rate?.seed &+= UInt64(shard.index)
        }
        // A bound that was asked for is the whole replay's; the default is about this process's files.
        if let shard, let most = pacing.maxInFlight {
            settings.shape.maxInFlight = max(1, shard.part(of: most))
        }
        settings.sessions = sessions.sessions
        settings.loops = sessions.loop
        // A load that is repeated in a closed loop measures requests and not handshakes.
        let isLoad = !settings.shape.isOpen && settings.shape.pace == .asap
        settings.connections =
            sessions.connections
            ?? (isLoad && (requests != nil || duration != nil) ? .shared : .captured)
        settings.threads = threads
        settings.requests = requests.map { shard?.part(of: $0) ?? $0 }
        settings.durationNs = duration?.nanoseconds
        settings.timeoutNs = timeout.nanoseconds
        settings.connectTimeoutNs = connectTimeout.nanoseconds
        settings.changes = sending.changes
        settings.matching = checking.matching
        settings.keeping = checking.store
        settings.mostBodyBytes = checking.maxStoredBody.bytes
        return settings
    }
}
