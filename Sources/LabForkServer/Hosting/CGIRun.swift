// One run of a CGI program, from its start to its end: content goes in while an answer comes out.

import CLabLinux
import Glibc
import LabExchange
import LabWire

/// A CGI program that runs.
struct CGIRun {
    /// Why it is ended before it has ended itself.
    private enum Stop {
        case failure(String, status: Int)
        case clientLeft
    }

    /// How long a program may go on after it has printed all, before the answer ends without it; ns.
    private static let lingerNs: Int64 = 50_000_000

    private let call: ApplicationCall
    private var program: CGIProgram
    private let contentTimeoutNs: Int64
    private let programTimeoutNs: Int64
    private var stop: Stop?
    /// Content that the program has not taken yet.
    private var pending: ArraySlice<UInt8> = []
    private var wantsContent = false
    private var clientHasEnded = false
    /// What was printed of the header section.
    private var section: [UInt8] = []
    private var hasHead = false
    private var location: [UInt8]?

    /// Makes a run of a program that was started.
    init(_ program: CGIProgram, for call: ApplicationCall, _ settings: ForkServerSettings) {
        self.program = program
        self.call = call
        contentTimeoutNs = settings.idleTimeoutNs
        programTimeoutNs = settings.upstreamTimeoutNs
    }

    // MARK: The run

    /// Answers the call by what the program prints, until it has ended.
    ///
    /// - Returns: Where the request goes on; nil where it was answered, or has failed.
    mutating func serve() -> [UInt8]? {
        if program.input >= 0 { call.askForContent() }
        while program.status == nil, stop == nil { step() }
        if program.status == nil { program.terminate() }
        // What it said before its end. No pipe holds more than a mebibyte; what comes beyond is of a process
        // that it left behind, and that may never end.
        readErrors()
        for _ in 0..<32 where readOutput() {}
        program.close()
        return conclude()
    }

    private mutating func step() {
        feed()
        guard stop == nil else { return }
        call.flush()
        let hasPending = !pending.isEmpty
        var polls = [
            clab_poll(fd: program.output, events: Int16(CLAB_IN), revents: 0),
            clab_poll(fd: program.errors, events: Int16(CLAB_IN), revents: 0),
            clab_poll(fd: hasPending ? program.input : -1, events: Int16(CLAB_OUT), revents: 0),
            clab_poll(fd: program.end, events: Int16(CLAB_IN), revents: 0),
            clab_poll(
                fd: call.client.descriptor,
                events: wantsContent ? Int16(CLAB_IN) : clientHasEnded ? 0 : Int16(CLAB_RDHUP),
                revents: 0
            ),
        ]
        if program.end < 0, program.output < 0, program.errors < 0 {
            return program.reap(waits: true)
        }
        let patience = program.output < 0 && !call.isOver ? Self.lingerNs : programTimeoutNs
        let ready = clab_poll(
            &polls,
            Int32(polls.count),
            wantsContent ? contentTimeoutNs : patience
        )
        if ready == 0 { return waitedTooLong() }
        if polls[1].revents != 0 { readErrors() }
        if polls[0].revents != 0 { _ = readOutput() }
        if polls[3].revents != 0 { program.reap() }
        if polls[4].revents != 0 { look(atClient: Int32(polls[4].revents)) }
    }

    private mutating func waitedTooLong() {
        if wantsContent {
            call.contentTimedOut()
            stop = .failure(call.contentFault?.sentence ?? "", status: 408)
        } else if program.output < 0, !call.isOver, hasHead, location == nil {
            // It goes on without an answer to give: the client need not wait for that.
            call.finish()
        } else {
            let time = durationText(programTimeoutNs)
            stop = .failure(
                program.output < 0
                    ? "\(program.name) did not end within \(time) of its answer"
                    : "\(program.name) was silent for \(time)",
                status: 504
            )
        }
    }

    private mutating func look(atClient events: Int32) {
        if wantsContent {
            call.receiveContent()
        } else if events & Int32(CLAB_ERR | CLAB_HUP) != 0 {
            stop = .clientLeft
        } else {
            // It has closed, or only its sending side. An interim response, which every HTTP/1.1 client has
            // to pass over (RFC 9110 15.2), finds out: of a closed one the system answers with a reset.
            clientHasEnded = true
            if !call.hasBegun, call.head.minorVersion >= 1 {
                call.client.sendContinue(stallNs: 0)
            }
        }
    }

    // MARK: Content to the program

