import Foundation
import LabTestSupport
import Testing

/// A login, a CSRF token and a form, at an application whose secrets are new each time it starts.
@Suite struct LiveTokenTests {
    /// A Flask application that makes up a secret, and refuses what it did not make up itself.
    private static let application = """
        import secrets, sys
        from flask import Flask, abort, redirect, request, session, url_for

        app = Flask(__name__)
        app.secret_key = secrets.token_bytes(32)
        orders, keys = {}, set()

        def form(action):
            session["csrf"] = secrets.token_urlsafe(24)
            return ("<html><body><form method=post action=%s><input type=hidden name=csrf value='%s'>"
                    "<input name=user></form></body></html>" % (action, session["csrf"]))

        def check():
            if not secrets.compare_digest(session.pop("csrf", ""), request.form.get("csrf", "-")):
                abort(403)

        @app.get("/login")
        def login_form(): return form("/login")

        @app.post("/login")
        def login():
            check()
            session["user"] = request.form["user"]
            return redirect("/order")

        @app.get("/order")
        def order_form():
            if "user" not in session: abort(401)
            return form("/order")

        @app.post("/order")
        def order():
            if "user" not in session: abort(401)
            check()
            number = secrets.token_hex(12)
            orders[number] = session["user"]
            return redirect("/orders/" + number)

        @app.get("/orders/<number>")
        def show(number):
            if orders.get(number) != session.get("user"): abort(404)
            return {"of": session["user"], "key": keys.add(k := secrets.token_urlsafe(18)) or k}

        @app.post("/api/pay")
        def pay():
            if request.headers.get("Authorization", "").removeprefix("Bearer ") not in keys: abort(401)
            return {"paid": request.get_json()["key"] in keys}

        if __name__ == "__main__":
            app.run("127.0.0.1", int(sys.argv[1]), threaded=True)
        """

    /// Who logs in and orders: one connection, a jar, and what a browser and a script would do.
    private static let client = """
        import re, sys, requests
        base, http = sys.argv[1], requests.Session()
        field = lambda page: re.search("name=csrf value='([^']+)'", page.text)[1]
        http.post(base + "/login", data={"csrf": field(http.get(base + "/login")), "user": sys.argv[2]})
        shown = http.post(base + "/order", data={"csrf": field(http.get(base + "/order")), "user": "x"})
        key = shown.json()["key"]
        paid = http.post(base + "/api/pay", json={"key": key}, headers={"Authorization": "Bearer " + key})
        print(paid.json()["paid"], shown.json()["of"])
        """

    private static let python = Place.package.appendingPathComponent(".build/venv/bin/python").path

    /// The running application.
    private final class Application {
        let port: Int
        private let tool: Tool

        init() throws {
            let file = try Place.temporary().appendingPathComponent("shop.py")
            try Data(LiveTokenTests.application.utf8).write(to: file)
            port = try ScriptedServer.freePort()
            tool = try Tool([LiveTokenTests.python, file.path, "\(port)"])
            guard tool.line(with: "Running on http://") != nil else {
                throw Trouble("the application did not start: \(tool.finish().errors)")
            }
        }

        var url: String { "http://127.0.0.1:\(port)" }

        func stop() {
            // Threads of the pool block SIGTERM, and a child inherits that.
            tool.signal(SIGKILL)
            _ = tool.finish()
        }
    }

    /// A session in which three people log in, order and pay.
    private func recorded() throws -> LabRecord {
        let application = try Application()
        defer { application.stop() }
        let lab = try LabRecord(["--upstream", application.url])
        for user in ["ada", "grace", "mary"] {
            let end = try Tool.run(Self.python, "-c", Self.client, lab.url(""), user)
            #expect(end.output == "True \(user)\n", "\(end.errors)")
        }
        lab.stop()
        return lab
    }

    private struct Totals: Decodable {
        var requests: Int
        var statuses: [String: Int]
        var correlationMisses: Int
        var mismatchReasons: [String: Int]
    }

