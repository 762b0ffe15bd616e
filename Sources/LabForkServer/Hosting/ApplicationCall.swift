// One request as an application meets it: what it is told, what it reads, what it answers, how it fails.

import CLabLinux
package import LabExchange
package import LabWire

/// One request to an application, and the answer.
///
/// What the application does is told as it happens; the order in which its methods are called is the
/// order on record.
package final class ApplicationCall {
    /// What reading content gave.
    package enum ContentRead {
        /// At least one byte.
        case bytes(ArraySlice<UInt8>)
        /// The content was read to its end.
        case end
        /// Its end will not come: a sentence says why. The client is answered for that, whatever the
        /// application does, unless its answer has begun.
        case broken(String)
    }

    /// The request.
    package let head: RequestHead
    /// Where it came from.
    package let origin: ConnectionOrigin
    /// What builds environs.
    package let environs: EnvironBuilder
    /// What the application is told.
    package private(set) var environ: Environ
    let client: ClientConnection
    private let answerer: Answerer
    /// Whether the client is shown why the application failed.
    private let showsErrors: Bool
    /// Whether the server itself serves, and this process is the server's.
    private let isServers: Bool
    private(set) var record: ExchangeRecord
    /// What it writes to its error stream goes by this copy: another thread of the application may
    /// write there while this one waits in one of the methods here.
    private let voice: ExchangeRecord
    private var content: RequestContent
    private var answer: ApplicationAnswer
    /// What was read of the content and not yet taken.
    private var leftover: ArraySlice<UInt8> = []
    /// What the application did wrong, the first of it.
    private(set) var trouble: String?
    /// The status of a program that failed by itself, as a shell has it: its exit code, or 128 and the
    /// number of the signal that ended it.
    private(set) var programStatus: Int32?
    /// Why the server answered in the application's place, though nothing had failed.
    private var refusal: String?
    /// The error stream, for a client that is shown it.
    private var errors: [UInt8] = []

    init(
        _ head: RequestHead,
        from origin: ConnectionOrigin,
        client: ClientConnection,
        environs: EnvironBuilder,
        environ: Environ,
        answerer: Answerer,
        settings: ForkServerSettings,
        record: ExchangeRecord
    ) {
        self.head = head
        self.origin = origin
        self.client = client
        self.environs = environs
        self.environ = environ
        self.answerer = answerer
        self.record = record
        voice = record
        showsErrors = settings.showsErrors
        isServers = settings.isSerial
        content = RequestContent(client: client, head: head, timeoutNs: settings.idleTimeoutNs)
        answer = ApplicationAnswer(client: client, request: head, answerer: answerer)
    }

    // MARK: What it is told, and what it says

    /// The environ as the application sees it, where it is not the one that was told with the head.
    package func tell(_ environ: Environ) {
        guard environ != self.environ else { return }
        self.environ = environ
        record.environ(environ)
    }

    /// A rule that the request bent.
    func note(_ deviation: Deviation) { record.note(deviation) }

    /// Has all that was told so far on record: before what may end this process or make it wait.
    package func flush() { voice.flush() }

    /// The application wrote to its error stream.
    package func write(errors run: ArraySlice<UInt8>) {
        voice.applicationErrors(run)
        if showsErrors { errors += run.prefix(64 << 10 - errors.count) }
    }

    // MARK: The content

    /// Reads up to `most` bytes of the content, from 1; waits until there is one, or the end.
    ///
    /// A client that waits for `100 Continue` gets it at the first call.
    package func read(atMost most: Int) -> ContentRead {
        while leftover.isEmpty {
            switch content.next(&record) {
            case .bytes(let run): leftover = run
            case .end: return .end
            case .broken: return .broken(content.fault?.sentence ?? "")
            case .needsBytes:
                content.ask(stallNs: answerer.stallNs)
                content.wait()
            }
        }
        let piece = leftover.prefix(most)
        leftover = leftover.dropFirst(piece.count)
        return .bytes(piece)
    }

    /// What has come of the content, without waiting.
    func nextContent() -> RequestContent.Portion { content.next(&record) }

    /// Has the client send the content, where it waits to be asked.
    func askForContent() { content.ask(stallNs: answerer.stallNs) }

    /// Takes what has come from the client into the content.
    func receiveContent() { _ = content.receive(deadline: 0) }

    /// The content did not come in time.
    func contentTimedOut() { content.timeOut() }

    /// Why the content has no end.
    var contentFault: RequestContent.Fault? { content.fault }

    // MARK: The answer

    /// Whether the head was sent, and nothing else can be answered any more.
    package var hasBegun: Bool { answer.hasBegun }

    /// Whether the answer is at its end.
    package var isOver: Bool { answer.isOver }

    /// Whether content is sent at all: not of a HEAD's answer, nor after the end.
    package var takesContent: Bool { answer.takesContent }

    /// Whether more content was given than was announced.
    package var hasSurplus: Bool { answer.surplus > 0 }

    /// In a process that the application forked: the connection and the record are its parent's, and so are
    /// the handlers of signals where the parent is the server.
    ///
    /// - Returns: Whether handlers were given up.
    package func letGo() -> Bool {
        voice.letGo()
        client.close(lingering: false)
        if isServers { clab_signals_reset() }
        return isServers
    }

    /// Whether the client is gone, so that nothing more can be sent.
    package var isUnsent: Bool { answer.isUnsent }

    /// The status and the fields; they are sent with the first block, and can be replaced until then.
    package func begin(_ head: AnswerHead) { answer.begin(head) }

    /// Sends a block of content, which may be empty, and the head before the first.
    ///
    /// - Returns: Whether the client is still there.
    @discardableResult
    package func send(_ block: ArraySlice<UInt8>) -> Bool {
        guard !answersFault() else { return false }
        closeIfUnasked()
        answer.send(block, &record)
        return !answer.isUnsent
    }

    /// Sends the last block and ends the answer.
    ///
    /// Where it is also the first, its length is told.
    package func finish(_ last: ArraySlice<UInt8> = []) {
        guard !answer.isOver, !answersFault() else { return }
        guard answer.head != nil || answer.hasBegun else {
            return fail("the application left without an answer")
        }
        let missing = answer.missing(after: last.count)
        if missing > 0 {
            let why = "the application gave \(missing) bytes less than it had announced"
            if answer.hasBegun { answer.send(last, &record) }
            return fail(why)
        }
        closeIfUnasked()
        answer.finish(last, &record)
        if answer.surplus > 0 {
            blame("the application gave \(answer.surplus) bytes more than it had announced")
        }
    }

    /// The application failed: 500 while nothing was sent, else the answer breaks off.
    package func fail(_ why: String, status: Int = 500) {
        guard !answer.isOver else { return blame(why) }
        blame(why)
        closeIfUnasked()
        if answer.hasBegun { return answer.breakOff() }
        if let fault = content.fault {
            answerer.mustClose = true
            guard let response = fault.response else { return answer.breakOff() }
            return answer.replace(with: response, &record)
        }
        var text = Array("lab: the application failed.\n".utf8)
        if showsErrors { text = Array("lab: \(why).\n\n".utf8) + errors }
        let response = Response(
            status,
            type: "text/plain; charset=utf-8",
            content: .bytes(text)
        )
        answer.replace(with: response, &record)
    }

    /// The application did something wrong, but its answer stands.
    package func blame(_ why: String) { if trouble == nil { trouble = why } }

    /// A program that the request had run has failed.
    func programFailed(_ status: Int32) { programStatus = status }

    /// The server answers in the application's place: there is none for this request.
    func refuse(_ status: Int, _ why: String) {
        refusal = why
        closeIfUnasked()
        answer.replace(with: Response(status, "lab: \(why).\n"), &record)
    }

    /// The client left while the application was at work.
    func clientLeft() { answer.loseClient() }

    /// The application sends a response of its own making; the end of the connection is its end.
    func beginUnframed(status: Int, reason: ArraySlice<UInt8>, head: ArraySlice<UInt8>) {
        answer.beginUnframed(status: status, reason: reason, head: head, &record)
    }

    /// Bytes of such a response; false where the client is gone.
    @discardableResult
    func sendUnframed(_ bytes: ArraySlice<UInt8>) -> Bool {
        answer.sendUnframed(bytes, &record)
        return !answer.isUnsent
    }

    /// Whether the client is answered for its content, and not by the application.
    private func answersFault() -> Bool {
        guard let fault = content.fault, !answer.hasBegun, !answer.isOver else { return false }
        fail(fault.sentence)
        return true
    }

    private func closeIfUnasked() {
        if !answer.hasBegun, content.isUnasked { answerer.mustClose = true }
    }

    // MARK: The end

    /// What came of it, once the application has returned.
    func end() -> ExchangeEnding {
        if !answer.isOver { finish() }
        if answer.isUnsent { return .unsent(to: client, stallNs: answerer.stallNs) }
        // Of what has no content nothing is left to read, though nobody looked; nobody lingers for that.
        let isEmpty = head.framing == .none || head.framing == .length(0)
        if !answerer.closes || isEmpty { content.discard(&record) }
        let goesOn = !answerer.closes && content.isAtEnd
        if let fault = content.fault {
            return ExchangeEnding(
                fault.outcome,
                error: fault.sentence,
                goesOn: false,
                mustLinger: true
            )
        }
        return ExchangeEnding(
            trouble == nil ? .ok : .appError,
            error: trouble ?? refusal ?? "",
            goesOn: goesOn,
            mustLinger: !content.isAtEnd
        )
    }
}
