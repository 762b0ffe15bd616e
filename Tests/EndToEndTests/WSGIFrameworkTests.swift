import Foundation
import LabTestSupport
import Testing

/// The tutorial's applications, hosted as they are, and watched by the standard library's own judge.
@Suite struct WSGIFrameworkTests {
    static let applications = [
        ("wsgiapp:app", "/any/path", "Hello from a plain WSGI application!"),
        ("flaskapp:app", "/hello", "Hello from Flask!"),
        ("pyramidapp:app", "/hello", "Hello from Pyramid!"),
        ("djangoapp:app", "/hello", "Hello from Django!"),
    ]

    @Test(arguments: applications)
    func `each application of the tutorial answers, and wsgiref.validate has no complaint`(
        app: String,
        path: String,
        greeting: String
    ) throws {
        let lab = try WSGIApplications.host(
            "validated:app",
            under: ["env", "LAB_VALIDATED=\(app)"]
        )
        #expect(try lab.get(path) == greeting + "\n")
        #expect(try lab.get(path, "-I").hasPrefix("HTTP/1.1 200 OK\r\n"))
        #expect(try lab.get(path, "-d", "name=value") == greeting + "\n")
        #expect(try lab.get(path + "?a=b%20c", "-H", "X-Odd: \u{e9}") == greeting + "\n")
        #expect(lab.stop().status == 0)
        #expect(
            try lab.sql("SELECT DISTINCT outcome, status, errors, error FROM exchange")
                == "ok|200||"
        )
        #expect(
            try lab.sql("SELECT count(*) FROM child WHERE fate = 'exited' AND exit_code = 0") == "4"
        )
    }

    @Test func `the judge would complain`() throws {
        let lab = try WSGIApplications.host(
            "validated:app",
            under: ["env", "LAB_VALIDATED=wrong:app"]
        )
        // No Content-Type, which the judge wants and PEP 3333 does not.
        #expect(try lab.get("/newline", "-i").hasPrefix("HTTP/1.1 500 "))
        lab.stop()
        #expect(try lab.sql("SELECT error FROM exchange").contains("AssertionError"))
    }

    @Test func `the session says which application answered`() throws {
        let lab = try WSGIApplications.host("flaskapp:app")
        try lab.get("/hello")
        lab.stop()
        #expect(try lab.sql("SELECT mode, app FROM recording") == "wsgi|flaskapp:app")
        #expect(
            try lab.sql("SELECT instr(response_head, 'Content-Length: 18') > 0 FROM exchange")
                == "1"
        )
    }

    @Test(arguments: ["/usr/bin/python3", WSGIApplications.python])
    func `the application runs in the Python that was named`(python: String) throws {
        let lab = try WSGIApplications.host("wrong:app", python: python)
        #expect(try lab.get("/subprocess") == "[7, 3, -9, \"42\"]")
        lab.stop()
        #expect(try lab.sql("SELECT outcome, status FROM exchange") == "ok|200")
    }
}
