// Text that is compared with a file. `LAB_RECORD=1 swift test` rewrites the files, and fails.

import Foundation
import Testing

/// Text that is compared with a file in `Golden/`.
enum Golden {
    static func check(
        _ text: String,
        _ name: String,
        _ place: SourceLocation = #_sourceLocation
    ) throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "Golden/\(name).txt")
        if ProcessInfo.processInfo.environment["LAB_RECORD"] == "1" {
            try Data(text.utf8).write(to: file)
            Issue.record(
                "Golden/\(name).txt was rewritten; read it, then test again.",
                sourceLocation: place
            )
            return
        }
        let expected = try String(contentsOf: file, encoding: .utf8)
        guard text != expected else { return }
        let (now, then) = (text.split(separator: "\n"), expected.split(separator: "\n"))
        let line =
            zip(now, then).enumerated().first { $1.0 != $1.1 }?.offset ?? min(now.count, then.count)
        Issue.record(
            """
            Golden/\(name).txt differs first at line \(line + 1):
            expected \(then.dropFirst(line).first ?? "the end")
            got      \(now.dropFirst(line).first ?? "the end")
            LAB_RECORD=1 swift test rewrites it.
            """,
            sourceLocation: place
        )
    }
}
