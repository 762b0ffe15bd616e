import Glibc
import LabTestSupport
import Testing

/// The signals that an application handles, and those that the processes it starts get.
@Suite struct WSGISignalTests {
    @Test(arguments: [[], ["--lazy"]])
    func `handlers that an application sets when it is imported are its children's`(
        options: [String]
    ) throws {
        let lab = try WSGIApplications.host("signals:app", options)
        #expect(try lab.get("/own") == #"["SIGUSR1", "SIGTERM"]"#)
        // A child's death is told to it as well, and its own waiting still gives the exit code.
        #expect(try lab.get("/program") == "-15")
        #expect(try lab.get("/fork") == "7")
        #expect(lab.stop().status == 0)
        #expect(try lab.sql("SELECT count(*), sum(exit_code = 0) FROM child") == "3|3")
        #expect(
            try lab.sql("SELECT count(*) FROM server_event WHERE kind IN ('orphan', 'killed')")
                == "0"
        )
    }

    @Test func `one process that serves all keeps its signals, and gives none of them on`() throws {
        let lab = try WSGIApplications.host("signals:app", ["--serial"])
        #expect(try lab.get("/program") == "-15")
        #expect(try lab.get("/fork") == "7")
        // Its own handler would take this one, and the server would not end.
        lab.signal(SIGTERM)
        let end = lab.finish()
        #expect(end.status == 0, "\(end.errors)")
        #expect(try lab.sql("SELECT count(*) FROM exchange WHERE outcome = 'ok'") == "2")
    }
}
