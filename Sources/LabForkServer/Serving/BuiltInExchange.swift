// A request that the built-in application answers: its content read, then its answer sent.

import CLabLinux
import LabExchange
import LabWire

/// Answers one request by the built-in application.
struct BuiltInExchange {
    let client: ClientConnection
    let head: RequestHead
    let environ: Environ
    let answerer: Answerer
    /// How long the content may pause; ns.
    let timeoutNs: Int64

    /// Reads the whole content first, so that a framing fault is always answered 4xx.
    func run(_ record: inout ExchangeRecord) -> ExchangeEnding {
        let application = BuiltInApplication(
            descriptors: [client.descriptor, ForkServerSettings.frames])
        var kept: [UInt8] = []
        let keeps = BuiltInApplication.echoes(environ["PATH_INFO"] ?? [])
        if keeps, case .length(let length) = head.framing,
            length > BuiltInApplication.mostEchoBytes
        {
            return refuseAsTooLarge(&record)
        }
        if head.expectsContinue, !client.reader.hasUnread, head.framing != .none {
            client.sendContinue(stallNs: answerer.stallNs)
        }
        reading: while true {
            switch client.reader.next() {
            case .content(let content):
                record.requestContent(content)
                guard keeps else { continue }
                guard kept.count + content.count <= BuiltInApplication.mostEchoBytes else {
                    return refuseAsTooLarge(&record)
                }
                kept.append(contentsOf: content)
            case .end: break reading
            case .refused(let deviation): return refuse(deviation, &record)
            case .closed, .head: break reading
            case .needsBytes:
                let deadline = clab_monotonic_ns() + timeoutNs
                switch client.receive(deadline: deadline, endsAtDrain: false) {
                case .bytes, .ended, .draining: continue
                case .reset:
                    return ExchangeEnding(
                        .clientClosed,
                        error: "the client reset the connection inside its request",
                        goesOn: false
                    )
                case .timedOut:
                    answerer.mustClose = true
                    _ = answerer.answer(
                        Response(408, "The content did not come in time.\n"),
                        &record
                    )
                    return ExchangeEnding(
                        .truncated,
                        error:
                            "timeout: the request's content did not come for \(durationText(timeoutNs))",
                        goesOn: false,
                        mustLinger: true
                    )
                }
            }
        }
        record.requestEnd()
        // Only what may end or stop this process needs to be told before it; the rest goes with the answer.
        if BuiltInApplication.isDangerous(environ["PATH_INFO"] ?? []) { record.flush() }
        let sent = answerer.answer(application.answer(head, environ, content: kept), &record)
        guard sent else { return .unsent(to: client, stallNs: answerer.stallNs) }
        return ExchangeEnding(.ok, goesOn: !answerer.closes)
    }

    /// Says so as soon as it is known: before the content is asked for, if its length is told.
    private func refuseAsTooLarge(_ record: inout ExchangeRecord) -> ExchangeEnding {
        answerer.mustClose = true
        let sent = answerer.answer(Response(413, "/echo takes up to 64 MiB.\n"), &record)
        return ExchangeEnding(sent ? .ok : .clientClosed, goesOn: false, mustLinger: true)
    }

    private func refuse(
        _ deviation: Deviation,
        _ record: inout ExchangeRecord
    ) -> ExchangeEnding {
        record.note(deviation)
        answerer.mustClose = true
        _ = answerer.answer(
            Response(deviation.rule.status, deviation.sentence + ".\n"),
            &record
        )
        return ExchangeEnding(
            deviation.rule == .bodyTruncated ? .truncated : .badRequest,
            error: deviation.sentence,
            goesOn: false,
            mustLinger: true
        )
    }
}
