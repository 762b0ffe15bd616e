import LabExchange
import Testing

@testable import LabReplayer

/// What is found in a captured session, and what is not.
@Suite struct CorrelationFinderTests {
    static let token = "q7Xp2Lm9Zr4T"
    static let html = "Content-Type: text/html; charset=utf-8\r\n"
    static let json = "Content-Type: application/json\r\n"

    /// The one rule of a session in which an answer is followed by a request.
    private func rule(
        answer: String,
        _ answerFields: String,
        then request: CapturedExchange,
        first: CapturedExchange? = nil
    ) -> [CorrelationRule] {
        let page = CapturedExchange.make(
            1,
            target: "/form",
            answer: answer,
            answerFields: answerFields
        )
        let session = [first, page, request].compactMap { $0 }
        return CorrelationRules.found(in: [session]).rules
    }

    private func post(
        _ body: String,
        _ type: String = "application/x-www-form-urlencoded"
    )
        -> CapturedExchange
    {
        .make(
            2,
            method: "POST",
            target: "/send",
            fields: "Content-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\n",
            content: .make(body)
        )
    }

    private func value(
        _ locator: AnswerLocator,
        _ place: RequestPlace,
        from: String = "GET /form",
        into: String = "POST /send"
    ) throws -> CorrelationRule.Subject {
        .value(
            from: try #require(RequestKind(from)),
            at: locator,
            into: try #require(RequestKind(into)),
            place: place
        )
    }

    @Test func `a hidden field of a form is sent with the form`() throws {
        let rules = rule(
            answer:
                "<form action=/send><!-- <input name='csrf' value='no'> --><input type=\"hidden\" name=\"csrf\" value=\"\(Self.token)\"></form>",
            Self.html,
            then: post("name=x&csrf=\(Self.token)")
        )
        #expect(rules.map(\.subject) == [try value(AnswerLocator(.input("csrf")), .form("csrf"))])
        #expect(rules.first?.evidence == [.init(answer: 1, request: 2)])
        #expect(rules.first?.seen == 1)
    }

    @Test func `no excerpt holds enough of a value to use it`() throws {
        let rules = rule(
            answer: "{\"token\": \"\(Self.token)\"}",
            Self.json,
            then: post("{\"auth\": [\"\(Self.token)\"]}", "application/json")
        )
        #expect(
            rules.map(\.subject)
                == [try value(AnswerLocator(.json("/token")), .json("/auth/0"))]
        )
        #expect(rules.first?.excerpt == "q7… (12 bytes)")
    }

    @Test(arguments: [
        ("meta", "<meta name=\"token\" content=\"\(token)\">", AnswerLocator(.meta("token"))),
        ("attribute", "<body data-key='\(token)'>", AnswerLocator(.attribute("data-key"))),
        (
            "query of a link", "<a href='/x'></a><a href=\"http://a.b/go?a=1&amp;t=\(token)#top\">",
            AnswerLocator(.link(PathPattern("/go")), part: .query("t"))
        ),
        (
            "path of a link", "<a href=/go/away></a><img src=/go/a.\(token).png>",
            AnswerLocator(.link(PathPattern("/go/a.*.png")))
        ),
        (
            "script", "<script>\nvar key = '\(token)';</script>",
            AnswerLocator(.text(after: "var key = '", before: "'"))
        ),
    ])
    func `a page gives a value by its`(_ name: String, html: String, locator: AnswerLocator) throws
    {
        let rules = rule(
            answer: html,
            Self.html,
            then: .make(2, method: "POST", target: "/send", fields: "X-Token: \(Self.token)\r\n")
        )
        #expect(rules.map(\.subject) == [try value(locator, .header("x-token"))])
    }

    @Test func `a redirect gives the path and the query of the next request`() throws {
        let found = rule(
            answer: "",
            "Location: http://recorded.example/orders/\(Self.token)?code=Zz81kQq2LpW\r\n",
            then: .make(2, target: "/orders/\(Self.token)?code=Zz81kQq2LpW")
        )
        #expect(
            found.map(\.subject) == [
                try value(
                    AnswerLocator(.header("location"), part: .path(PathPattern("/orders/*"))),
                    .segment(2),
                    into: "GET /orders/*"
                ),
                try value(
                    AnswerLocator(.header("location"), part: .query("code")),
                    .query("code"),
                    into: "GET /orders/*"
                ),
            ]
        )
    }

    @Test func `a token inside a header's value is found`() throws {
        let rules = rule(
            answer: "{\"a\":{\"jwt\":\"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln\"}}",
            Self.json,
            then: .make(
                2,
                method: "POST",
                target: "/send",
                fields: "Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln\r\n"
            )
        )
        #expect(
            rules.map(\.subject)
                == [try value(AnswerLocator(.json("/a/jwt")), .header("authorization"))]
        )
    }

    @Test func `a cookie that is sent in a header too has both rules`() throws {
        let rules = rule(
            answer: "",
            "Set-Cookie: xsrf=\(Self.token); Path=/\r\nSet-Cookie: other=1\r\n",
            then: .make(
                2,
                method: "POST",
                target: "/send",
                fields: "Cookie: a=b; xsrf=\(Self.token)\r\nX-XSRF-Token: \(Self.token)\r\n"
            )
        )
        #expect(
            rules.map(\.subject) == [
                .cookie("xsrf"),
                try value(AnswerLocator(.cookie("xsrf")), .header("x-xsrf-token")),
            ]
        )
    }

    @Test func `what the client said first is not the server's`() {
        let first = CapturedExchange.make(
            7,
            target: "/echo?id=\(Self.token)",
            answer: "",
            answerFields: Self.html
        )
        let rules = rule(
            answer: "<input name=id value=\(Self.token)>",
            Self.html,
            then: post("id=\(Self.token)"),
            first: first
        )
        #expect(rules.isEmpty)
    }

    @Test(arguments: ["username", "2026-11-25", "index2.html", "12345678", "image-2", "a1b2c3"])
    func `a word, a date or a small number is no token`(_ value: String) {
        let rules = rule(
            answer: "<input name=v value=\(value)>",
            Self.html,
            then: post("v=\(value)")
        )
        #expect(rules.isEmpty)
    }

    @Test func `nothing goes from one session to another, nor back in time`() {
        let page = CapturedExchange.make(
            1,
            answer: "<input name=v value=\(Self.token)>",
            answerFields: Self.html
        )
        let form = post("v=\(Self.token)")
        #expect(CorrelationRules.found(in: [[page], [form]]).count == 0)
        #expect(CorrelationRules.found(in: [[form, page]]).count == 0)
        #expect(CorrelationRules.found(in: [[page, form]]).count == 1)
    }

    @Test func `a thousand sessions that do the same are one rule`() {
        let sessions = (0..<1000).map { number in
            let token = "tk\(number)Q\(number)z\(number)X"
            let page = CapturedExchange.make(
                Int64(number * 2),
                answer: "<input name=v value=\(token)>",
                answerFields: Self.html
            )
            return [page, post("v=\(token)")]
        }
        let rules = CorrelationRules.found(in: sessions).rules
        #expect(rules.count == 1)
        #expect((rules.first?.seen ?? 0) > 800)
        #expect(rules.first?.evidence.count == 5)
    }
}
