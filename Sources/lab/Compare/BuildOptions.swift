// The two builds, as commands or as URLs.

import ArgumentParser
import LabComparer
import LabReplayer
import LabWire

/// The options that say which builds are compared.
struct BuildOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How the old build is started; {port} is where it is to listen.",
            valueName: "command"
        )
    )
    var baselineCmd: String?

    @Option(help: ArgumentHelp("How the new build is started.", valueName: "command"))
    var candidateCmd: String?

    @Option(help: ArgumentHelp("Where the old build runs already.", valueName: "url"))
    var baselineUrl: String?

    @Option(help: ArgumentHelp("Where the new build runs already.", valueName: "url"))
    var candidateUrl: String?

    @Option(
        name: .customLong("baseline2-url"),
        help: ArgumentHelp(
            "Where a second instance of the old build runs; by default the first is asked again.",
            valueName: "url"
        )
    )
    var baseline2Url: String?

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Compare two stored replays of the session, by number or label: content and errors only.",
            valueName: "run"
        )
    )
    var runs: [String] = []

    @Option(
        help: ArgumentHelp(
            "A second stored replay of the old build: what it differs in is noise.",
            valueName: "run"
        )
    )
    var controlRun: String?

    func validate() throws {
        if !runs.isEmpty {
            guard runs.count == 2, baselineCmd == nil, candidateCmd == nil, baselineUrl == nil,
                candidateUrl == nil
            else {
                throw ValidationError(
                    "--runs takes two runs, the old build's and the new one's, and no command or URL: "
                        + "lab compare SESSION --runs 1 2."
                )
            }
            return
        }
        guard controlRun == nil else { throw ValidationError("--control-run goes with --runs.") }
        let commands = [baselineCmd, candidateCmd].compactMap { $0 }
        let urls = [baselineUrl, candidateUrl].compactMap { $0 }
        guard commands.count == 2 && urls.isEmpty || urls.count == 2 && commands.isEmpty else {
            throw ValidationError(
                "Give both builds in one way: --baseline-cmd and --candidate-cmd, --baseline-url "
                    + "and --candidate-url, or --runs."
            )
        }
        guard baseline2Url == nil || !urls.isEmpty else {
            throw ValidationError("--baseline2-url goes with --baseline-url and --candidate-url.")
        }
        for command in commands where !command.contains("{port}") {
            throw ValidationError(
                "The command '\(command)' does not say where to listen: put {port} in it."
            )
        }
    }

    /// The old build, for people.
    var baseline: String { baselineCmd ?? baselineUrl ?? runs.first.map { "run \($0)" } ?? "" }
    /// The new build, for people.
    var candidate: String { candidateCmd ?? candidateUrl ?? runs.last.map { "run \($0)" } ?? "" }

    /// Where each arm's requests go.
    func targets() throws -> [Arm: ArmTarget] {
        if let baselineCmd, let candidateCmd {
            let old = ArmTarget.command(BuildCommand(text: baselineCmd, option: "--baseline-cmd"))
            let new = ArmTarget.command(BuildCommand(text: candidateCmd, option: "--candidate-cmd"))
            return [.baseline: old, .candidate: new, .control: old]
        }
        let urls = [
            (Arm.baseline, baselineUrl, "--baseline-url"),
            (.candidate, candidateUrl, "--candidate-url"),
            (.control, baseline2Url ?? baselineUrl, "--baseline2-url"),
        ]
        var targets: [Arm: ArmTarget] = [:]
        for (arm, url, option) in urls {
            let place = try authority(ofURL: url ?? "", option: option)
            targets[arm] = .running(place, addresses: try ReplaySettings.resolve(place))
        }
        return targets
    }

    /// What stands in `Host` at each arm: servers write it into their answers, so it is one for all.
    func host() throws -> Authority? {
        try baselineUrl.map { try authority(ofURL: $0, option: "--baseline-url") }
    }

    /// The port of the new build, where it runs already.
    var port: Int? {
        candidateUrl.flatMap { try? authority(ofURL: $0, option: "--candidate-url").port }
    }
}
