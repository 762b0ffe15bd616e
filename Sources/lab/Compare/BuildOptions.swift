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

    func validate() throws {
        let commands = [baselineCmd, candidateCmd].compactMap { $0 }
        let urls = [baselineUrl, candidateUrl].compactMap { $0 }
        guard commands.count == 2 && urls.isEmpty || urls.count == 2 && commands.isEmpty else {
            throw ValidationError(
                "Give both builds in one way: --baseline-cmd and --candidate-cmd, or --baseline-url "
                    + "and --candidate-url."
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
    var baseline: String { baselineCmd ?? baselineUrl ?? "" }
    /// The new build, for people.
    var candidate: String { candidateCmd ?? candidateUrl ?? "" }

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