    private mutating func feed() {
        wantsContent = false
        while program.input >= 0 {
            if pending.isEmpty {
                switch call.nextContent() {
                case .bytes(let run): pending = run
                case .end: return closeInput()
                case .needsBytes:
                    wantsContent = true
                    return
                case .broken:
                    stop = .failure(call.contentFault?.sentence ?? "", status: 400)
                    return
                }
            }
            let count = pending.withUnsafeBytes { write(program.input, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { return }
            // It reads no more, and may answer all the same.
            guard count > 0 else { return closeInput() }
            pending = pending.dropFirst(count)
        }
    }

    private mutating func closeInput() {
        Glibc.close(program.input)
        program.input = -1
        pending = []
    }

    // MARK: Output and errors of the program

    private mutating func readErrors() {
        var room = [UInt8](repeating: 0, count: 16 << 10)
        // Bounded, for a program may write without end while nobody reads its output.
        for _ in 0..<16 where program.errors >= 0 {
            let count = read(program.errors, &room, room.count)
            if count > 0 {
                call.write(errors: room[..<count])
            } else if count == 0 {
                Glibc.close(program.errors)
                program.errors = -1
            } else if errno != EINTR {
                return
            }
        }
    }

    /// Takes a piece of what it printed; whether there may be another one.
    private mutating func readOutput() -> Bool {
        guard program.output >= 0, stop == nil else { return false }
        var room = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(program.output, &room, room.count)
        if count < 0 { return errno == EINTR }
        guard count > 0 else {
            Glibc.close(program.output)
            program.output = -1
            return false
        }
        if hasHead { send(room[..<count]) } else { takeSection(room[..<count]) }
        return true
    }

    private mutating func takeSection(_ piece: ArraySlice<UInt8>) {
        section += piece
        guard let length = CGIHead.length(in: section), length <= CGIHead.mostBytes else {
            if section.count > CGIHead.mostBytes {
                fail("printed a header section of more than \(CGIHead.mostBytes >> 10) KiB")
            }
            return
        }
        hasHead = true
        if program.isUnparsed { return beginUnparsed(section[..<length], rest: section[length...]) }
        do throws(AnswerFault) {
            switch try CGIHead(section[..<length]) {
            case .answer(let head):
                call.begin(head)
                send(section[length...])
            case .redirect(let location):
                // It has no content (RFC 3875 6.2.2); what comes all the same is nobody's.
                self.location = location
            }
        } catch {
            fail(error.sentence)
        }
    }

    private mutating func beginUnparsed(_ head: ArraySlice<UInt8>, rest: ArraySlice<UInt8>) {
        let line = head.prefix { $0 != 0x0D && $0 != 0x0A }
        let words = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard line.starts(with: "HTTP/".utf8), words.count > 1,
            let status = Int(String(decoding: words[1], as: UTF8.self)),
            (200...599).contains(status)
        else { return fail("printed no status line, as an nph- program has to") }
        call.beginUnframed(status: status, reason: words.count > 2 ? words[2] : [], head: head)
        send(rest)
    }

    private mutating func send(_ content: ArraySlice<UInt8>) {
        guard location == nil else { return }
        let isThere = program.isUnparsed ? call.sendUnframed(content) : call.send(content)
        if !isThere { stop = .clientLeft }
    }

    private mutating func fail(_ what: String) {
        stop = .failure("\(program.name) \(what)", status: 500)
    }

    // MARK: The end

    private func conclude() -> [UInt8]? {
        switch stop {
        case .failure(let why, let status): call.fail(why, status: status)
        case .clientLeft: call.clientLeft()
        case nil: return concludeUndisturbed()
        }
        return nil
    }

    /// A signal cuts an answer short; an exit code is a program's own word, and what it had printed before
    /// stands.
    private func concludeUndisturbed() -> [UInt8]? {
        let (name, status) = (program.name, program.status ?? 0)
        let isKilled = clab_signalled(status) != 0
        let code = clab_exit_code(status)
        let how =
            isKilled
            ? "\(name) was ended by signal \(clab_term_signal(status))"
            : "\(name) exited with \(code)"
        let failure = isKilled ? 128 + clab_term_signal(status) : code
        if failure != 0 { call.programFailed(failure) }
        guard hasHead else {
            let what = section.isEmpty ? "it had printed anything" : "it had printed an empty line"
            call.fail("\(how) before \(what)")
            return nil
        }
        if isKilled {
            call.fail(how)
            return nil
        }
        if code != 0 { call.blame(how) }
        if let location { return location }
        call.finish()
        return nil
    }
}
