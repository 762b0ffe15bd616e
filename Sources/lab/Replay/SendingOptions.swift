// What `lab replay` sends, and what it changes in what was captured.

import ArgumentParser
import LabReplayer
import LabWire

/// The options of `lab replay` that concern requests.
struct SendingOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Send only these methods, with commas between them, such as GET,HEAD.",
            valueName: "methods"
        )
    )
    var methodAllow: String?

    @Option(
        help: ArgumentHelp(
            "Send this header in place of the captured ones of its name; may be given several times.",
            valueName: "name: value"
        )
    )
    var setHeader: [String] = []

    @Option(
        help: ArgumentHelp("Leave this header out; may be given several times.", valueName: "name")
    )
    var removeHeader: [String] = []

    @Option(
        help: ArgumentHelp(
            "Rewrite targets: put S where the regular expression RE is found in path and query; $1 in "
                + "it is the first group. May be given several times, and is done in order.",
            valueName: "RE=>S"
        )
    )
    var rewrite: [String] = []

    @Flag(help: "Keep the captured Host instead of the target's.")
    var keepHost = false

    @Flag(
        help: """
            Send requests that may change something (all but GET, HEAD, OPTIONS, TRACE) to a target that \
            is not on this machine's loopback.
            """
    )
    var allowUnsafe = false

    @Flag(help: "Tell what would be sent, and send nothing.")
    var dryRun = false

    func validate() throws {
        if let methodAllow, Self.methods(methodAllow) == nil {
            throw ValidationError(
                "--method-allow takes methods with commas between them, such as GET,HEAD, not "
                    + "'\(methodAllow)'."
            )
        }
        var setsHost = false
        for text in setHeader {
            let field = try Self.field(text)
            try refuseFraming(field.name, "--set-header")
            guard field.name.lowercased() == "host" else { continue }
            guard Authority(field.value.utf8, defaultPort: 80) != nil else {
                throw ValidationError("--set-header 'Host: …' takes a host, not '\(field.value)'.")
            }
            guard !setsHost, !keepHost else {
                throw ValidationError(
                    "A request has one Host: give --set-header 'Host: …' once, and without --keep-host."
                )
            }
            setsHost = true
        }
        for name in removeHeader {
            guard FieldText.isName(name) else {
                throw ValidationError("--remove-header takes the name of a field, not '\(name)'.")
            }
            try refuseFraming(name, "--remove-header")
            if name.lowercased() == "host" {
                throw ValidationError(
                    "--remove-header cannot leave out Host: every request has one. Set another by "
                        + "--set-header 'Host: …'."
                )
            }
        }
        for text in rewrite {
            do throws(TargetRewrite.Trouble) {
                _ = try TargetRewrite(text)
            } catch {
                throw ValidationError(
                    "--rewrite takes RE=>S, such as '^/v1/=>/v2/', and '\(text)' \(error)."
                )
            }
        }
    }

    /// What is changed in the captured requests.
    var changes: RequestChanges {
        var changes = RequestChanges()
        changes.methods = methodAllow.flatMap { Self.methods($0) }
        // All of it was looked at by `validate`.
        changes.setFields = setHeader.compactMap { try? Self.field($0) }
        changes.removedFields = removeHeader
        changes.rewrites = rewrite.compactMap { try? TargetRewrite($0) }
        changes.keepsHost = keepHost
        return changes
    }

    /// Whether all requests must be known before the first one is sent.
    func looksAtAll(_ settings: ReplaySettings) -> Bool {
        dryRun || !rewrite.isEmpty || !allowUnsafe && !settings.staysHere
    }

    /// Refuses to send what may change something, where that was not allowed.
    ///
    /// - Throws: `Failure` that counts them.
    func judge(_ replayer: Replayer, _ settings: ReplaySettings) throws {
        if let bad = replayer.skipped.first(where: { $0.reason == .rewrittenTarget }) {
            throw Failure(
                "Cannot send \(bad.count) request(s): --rewrite makes a target of them that does not "
                    + "begin with '/', or holds a blank, a control character or '#'. Change the rule; "
                    + "--dry-run shows what the others become."
            )
        }
        guard !allowUnsafe, !settings.staysHere else { return }
        let unsafe = replayer.unsafeMethods
        guard !unsafe.isEmpty else { return }
        let counts = unsafe.map { "\($0.count) \($0.method)" }.joined(separator: ", ")
        throw Failure(
            "Will not send \(unsafe.reduce(0) { $0 + $1.count }) request(s) that may change something at "
                + "http://\(settings.target.text), which is not on this machine: \(counts). Leave them out "
                + "with --method-allow GET,HEAD,OPTIONS, or send them with --allow-unsafe."
        )
    }

    private func refuseFraming(_ name: String, _ option: String) throws {
        guard ["content-length", "transfer-encoding"].contains(name.lowercased()) else { return }
        throw ValidationError(
            "\(option) cannot change \(name): it says where the content ends, and the target would read "
                + "the rest as another request."
        )
    }

    private static func methods(_ text: String) -> Set<String>? {
        let words = text.split(separator: ",", omittingEmptySubsequences: false).map { String($0) }
        return words.allSatisfy(FieldText.isName) ? Set(words) : nil
    }

    private static func field(_ text: String) throws -> RequestChanges.Field {
        guard let colon = text.firstIndex(of: ":") else {
            throw ValidationError("--set-header takes 'Name: value', and '\(text)' has no colon.")
        }
        let name = String(text[..<colon])
        let value = text[text.index(after: colon)...]
            .drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed()
        guard FieldText.isName(name) else {
            throw ValidationError("--set-header takes 'Name: value', and '\(name)' is no name.")
        }
        guard FieldText.isValue(String(value)) else {
            throw ValidationError(
                "--set-header cannot send the value of \(name): it has a control character."
            )
        }
        return RequestChanges.Field(name: name, value: String(value))
    }
}
