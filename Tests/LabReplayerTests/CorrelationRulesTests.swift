import LabExchange
import Testing

@testable import LabReplayer

/// The rules file: written, edited, read.
@Suite struct CorrelationRulesTests {
    private func read(_ json: String) throws -> [CorrelationRule] {
        try CorrelationRules(json: Array(json.utf8), path: "rules.json").rules
    }

    private func complaint(_ json: String) -> String {
        do {
            _ = try CorrelationRules(json: Array(json.utf8), path: "rules.json")
            return ""
        } catch {
            return error.description
        }
    }

    @Test func `what is written is read as it was`() throws {
        let get = try #require(RequestKind("GET /a/*"))
        let put = try #require(RequestKind("* /b"))
        let locators: [AnswerLocator] = [
            AnswerLocator(.header("location"), part: .query("q")),
            AnswerLocator(.header("location"), part: .path(PathPattern("/x/*"))),
            AnswerLocator(.cookie("Case")), AnswerLocator(.json("")), AnswerLocator(.json("/a~1b")),
            AnswerLocator(.input("i")), AnswerLocator(.meta("m")), AnswerLocator(.attribute("d")),
            AnswerLocator(.link(PathPattern("/l/*"))),
            AnswerLocator(.link(PathPattern("/l")), part: .query("q")),
            AnswerLocator(.text(after: "\"a", before: "\"")),
        ]
        let places: [RequestPlace] = [
            .header("h"), .query("q"), .segment(3), .form("f"), .part("p"), .json("/j/0"),
        ]
        var rules = [CorrelationRule(subject: .cookie("sid"), seen: 3, excerpt: "ab…")]
        for (index, locator) in locators.enumerated() {
            let place = places[index % places.count]
            rules.append(
                CorrelationRule(
                    subject: .value(from: get, at: locator, into: put, place: place),
                    seen: index,
                    evidence: [.init(answer: 1, request: 2)]
                )
            )
        }
        let written = CorrelationRules(rules)
        #expect(try read(written.json) == rules)
        #expect(written.json.hasSuffix("}\n"))
    }

    @Test func `a rule needs no evidence`() throws {
        let rules = try read(
            """
            {"version": 1, "rules": [{"cookie": "sid"},
              {"take": {"from": "POST /login", "json": "/token"},
               "put": {"into": "* /api/*", "header": "Authorization"}}]}
            """
        )
        #expect(rules.count == 2)
        #expect(rules.first?.subject == .cookie("sid"))
    }

    @Test(arguments: [
        ("{", "it is no JSON"),
        ("{\"rules\": []}", "'version' is missing"),
        ("{\"version\": 2, \"rules\": []}", "at version: version 2 is not known"),
        ("{\"version\": 1, \"rules\": [], \"more\": 1}", "at more: there is no such key here"),
        (
            "{\"version\": 1, \"rules\": [{\"cookie\": \"a\"}, {\"cokie\": \"b\"}]}",
            "at rules[1].cokie: there is no such key here; cookie, evidence,"
        ),
        (
            "{\"version\": 1, \"rules\": [{\"take\": {\"from\": \"login\", \"json\": \"/t\"}, \"put\": {}}]}",
            "at rules[0].take.from: 'login' is no method and path"
        ),
        (
            "{\"version\": 1, \"rules\": [{\"take\": {\"from\": \"GET /\", \"json\": \"t\"}, \"put\": {}}]}",
            "at rules[0].take.json: 't' is no JSON Pointer"
        ),
        (
            "{\"version\": 1, \"rules\": [{\"take\": {\"from\": \"GET /\", \"json\": \"\", \"meta\": \"m\"}, \"put\": {}}]}",
            "at rules[0].take: one of header,"
        ),
        (
            "{\"version\": 1, \"rules\": [{\"take\": {\"from\": \"GET /\", \"link\": \"/x\"}, \"put\": {}}]}",
            "at rules[0].take.link: the '*' is missing"
        ),
        (
            "{\"version\": 1, \"rules\": [{\"take\": {\"from\": \"GET /\", \"meta\": \"m\"}, \"put\": {\"into\": \"GET /\", \"segment\": 0}}]}",
            "at rules[0].put.segment: segments count from 1"
        ),
        (
            "{\"version\": 1, \"rules\": [{\"cookie\": 7}]}",
            "at rules[0].cookie: it has not the type"
        ),
    ])
    func `what is wrong is told with its place`(_ json: String, sentence: String) {
        #expect(complaint(json).contains(sentence), "\(complaint(json))")
        #expect(complaint(json).hasPrefix("Cannot use the rules in 'rules.json'"))
    }
}
