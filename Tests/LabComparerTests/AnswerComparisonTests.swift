import LabExchange
import LabTestSupport
import Testing

@testable import LabComparer

/// Answers, compared as a person would.
@Suite struct AnswerComparisonTests {
    private func answer(
        _ content: String,
        type: String? = "application/json",
        fields: String = "",
        status: Int = 200
    ) -> ObservedAnswer {
        let line = type.map { "Content-Type: \($0)\r\n" } ?? ""
        return ObservedAnswer(
            outcome: .ok,
            status: status,
            head: Array("HTTP/1.1 \(status) Any\r\n\(line)\(fields)\r\n".utf8),
            content: Array(content.utf8)
        )
    }

    private func differences(
        _ before: ObservedAnswer,
        _ after: ObservedAnswer,
        rules: [Rule] = []
    ) -> [String] {
        let book = RuleBook(rules: rules, today: "2026-11-25")
        return AnswerComparison.differences(before, after, rules: book.rules(for: "GET /"))
            .differences.map { "\($0.key.place) \($0.key.kind.rawValue)" }.sorted()
    }

    private func json(_ before: String, _ after: String, rules: [Rule] = []) -> [String] {
        differences(answer(before), answer(after), rules: rules)
    }

    @Test(arguments: [
        // Only values of such fields: nothing differs.
        ("Date: 1\r\nX-A: 1\r\n", "Date: 2\r\nX-A: 1\r\n", []),
        ("date: 1\r\nX-A: 1\r\n", "date: 2\r\nX-A: 1\r\n", []),
        // Another field beside them, one that is there only now, one of which the name begins alike.
        (
            "Date: 1\r\nX-A: 1\r\n", "Date: 2\r\nX-A: 2\r\n",
            ["header x-a value"]
        ),
        ("Date: 1\r\n", "Date: 2\r\nX-A: 1\r\n", ["header x-a extra"]),
        ("Date: 1\r\nX-A: 1\r\n", "X-A: 1\r\n", ["header date missing"]),
        ("Date: 1\r\n", "Dated: 1\r\n", ["header date missing", "header dated extra"]),
        // In another order and another case.
        ("Date: 1\r\nX-A: 1\r\n", "X-a: 1\r\nDATE: 2\r\n", []),
        // A line that is no field.
        ("Date: 1\r\n: 1\r\nDate\r\n", "Date: 2\r\n: 2\r\nDate\r\n", []),
    ])
    func `fields that are new in each answer hide no other field`(
        before: String,
        after: String,
        expected: [String]
    ) {
        #expect(differences(answer("1", fields: before), answer("1", fields: after)) == expected)
    }

