// The command line: parse, join the pieces, print, exit. What a test cannot reach is not here.

import ArgumentParser
import Glibc
import LabExchange
import LabForkServer
import LabReplayer
import LabSession

/// `lab`: what a person types.
@main
struct Lab: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lab",
        abstract: "A laboratory for HTTP traffic: record it, replay it, see what it cost.",
        discussion: """
            lab record forks a process per connection and keeps every request, the environ built \
            from it, the response and the life of the process that served it in one SQLite file. \
            lab replay sends it again, as hard as the machine allows, and checks every answer. \
            lab compare says what a new build broke.

            Exit codes: 0 done, and the answer is good; 1 done, and the answer is bad; 2 could not \
            do it; 3 done, but not to be trusted; 4 nothing to compare; 64 bad usage.
            """,
        version: labVersion,
        subcommands: [
            RecordCommand.self, ReplayCommand.self, CompareCommand.self, AcceptCommand.self,
            ReportCommand.self, ListCommand.self,
            ShowCommand.self, CheckCommand.self, CorrelateCommand.self,
            MergeCommand.self,
        ]
    )

    /// Runs a command and turns its error into a sentence and an exit code: the one place that does.
    static func main() {
        // A reader that has seen enough must not end a recording; writes fail with EPIPE instead.
        signal(SIGPIPE, SIG_IGN)
        do {
            var command = try parseAsRoot(
                ComparisonOutputOptions.spelledOut(Array(CommandLine.arguments.dropFirst()))
            )
            try command.run()
        } catch let failure as Failure {
            complain(failure.sentence)
            Glibc.exit(failure.code)
        } catch let now as ExitNow {
            Glibc.exit(now.code)
        } catch let error where isSentence(error) {
            complain("\(error)")
            Glibc.exit(ExitStatus.couldNot)
        } catch {
            exit(withError: error)
        }
    }

    /// Whether an error is one of the modules' own, whose description is a sentence for the user.
    private static func isSentence(_ error: any Error) -> Bool {
        error is SessionError || error is ListenError || error is ForkServerError
            || error is FrameError || error is ReplayError || error is CorrelationRulesError
            || error is MergeError
    }
}

/// The version of this lab; a session keeps it in `recording.lab_version`.
let labVersion = "0.1.0"

/// The exit codes of `lab`.
enum ExitStatus {
    /// Done, and the answer is bad: differences, failed conditions.
    static let bad: Int32 = 1
    /// It could not be done.
    static let couldNot: Int32 = 2
    /// Done, but not to be trusted: losses.
    static let untrusted: Int32 = 3
    /// There is nothing to compare.
    static let nothing: Int32 = 4
    /// Ended by a second SIGINT or SIGTERM.
    static let interrupted: Int32 = 130
}

/// A command that cannot go on: the sentence for the user and the exit code for the shell.
struct Failure: Error {
    /// What failed, on what, why, and what to do.
    let sentence: String
    /// The exit code.
    let code: Int32

    init(_ sentence: String, code: Int32 = ExitStatus.couldNot) {
        self.sentence = sentence
        self.code = code
    }
}

/// An end whose reason has been told already.
struct ExitNow: Error {
    /// The exit code.
    let code: Int32

    init(_ code: Int32) { self.code = code }
}

/// Prints a sentence on standard error, after the name of the program.
func complain(_ sentence: String) {
    let line = Array("lab: \(sentence)\n".utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