    private func replay(_ lab: LabRecord, _ words: String...) throws -> (Totals, Finished) {
        // Started anew: none of the captured secrets is worth anything.
        let application = try Application()
        defer { application.stop() }
        let end = try Tool(
            [Place.lab, "replay", lab.session, "--target", application.url, "--json"]
                + ["--match", "status"] + words
        ).finish()
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return (try decoder.decode(Totals.self, from: Data(end.output.utf8)), end)
    }

    @Test func `live cookies and tokens are sent, and the application takes them`() throws {
        let lab = try recorded()
        let (live, end) = try replay(lab, "--correlate", "auto")
        #expect(end.status == 0, "\(end.errors)")
        #expect(live.requests == 21)
        #expect(live.statuses == ["200": 15, "302": 6])
        #expect(live.correlationMisses == 0)
        // It is what happens unless it is asked for otherwise.
        #expect(try replay(lab).0.statuses == live.statuses)
        // Sessions keep to themselves, also where they are sent at the same time and again.
        let (many, _) = try replay(lab, "-n", "210", "-c", "7", "--threads", "2")
        #expect(many.statuses == ["200": 150, "302": 60])
    }

    @Test func `sent as captured, the same session is refused`() throws {
        let lab = try recorded()
        let (dead, end) = try replay(lab, "--correlate", "off")
        #expect(end.status == 1)
        #expect(dead.statuses["403", default: 0] >= 3, "\(dead.statuses)")
        #expect(dead.statuses["302"] == nil)
    }

    @Test func `the rules that lab correlate prints do the same, and fewer do less`() throws {
        let lab = try recorded()
        let printed = try Tool.run(Place.lab, "correlate", lab.session)
        let file = try Place.temporary().appendingPathComponent("rules.json")
        try Data(printed.output.utf8).write(to: file)
        let (whole, end) = try replay(lab, "--correlate", file.path)
        #expect(end.status == 0, "\(end.errors)")
        #expect(whole.statuses == ["200": 15, "302": 6])

        // Without the rule for the order's number its page is not found, and there is no key in it.
        var rules = try #require(
            try JSONSerialization.jsonObject(with: Data(printed.output.utf8)) as? [String: Any]
        )
        let all = try #require(rules["rules"] as? [[String: Any]])
        #expect(all.contains { $0["cookie"] as? String == "session" && $0["seen"] as? Int == 18 })
        rules["rules"] = all.filter { (($0["put"] as? [String: Any])?["segment"]) == nil }
        try JSONSerialization.data(withJSONObject: rules).write(to: file)
        let (less, _) = try replay(lab, "--correlate", file.path)
        #expect(less.statuses["404"] == 3)
        #expect(less.correlationMisses == 6, "\(less)")
    }

    @Test func `a rules file that can't be used is told, and nothing is sent`() throws {
        let lab = try LabRecord()
        _ = try lab.get("/")
        lab.stop()
        let file = try Place.temporary().appendingPathComponent("rules.json")
        try Data("{\"version\": 1, \"rules\": [{\"cookie\": \"a\", \"colour\": 1}]}".utf8)
            .write(to: file)
        for (path, sentence) in [
            (file.path, "at rules[0].colour: there is no such key here"),
            ("/nowhere/rules.json", "Cannot read the rules '/nowhere/rules.json'"),
        ] {
            let end = try Tool.run(Place.lab, "replay", lab.session, "--correlate", path)
            #expect(end.status == 2)
            #expect(end.errors.contains(sentence), "\(end.errors)")
        }
        #expect(try lab.sql("SELECT count(*) FROM replay_run") == "0")
        // A rule that nothing in the session follows is no mistake, but is told.
        try Data("{\"version\": 1, \"rules\": [{\"cookie\": \"a\"}]}".utf8).write(to: file)
        let server = try LabRecord()
        defer { server.stop() }
        let end = try Tool.run(
            Place.lab,
            "replay",
            lab.session,
            "--correlate",
            file.path,
            "--target",
            server.url("")
        )
        #expect(end.status == 0 && end.errors.contains("concern no request of the session: 1"))
    }
}
