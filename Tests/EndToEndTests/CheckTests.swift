import Foundation
import LabTestSupport
import Testing

/// `lab check`: silent where all is well, and not where it is not.
@Suite struct CheckTests {
    private func recorded() throws -> LabRecord {
        let lab = try LabRecord()
        _ = try lab.get("/")
        _ = try Tool.run("curl", "-s", lab.url("/crash/11"))
        lab.stop()
        return lab
    }

    @Test func `a recording with a crash in it is whole`() throws {
        let lab = try recorded()
        let end = try Tool.run(Place.lab, "check", lab.session)
        #expect(end.status == 0)
        #expect(end.output.contains("all is well"))
        #expect(end.output.contains("accepted 2 = recorded 2 + failed 0"))
        #expect(
            try Tool.run(Place.lab, "check", lab.session, "--json").output.contains(
                "\"is_good\" : true"
            )
        )
    }

    @Test(arguments: [
        ("DELETE FROM connection WHERE id = 1", "DOES NOT ADD UP"),
        ("DELETE FROM child WHERE connection_id = 1", "DOES NOT ADD UP"),
        ("UPDATE exchange SET outcome = NULL", "DOES NOT ADD UP"),
        ("DELETE FROM server_event", "counts are missing"),
        ("DELETE FROM body", "point to nothing"),
        (
            "UPDATE recording SET ended_at = NULL; DELETE FROM server_event",
            "the recorder was killed"
        ),
    ])
    func `a loss is found`(change: String, words: String) throws {
        let lab = try recorded()
        _ = try lab.sql(change)
        let end = try Tool.run(Place.lab, "check", lab.session)
        #expect(end.status == 1)
        #expect(end.output.contains("not to be trusted"))
        #expect(end.output.contains(words), "\(end.output)")
    }

    @Test func `a damaged file is found`() throws {
        let lab = try LabRecord()
        for size in 1...40 { _ = try lab.get("/bytes/\(size * 1000)") }
        lab.stop()
        let file = try #require(FileHandle(forUpdatingAtPath: lab.session))
        try file.seek(toOffset: 4096 * 12)
        file.write(Data(repeating: 0xAA, count: 4096 * 4))
        try file.close()
        let end = try Tool.run(Place.lab, "check", lab.session)
        #expect(end.status == 1 || end.status == 2)
        #expect((end.output + end.errors).contains("DAMAGED") || end.errors.contains("malformed"))
    }
}
