// A draft -> the steps of its sessions: which there are, in which order, and on which connections.

extension SessionTable {
    /// The sessions in the order of their first requests, and each one's in captured order.
    func addSteps(_ draft: SessionDraft) -> [PlannedSession] {
        let moments = draft.moments
        let sessionOf = draft.chains.sessions()
        var startNs = [Int64](repeating: .max, count: sessionOf.count)
        for moment in moments {
            let session = sessionOf[draft.place(of: moment)]
            startNs[session] = min(startNs[session], moment.startedNs)
        }
        func rank(_ place: Int32) -> (Int64, Int, Int64, Int32) {
            let moment = moments[Int(place)]
            let session = sessionOf[draft.place(of: moment)]
            return (startNs[session], session, moment.startedNs, place)
        }
        var order = Array(0..<Int32(moments.count))
        // A session that is in order already, as most are, is not sorted: a million take a second.
        if !order.dropFirst().allSatisfy({ rank($0 - 1) < rank($0) }) {
            order.sort { rank($0) < rank($1) }
        }
        var made: [PlannedSession] = []
        var last: Int?
        for place in order {
            let moment = moments[Int(place)]
            let session = sessionOf[draft.place(of: moment)]
            if session != last {
                made.append(PlannedSession(first: steps.count, end: steps.count))
            }
            last = session
            steps.append(
                Step(
                    request: Int32(draft.requestsBefore) + place,
                    connection: moment.connection,
                    route: moment.route,
                    keepsConnection: settings.connections != .perRequest
                )
            )
            made[made.count - 1].end = steps.count
        }
        return made
    }

    /// Leaves the sessions of a shard, at the times that they have among all.
    func keepShard(
        of made: inout [PlannedSession],
        from firstStep: Int,
        _ draft: SessionDraft
    ) {
        var kept: [PlannedSession] = []
        var end = firstStep
        for var session in made where isKept(session, draft) {
            let all = session.first..<session.end
            for step in all { steps[end + step - all.lowerBound] = steps[step] }
            session.first = end
            end += all.count
            session.end = end
            kept.append(session)
        }
        made = kept
        steps.removeAll(from: end)
    }

    /// Says after which steps a connection is closed.
    func markLastUses(
        of made: [PlannedSession],
        from firstStep: Int,
        _ draft: SessionDraft
    ) {
        switch settings.connections {
        case .captured:
            var isSeen = [Bool](repeating: false, count: draft.chains.connectionCount)
            for step in (firstStep..<steps.count).reversed() {
                let place = draft.place(of: draft.moment(of: steps[step]))
                steps[step].keepsConnection = isSeen[place]
                isSeen[place] = true
            }
        case .session:
            for session in made { steps[session.end - 1].keepsConnection = false }
        case .shared, .perRequest: break
        }
    }

    /// Whether a session is sent here, and not by another shard.
    func isKept(_ session: PlannedSession, _ draft: SessionDraft) -> Bool {
        guard let shard = settings.shard else { return true }
        // The exchange of the lowest number, for times of capture may be equal.
        let name = (session.first..<session.end).map { draft.moment(of: steps[$0]).exchangeID }
            .min()
        return name.map { shard.contains(session: $0) } ?? false
    }
}
