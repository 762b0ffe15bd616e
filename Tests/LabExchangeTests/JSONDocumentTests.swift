import LabExchange
import Testing

struct JSONDocumentTests {
    private func tree(_ text: String) -> JSONDocument? { JSONDocument(Array(text.utf8)[...]) }

    @Test(arguments: [
        (#"{"a":1,"b":[true,null]}"#, " { \"b\" : [ true , null ] ,\n\"a\" : 1 } "),
        ("1500", "1.50e3"), ("-0", "0.000"), ("100e-2", "1"), ("0.10", "1E-1"),
        (#""\u00e9\n\/""#, "\"é\\u000A/\""), (#""\ud83d\ude00""#, "\"😀\""),
        (#"{"a":1,"a":2}"#, #"{"a":2}"#), ("\u{FEFF}[]", "[]"),
    ])
    func `texts that mean the same do not differ`(one: String, other: String) throws {
        let (one, other) = (try #require(tree(one)), try #require(tree(other)))
        #expect(one.difference(from: other, ignoring: []) == nil)
    }

    @Test(arguments: [
        ("1", "\"1\""), ("1", "1.0000000000000000000001"), ("null", "false"), ("[]", "{}"),
        ("[1,2]", "[2,1]"), ("-1", "1"), (#""\ud83d""#, #""\ud83e""#), ("0", "[]"),
        ("9007199254740993", "9007199254740992"),
    ])
    func `texts that mean something else do`(one: String, other: String) throws {
        let (one, other) = (try #require(tree(one)), try #require(tree(other)))
        #expect(one.difference(from: other, ignoring: []) != nil)
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "{\"a\":}", "{a:1}", "01", "1.", ".5", "+1", "1e", "tru", "nulll",
        "[1] 2", "\"a", "\"\\x\"", "\"\\u12\"", "\"a\nb\"", "'a'", "NaN", "{\"a\":1,}",
    ])
    func `what is no JSON is no document`(text: String) {
        #expect(tree(text) == nil)
    }

    @Test func `a text that is too deep is no document, and ends nothing`() {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(tree(nested(JSONDocument.mostDepth)) != nil)
        #expect(tree(nested(JSONDocument.mostDepth + 1)) == nil)
        #expect(tree(String(repeating: "{\"a\":", count: 100_000)) == nil)
    }

    struct Row: Sendable {
        var one: String
        var other: String
        var ignoring: [String] = []
        var place: String?
    }

    @Test(arguments: [
        Row(one: #"{"a":1,"b":2}"#, other: #"{"b":2,"a":1}"#),
        Row(one: #"{"a":1}"#, other: #"{"a":2}"#, place: "/a"),
        Row(one: #"{"a":1}"#, other: #"{"a":2}"#, ignoring: ["/a"]),
        Row(one: #"{"a":1}"#, other: #"{}"#, ignoring: ["/a"]),
        Row(one: #"{}"#, other: #"{"a":{"b":1}}"#, place: "/a"),
        Row(one: #"{"a":{"b":1}}"#, other: #"{"a":{"b":2}}"#, ignoring: ["/b"], place: "/a/b"),
        Row(one: #"[{"i":1},{"i":2}]"#, other: #"[{"i":1},{"i":3}]"#, place: "/*/i"),
        Row(one: #"[{"i":1},{"i":2}]"#, other: #"[{"i":1},{"i":3}]"#, ignoring: ["/*/i"]),
        Row(one: #"[{"i":1},{"i":2}]"#, other: #"[{"i":1},{"i":3}]"#, ignoring: ["/1/i"]),
        Row(
            one: #"[{"i":1},{"i":2}]"#,
            other: #"[{"i":0},{"i":3}]"#,
            ignoring: ["/1/i"],
            place: "/*/i"
        ), Row(one: "[1,2]", other: "[1,2,3]", place: "/*"),
        Row(one: "[1,2]", other: "[1,2,3]", ignoring: ["/2"]),
        Row(one: "[1]", other: #"{"a":1}"#, place: ""),
        Row(one: "[1]", other: #"{"a":1}"#, ignoring: [""]),
        Row(one: #"{"a/b":{"m~n":1}}"#, other: #"{"a/b":{"m~n":2}}"#, place: "/a~1b/m~0n"),
        Row(one: #"{"a/b":{"m~n":1}}"#, other: #"{"a/b":{"m~n":2}}"#, ignoring: ["/a~1b/m~0n"]),
        Row(
            one: #"{"x":{"t":1},"y":{"t":1,"u":1}}"#,
            other: #"{"x":{"t":2},"y":{"t":2,"u":2}}"#,
            ignoring: ["/*/t"],
            place: "/y/u"
        ),
        // Where it ends in "-", RFC 6901 names no element: here it is a name like any other.
        Row(one: "[1]", other: "[2]", ignoring: ["/-"], place: "/*"),
    ])
    func `the first difference is told as a pointer that could be ignored`(row: Row) throws {
        let pointers = try row.ignoring.map { try #require(JSONPointer($0)) }
        let one = try #require(tree(row.one))
        let other = try #require(tree(row.other))
        #expect(one.difference(from: other, ignoring: pointers) == row.place)
        #expect(other.difference(from: one, ignoring: pointers) == row.place)
    }

    @Test(arguments: ["a", "a/b", "/a~", "/~2", "/a~b"])
    func `what is no pointer is none`(text: String) {
        #expect(JSONPointer(text) == nil)
    }
}