    @Test(arguments: [
        // What means the same.
        (#"{"a":1,"b":[1,2]}"#, #"{"b":[1.0,2e0],"a":1}"#, ["body reserialized"]),
        // A name that stands twice is paired by its turn.
        (#"{"a":1,"b":0,"a":2}"#, #"{"a":1,"a":"3","b":0}"#, ["body.a type"]),
        (
            #"{"a":1,"a":2,"b":0}"#, #"{"b":1,"a":1}"#,
            ["body.a missing", "body.b shape", "body.b value"]
        ),
        (#"{"a":1,"b":0}"#, #"{"b":0,"a":1,"a":1,"a":3}"#, ["body.a extra"]),
        (#""\u00e9\n\/""#, "\"é\\n/\"", ["body reserialized"]),
        ("[0, -0, 0e9]", "[0,0,0.00]", ["body reserialized"]),
        // What does not.
        (#"{"price":1}"#, #"{"price":"1"}"#, ["body.price type"]),
        (#"{"price":1}"#, #"{"price":null}"#, ["body.price null_flip"]),
        (#"{"price":1}"#, #"{"price":2}"#, ["body.price value"]),
        (#"{"price":0.1}"#, #"{"price":0.10000000000000001}"#, ["body.price value"]),
        (#"{"ms":12}"#, #"{"ms":12000}"#, ["body.ms shape", "body.ms value"]),
        (#"{"a":1,"b":2}"#, #"{"a":1}"#, ["body.b missing"]),
        (#"{"a":1}"#, #"{"a":1,"b":2}"#, ["body.b extra"]),
        ("{}", "[]", ["body type"]),
        // Arrays.
        ("[3,1,2]", "[1,2,3]", ["body order"]),
        ("[1,2,3]", "[1,3]", ["body length"]),
        ("[1,2,3]", "[1,9,3]", ["body[] value"]),
        (
            #"[{"id":1,"v":"a"},{"id":2,"v":"b"}]"#, #"[{"id":2,"v":"b"},{"id":1,"v":"x"}]"#,
            ["body order", "body[].v value"]
        ),
        (#"[{"id":1},{"id":2}]"#, #"[{"id":2},{"id":3}]"#, ["body[] extra", "body[] missing"]),
        // Names that are data.
        (#"{"users":{"17":{"n":1}}}"#, #"{"users":{"17":{"n":2}}}"#, ["body.users.{}.n value"]),
        // No JSON any more.
        (#"{"a":1}"#, "<html>", ["body type"]),
    ])
    func `two JSON documents differ where they mean something else`(
        before: String,
        after: String,
        expected: [String]
    ) {
        #expect(json(before, after) == expected)
        #expect(json(before, before) == [])
    }

    @Test func `a document that is compared with itself differs in nothing, however it is split`() {
        var random = SplitMix64(seed: 9)
        func value(_ depth: Int) -> String {
            switch Int.random(in: 0..<(depth > 3 ? 4 : 6), using: &random) {
            case 0: return "null"
            case 1: return "\(Int.random(in: -1000...1000, using: &random))"
            case 2: return "\"\(Int.random(in: 0...9, using: &random))\\u0041\""
            case 3: return "true"
            case 4:
                return "[" + (0..<3).map { _ in value(depth + 1) }.joined(separator: ",") + "]"
            default:
                return "{"
                    + (0..<3).map { "\"k\($0)\":" + value(depth + 1) }
                    .joined(separator: ", ") + "}"
            }
        }
        for _ in 0..<300 {
            let text = value(0)
            let spaced = text.replacing(",", with: " ,\n ")
            let document = JSONDocument(Array(text.utf8)[...])
            let other = JSONDocument(Array(spaced.utf8)[...])
            #expect(document != nil && document?.entries[0].hash == other?.entries[0].hash)
        }
    }

    @Test(arguments: [
        "", "{", "{\"a\"}", "[1,]", "01", "1.", "-", "+1", "\"\\x\"", "\"\u{1}\"", "nul", "1 2",
        "{\"a\":1,}", "\"\\u12\"", String(repeating: "[", count: 1000),
    ])
    func `what is no JSON is not read as JSON`(text: String) {
        #expect(JSONDocument(Array(text.utf8)[...]) == nil)
    }

    @Test func `a field is always missed, and its value unless it is known to change`() {
        let before = answer(
            "x",
            type: "text/plain",
            fields:
                "Date: Wed, 25 Nov 2026 20:13:14 GMT\r\nX-Request-Id: 1\r\nX-Mode: a\r\nX-Candidate-Date: 1\r\n"
        )
        let after = answer(
            "x",
            type: "text/plain",
            fields:
                "Date: Wed, 25 Nov 2026 20:13:15 GMT\r\nX-Mode: b\r\nX-Candidate-Date: 2\r\nX-New: 1\r\n"
        )
        #expect(
            differences(before, after) == [
                "header x-candidate-date value", "header x-mode value", "header x-new extra",
                "header x-request-id missing",
            ]
        )
    }

    @Test func `of an entity tag only the form is compared`() {
        let before = answer("x", fields: "ETag: \"5f2a6c31e0b14d77\"\r\n")
        #expect(differences(before, answer("x", fields: "ETag: \"a1b2c3d4e5f60718\"\r\n")) == [])
        #expect(
            differences(before, answer("x", fields: "ETag: none of it\r\n"))
                == ["header etag shape"]
        )
    }

    @Test func `cookies are compared by name and by attribute`() {
        let before = answer(
            "x",
            fields: "Set-Cookie: sid=1a2b3c4d; Path=/; Secure; HttpOnly\r\nSet-Cookie: lang=de\r\n"
        )
        let after = answer("x", fields: "Set-Cookie: sid=9f8e7d6c; Path=/; HttpOnly\r\n")
        #expect(
            differences(before, after)
                == ["cookie lang missing", "cookie sid value", "cookie sid; secure missing"]
        )
    }

    @Test func `with another status nothing else is told`() {
        #expect(differences(answer("{}"), answer("[1]", status: 500)) == ["status status"])
        #expect(
            differences(answer("{}", status: 500), answer("[1]")) == ["status recovered status"]
        )
        let broken = ObservedAnswer(outcome: .reset, status: 0)
        #expect(differences(answer("{}"), broken) == ["outcome outcome"])
        #expect(differences(broken, broken) == [])
    }

    @Test func `another media type is told`() {
        #expect(
            differences(answer("{}"), answer("{}", type: "text/html"))
                == ["header content-type content_type"]
        )
        #expect(
            differences(answer("{}"), answer("{}", type: nil)) == ["header content-type missing"]
        )
    }

    @Test func `pages differ by tag, attribute and text`() {
        let page = "<!DOCTYPE html><p class=a>Hello <b>you</b></p><script>if (a<b) x()</script>"
        #expect(differences(answer(page, type: "text/html"), answer(page, type: "text/html")) == [])
        #expect(
            differences(
                answer(page, type: "text/html"),
                answer(page.replacing("class=a", with: "class='b'"), type: "text/html")
            ) == ["body <p>:1@class value"]
        )
        #expect(
            differences(
                answer(page, type: "text/html"),
                answer(page.replacing("you", with: "me"), type: "text/html")
            ) == ["body <b>:4 value"]
        )
        // A comment is not seen.
        #expect(
            differences(
                answer(page, type: "text/html"),
                answer("<!-- built today -->" + page, type: "text/html")
            ) == []
        )
    }

    @Test func `text differs by line, forms by field`() {
        #expect(
            differences(
                answer("a\nb\nc", type: "text/plain"),
                answer("a\nx\nc", type: "text/plain")
            )
                == ["body:2 value"]
        )
        #expect(
            differences(answer("a\nb", type: "text/plain"), answer("a", type: "text/plain"))
                == ["body length"]
        )
        let form = "application/x-www-form-urlencoded"
        #expect(
            differences(answer("a=1&b=%41x", type: form), answer("b=Ay&c=3", type: form))
                == ["body.a missing", "body.b value", "body.c extra"]
        )
    }

    @Test func `rules forgive what they name, and nothing else`() {
        func rule(_ path: String, _ action: RuleAction, expires: String? = nil) -> [Rule] {
            [Rule(endpoint: "GET *", path: path, action: action, reason: "known", expires: expires)]
        }
        let (before, after) = (#"{"t":100,"s":[1,2]}"#, #"{"t":101,"s":[2,1]}"#)
        #expect(json(before, after) == ["body.s order", "body.t value"])
        #expect(json(before, after, rules: rule("body.t", .ignore)) == ["body.s order"])
        #expect(json(before, after, rules: rule("body.*", .ignore)) == [])
        #expect(json(before, after, rules: rule("body.t", .tolerance(0.05))) == ["body.s order"])
        #expect(json(before, after, rules: rule("body.t", .tolerance(0.001))).count == 2)
        #expect(json(before, after, rules: rule("body.s", .multiset)) == ["body.t value"])
        #expect(json("[1,1,2]", "[2,1]", rules: rule("body", .set)) == [])
        #expect(json(before, after, rules: rule("body.t", .shape)) == ["body.s order"])
        let people = (
            #"[{"nick":"a","v":1},{"nick":"b","v":2}]"#, #"[{"nick":"b","v":2},{"nick":"a","v":3}]"#
        )
        #expect(
            json(people.0, people.1, rules: rule("body", .key("nick")))
                == ["body order", "body[].v value"]
        )
        // One that has expired forgives nothing.
        #expect(
            json(before, after, rules: rule("body.t", .ignore, expires: "2026-11-24")).count == 2
        )
        #expect(
            json(before, after, rules: rule("body.t", .ignore, expires: "2026-11-25")).count == 1
        )
    }

