// What of the target's cookies and tokens a replay sends.

import ArgumentParser
import Foundation
import LabReplayer

/// `--correlate`.
struct CorrelationOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Send the target's own cookies and tokens in place of the captured ones: auto (as the session shows them; the default up to 100,000 exchanges), off, or a file of rules as lab correlate prints them.",
            valueName: "how"
        )
    )
    var correlate: String?

    /// To look for rules takes time and memory that a large load must not pay unasked.
    private static let mostByDefault = 100_000

    /// What the option says, for a session of so many exchanges.
    ///
    /// - Throws: ``CorrelationRulesError``, or a ``Failure`` where the file cannot be read.
    func correlation(ofExchanges count: Int) throws -> Correlation {
        switch correlate {
        case "off": return .off
        case "auto": return .automatic
        case nil:
            guard count > Self.mostByDefault else { return .automatic }
            complain(
                "\(count) exchanges: cookies and tokens are sent as captured, for to look for them takes "
                    + "time. --correlate auto does, --correlate off says nothing."
            )
            return .off
        case let path?:
            let data: Data
            do {
                data = try Data(contentsOf: URL(fileURLWithPath: path))
            } catch {
                throw Failure(
                    "Cannot read the rules '\(path)': \(error.localizedDescription) "
                        + "--correlate takes auto, off, or a file as lab correlate prints it."
                )
            }
            return .rules(try CorrelationRules(json: Array(data), path: path))
        }
    }

    /// Says what becomes of it.
    func tell(_ replayer: Replayer) {
        guard let correlate, correlate != "off", correlate != "auto" else { return }
        let idle = replayer.idleRules
        guard !idle.isEmpty else { return }
        let names = idle.prefix(10).map { "\($0)" }.joined(separator: ", ")
        complain(
            "rules of '\(correlate)' that concern no request of the session: "
                + "\(names)\(idle.count > 10 ? ", …" : "")"
        )
    }
}
