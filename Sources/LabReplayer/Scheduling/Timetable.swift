// When each request is due, worked out before the first one is sent. Pure: captured times and the
// shape of the load go in, times from the start of a pass come out.

/// Fills in when sessions start and when their requests are due.
struct Timetable {
    /// The shortest pass: a session of one instant, taken again and again, must not stand still.
    private static let shortestPassNs: Int64 = 1_000_000

    private let shape: LoadShape
    /// The session that was filled in last, as far as a clock says when sessions start: when it was
    /// captured, and when it starts.
    private var before: (capturedNs: Int64, startNs: Int64)?
    private var passNs = Self.shortestPassNs

    init(_ shape: LoadShape) { self.shape = shape }

    /// Fills in `steps` and `sessions`, which follow those that were filled in before.
    ///
    /// - Parameters:
    ///   - steps: All steps, session after session.
    ///   - sessions: All sessions.
    ///   - moment: When the request of a step was captured.
    /// - Returns: How long a pass takes that ends with them, nanoseconds; 0 where that is not known
    ///   beforehand.
    mutating func fill(
        _ steps: UnsafeMutableBufferPointer<Step>,
        _ sessions: inout [PlannedSession],
        _ moment: (Step) -> SessionDraft.Moment
    ) -> Int64 {
        switch shape.pace {
        case .asap: return 0
        case .think:
            for session in sessions {
                for step in session.first..<session.end where step > session.first {
                    let gap = moment(steps[step]).startedNs - moment(steps[step - 1]).endedNs
                    steps[step].offsetNs = shape.paced(gap)
                }
            }
            return 0
        case .recorded: return follow(steps, &sessions, moment)
        }
    }

    /// As captured: each gap is divided and capped by itself, so that a long one delays all that
    /// comes after it no more than it may.
    private mutating func follow(
        _ steps: UnsafeMutableBufferPointer<Step>,
        _ sessions: inout [PlannedSession],
        _ moment: (Step) -> SessionDraft.Moment
    ) -> Int64 {
        for place in sessions.indices {
            let session = sessions[place]
            let capturedNs = moment(steps[session.first]).startedNs
            if let before {
                sessions[place].startNs = sum(
                    before.startNs,
                    shape.paced(capturedNs - before.capturedNs)
                )
            } else if let span = shape.span {
                sessions[place].startNs = shape.paced(capturedNs - span.lowerBound)
                passNs = max(passNs, shape.paced(span.upperBound - span.lowerBound))
            }
            // One that is out of order by a moment starts at once, and moves none of those after it.
            before = (max(capturedNs, before?.capturedNs ?? capturedNs), sessions[place].startNs)
            for step in session.first..<session.end where step > session.first {
                let gap = moment(steps[step]).startedNs - moment(steps[step - 1]).startedNs
                steps[step].offsetNs = sum(steps[step - 1].offsetNs, shape.paced(gap))
            }
            let last = moment(steps[session.end - 1])
            let endNs = sum(
                sum(sessions[place].startNs, steps[session.end - 1].offsetNs),
                shape.paced(last.endedNs - last.startedNs)
            )
            passNs = max(passNs, endNs)
        }
        return passNs
    }

    /// Half of what fits, so that an instant of now can be added: who slows a day down a million times
    /// waits for ever, and does no harm.
    private func sum(_ one: Int64, _ two: Int64) -> Int64 {
        // Neither is below 0.
        two > Int64.max / 2 - one ? Int64.max / 2 : one + two
    }
}
