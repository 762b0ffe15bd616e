import Foundation
import LabForkServer
import Testing

/// Which program a path names below a directory.
@Suite struct CGIScriptTests {
    /// A directory with programs, beside one that no path may reach.
    private final class Programs {
        let root: URL
        private let folder: URL

        init() throws {
            folder = FileManager.default.temporaryDirectory
                .appendingPathComponent("lab-programs-\(UUID().uuidString)")
                .resolvingSymlinksInPath()
            root = folder.appendingPathComponent("bin")
            let files = FileManager.default
            try files.createDirectory(
                at: root.appendingPathComponent("deep"),
                withIntermediateDirectories: true
            )
            for (name, mode) in [
                ("bin/app", 0o755), ("bin/data", 0o644), ("bin/.hidden", 0o755),
                ("bin/deep/app", 0o755), ("bin/a b", 0o755), ("outside", 0o755),
            ] {
                let path = folder.appendingPathComponent(name).path
                files.createFile(
                    atPath: path,
                    contents: nil,
                    attributes: [.posixPermissions: mode]
                )
            }
            try files.createSymbolicLink(
                atPath: root.appendingPathComponent("inner").path,
                withDestinationPath: "deep/app"
            )
            try files.createSymbolicLink(
                atPath: root.appendingPathComponent("outer").path,
                withDestinationPath: "../outside"
            )
        }

        deinit { try? FileManager.default.removeItem(at: folder) }

        func script(_ path: String) throws(CGIScript.Refusal) -> CGIScript {
            try CGIScript(below: Array(root.path.utf8), path: Array(path.utf8)[...])
        }
    }

    @Test(arguments: [
        ("/app", "app", "/app", "", nil), ("/app/", "app", "/app", "/", "/"),
        ("/app/x%2Fy/%C3%A9", "app", "/app", "/x/y/é", "/x/y/é"),
        ("/deep/app/x", "deep/app", "/deep/app", "/x", "/x"), ("/a%20b", "a b", "/a b", "", nil),
        ("/inner", "inner", "/inner", "", nil), ("/app/../x", "app", "/app", "/../x", nil),
        ("/app/%2e%2e/x", "app", "/app", "/../x", nil), ("/app//x", "app", "/app", "//x", "//x"),
    ])
    func `the path's beginning names the program, and the rest is its own`(
        path: String,
        file: String,
        name: String,
        info: String,
        translated: String?
    ) throws {
        let programs = try Programs()
        let script = try programs.script(path)
        let root = programs.root.path
        #expect(String(decoding: script.program, as: UTF8.self) == "\(root)/\(file)")
        #expect(String(decoding: script.name, as: UTF8.self) == name)
        #expect(String(decoding: script.pathInfo, as: UTF8.self) == info)
        #expect(
            script.pathTranslated.map { String(decoding: $0, as: UTF8.self) }
                == translated.map { root + $0 }
        )
    }

    @Test(arguments: [
        "/", "", "*", "/none", "/none/app", "/deep", "/deep/", "/.hidden", "/./app", "/../outside",
        "/%2e%2e/outside", "/deep/../../outside", "/deep%2Fapp", "/..%2Foutside", "//app", "/outer",
        "/app%00", "/app/%00", "/data/x/../../app%00",
    ])
    func `no path leads out of the directory, or to what is no program`(path: String) throws {
        let programs = try Programs()
        #expect(throws: CGIScript.Refusal.missing) { _ = try programs.script(path) }
    }

    @Test func `a file that is not executable is forbidden`() throws {
        let programs = try Programs()
        #expect(throws: CGIScript.Refusal.forbidden) { _ = try programs.script("/data/x") }
    }
}
