import Foundation
import LabTestSupport

/// The applications of these tests, and a lab that hosts one of them.
enum WSGIApplications {
    static let folder = Place.package.appendingPathComponent("Tests/EndToEndTests/Applications")
        .path
    /// Where the frameworks are.
    static let python = Place.package.appendingPathComponent(".build/venv/bin/python").path

    /// A recorder that hosts an application of the folder.
    static func host(
        _ app: String,
        _ options: [String] = [],
        python: String = python,
        under command: [String] = []
    ) throws -> LabRecord {
        try LabRecord(
            ["--app", app, "--app-dir", folder, "--python", python] + options,
            under: command
        )
    }
}