    @Test(arguments: [
        (#"{"rules":[]}"#, nil),
        (#"{"rules":[{"path":"body.a","action":"ignore","reason":"r"}]}"#, nil),
        (#"{"rules":[{"path":"body.a","action":"tolerance","tolerance":0.1,"reason":"r"}]}"#, nil),
        ("{", "no JSON"),
        (#"{"rule":[]}"#, "'rule' that is not known"),
        (#"{"rules":[{"path":"a","action":"ignore","reason":"r","colour":1}]}"#, "'colour'"),
        (#"{"rules":[{"path":"a","action":"ignore"}]}"#, "lacks one of"),
        (#"{"rules":[{"path":"a","action":"forgive","reason":"r"}]}"#, "'forgive' is not known"),
        (#"{"rules":[{"path":"a","action":"key","reason":"r"}]}"#, "needs 'key'"),
        (#"{"rules":[{"path":"a","action":"ignore","reason":"r","expires":"soon"}]}"#, "'soon'"),
        (#"{"rules":[{"path":"a","path":"b","action":"ignore","reason":"r"}]}"#, "twice"),
    ])
    func `a rules file that is not understood is refused in a sentence`(
        text: String,
        complaint: String?
    ) {
        do {
            _ = try RuleBook(reading: Array(text.utf8), today: "2026-11-25")
            #expect(complaint == nil)
        } catch {
            #expect(complaint.map { error.description.contains($0) } == true, "\(error)")
        }
    }
}
