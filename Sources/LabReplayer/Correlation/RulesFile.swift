// The rules file as JSON. A key that is not known is refused, for a rule that was misspelt would
// silently do nothing.

internal import FoundationEssentials

/// The rules file, as it is written.
struct RulesFile: Codable {
    var rules: [CorrelationRule]

    init(rules: [CorrelationRule]) { self.rules = rules }

    init(from decoder: any Decoder) throws {
        let members = try decoder.members(["version", "rules"])
        let version = try members.decode(Int.self, forKey: "version")
        guard version == CorrelationRules.version else {
            throw members.fault(
                "version",
                "version \(version) is not known; this lab reads \(CorrelationRules.version)"
            )
        }
        rules = try members.decode([CorrelationRule].self, forKey: "rules")
    }

    func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Name.self)
        try members.encode(CorrelationRules.version, forKey: "version")
        try members.encode(rules, forKey: "rules")
    }
}

/// A key of an object, whatever it is.
struct Name: CodingKey, ExpressibleByStringLiteral {
    var stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init(stringLiteral value: String) { stringValue = value }
    init?(intValue: Int) { nil }
}

extension Decoder {
    /// The members of an object that has no other keys than these.
    fileprivate func members(_ known: Set<String>) throws -> KeyedDecodingContainer<Name> {
        let members = try container(keyedBy: Name.self)
        for key in members.allKeys where !known.contains(key.stringValue) {
            throw members.fault(
                key,
                "there is no such key here; \(known.sorted().joined(separator: ", ")) are known"
            )
        }
        return members
    }
}

extension KeyedDecodingContainer<Name> {
    fileprivate func fault(_ key: Name, _ reason: String) -> DecodingError {
        DecodingError.dataCorrupted(
            DecodingError.Context(codingPath: codingPath + [key], debugDescription: reason)
        )
    }

    fileprivate func fault(_ reason: String) -> DecodingError {
        DecodingError.dataCorrupted(
            DecodingError.Context(codingPath: codingPath, debugDescription: reason)
        )
    }

    fileprivate func text(_ key: Name) throws -> String? {
        let text = try decodeIfPresent(String.self, forKey: key)
        if text?.isEmpty == true { throw fault(key, "it is empty") }
        return text
    }

    fileprivate func kind(_ key: Name) throws -> RequestKind {
        let text = try decode(String.self, forKey: key)
        guard let kind = RequestKind(text) else {
            throw fault(key, "'\(text)' is no method and path, such as \"POST /orders/*\"")
        }
        return kind
    }
}

extension CorrelationRule: Codable {
    init(from decoder: any Decoder) throws {
        let members = try decoder.members([
            "cookie", "take", "put", "seen", "evidence", "excerpt",
        ])
        if let name = try members.text("cookie") {
            guard !members.contains("take"), !members.contains("put") else {
                throw members.fault("a rule is of a cookie, or takes and puts a value; not both")
            }
            subject = .cookie(name)
        } else {
            let take = try members.decode(Take.self, forKey: "take")
            let put = try members.decode(Put.self, forKey: "put")
            subject = .value(from: take.from, at: take.locator, into: put.into, place: put.place)
        }
        seen = try members.decodeIfPresent(Int.self, forKey: "seen") ?? 0
        evidence = try members.decodeIfPresent([Evidence].self, forKey: "evidence") ?? []
        excerpt = try members.decodeIfPresent(String.self, forKey: "excerpt") ?? ""
    }

    func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Name.self)
        switch subject {
        case .cookie(let name): try members.encode(name, forKey: "cookie")
        case .value(let from, let locator, let into, let place):
            try members.encode(Take(from: from, locator: locator), forKey: "take")
            try members.encode(Put(into: into, place: place), forKey: "put")
        }
        try members.encode(seen, forKey: "seen")
        try members.encode(evidence, forKey: "evidence")
        try members.encode(excerpt, forKey: "excerpt")
    }
}

extension CorrelationRule.Evidence: Codable {
    init(from decoder: any Decoder) throws {
        let members = try decoder.members(["answer", "request"])
        answer = try members.decode(Int64.self, forKey: "answer")
        request = try members.decode(Int64.self, forKey: "request")
    }

    func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Name.self)
        try members.encode(answer, forKey: "answer")
        try members.encode(request, forKey: "request")
    }
}

/// Where a rule takes its value.
private struct Take: Codable {
    var from: RequestKind
    var locator: AnswerLocator

    init(from: RequestKind, locator: AnswerLocator) {
        self.from = from
        self.locator = locator
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.members([
            "from", "header", "cookie", "json", "input", "meta", "attribute", "link", "after",
            "before", "query", "path",
        ])
        from = try members.kind("from")
        var sources: [AnswerLocator.Source] = []
        if let name = try members.text("header") { sources.append(.header(name.lowercased())) }
        if let name = try members.text("cookie") { sources.append(.cookie(name)) }
        if let pointer = try members.pointer() { sources.append(.json(pointer)) }
        if let name = try members.text("input") { sources.append(.input(name)) }
        if let name = try members.text("meta") { sources.append(.meta(name)) }
        if let name = try members.text("attribute") {
            sources.append(.attribute(name.lowercased()))
        }
        if let path = try members.text("link") { sources.append(.link(PathPattern(path))) }
        if let after = try members.text("after") {
            let before = try members.decodeIfPresent(String.self, forKey: "before") ?? ""
            sources.append(.text(after: after, before: before))
        }
        guard sources.count == 1, let source = sources.first else {
            throw members.fault(
                "one of header, cookie, json, input, meta, attribute, link and after belongs here; "
                    + "\(sources.count) are given"
            )
        }
        locator = AnswerLocator(source)
        if let name = try members.text("query") {
            locator.part = .query(name)
        } else if let path = try members.text("path") {
            locator.part = .path(PathPattern(path))
        }
        if case .path(let pattern) = locator.part, !pattern.text.contains("*") {
            throw members.fault("path", "the '*' is missing that says what to take")
        }
        if case .link(let pattern) = source, locator.part == nil, !pattern.text.contains("*") {
            throw members.fault("link", "the '*' is missing that says what to take, or 'query'")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Name.self)
        try members.encode(from.text, forKey: "from")
        switch locator.source {
        case .header(let name): try members.encode(name, forKey: "header")
        case .cookie(let name): try members.encode(name, forKey: "cookie")
        case .json(let pointer): try members.encode(pointer, forKey: "json")
        case .input(let name): try members.encode(name, forKey: "input")
        case .meta(let name): try members.encode(name, forKey: "meta")
        case .attribute(let name): try members.encode(name, forKey: "attribute")
        case .link(let pattern): try members.encode(pattern.text, forKey: "link")
        case .text(let after, let before):
            try members.encode(after, forKey: "after")
            try members.encode(before, forKey: "before")
        }
        switch locator.part {
        case .query(let name): try members.encode(name, forKey: "query")
        case .path(let pattern): try members.encode(pattern.text, forKey: "path")
        case nil: break
        }
    }
}

/// Where a rule puts its value.
private struct Put: Codable {
    var into: RequestKind
    var place: RequestPlace

    init(into: RequestKind, place: RequestPlace) {
        self.into = into
        self.place = place
    }

    init(from decoder: any Decoder) throws {
        let members = try decoder.members([
            "into", "header", "query", "segment", "form", "part", "json",
        ])
        into = try members.kind("into")
        var places: [RequestPlace] = []
        if let name = try members.text("header") { places.append(.header(name.lowercased())) }
        if let name = try members.text("query") { places.append(.query(name)) }
        if let number = try members.decodeIfPresent(Int.self, forKey: "segment") {
            guard number > 0 else { throw members.fault("segment", "segments count from 1") }
            places.append(.segment(number))
        }
        if let name = try members.text("form") { places.append(.form(name)) }
        if let name = try members.text("part") { places.append(.part(name)) }
        if let pointer = try members.pointer() { places.append(.json(pointer)) }
        guard places.count == 1, let place = places.first else {
            throw members.fault(
                "one of header, query, segment, form, part and json belongs here; "
                    + "\(places.count) are given"
            )
        }
        self.place = place
    }

    func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: Name.self)
        try members.encode(into.text, forKey: "into")
        switch place {
        case .header(let name): try members.encode(name, forKey: "header")
        case .query(let name): try members.encode(name, forKey: "query")
        case .segment(let number): try members.encode(number, forKey: "segment")
        case .form(let name): try members.encode(name, forKey: "form")
        case .part(let name): try members.encode(name, forKey: "part")
        case .json(let pointer): try members.encode(pointer, forKey: "json")
        }
    }
}

extension KeyedDecodingContainer<Name> {
    /// A JSON Pointer; the empty one is the whole text (RFC 6901 5).
    fileprivate func pointer() throws -> String? {
        guard let pointer = try decodeIfPresent(String.self, forKey: "json") else { return nil }
        guard pointer.isEmpty || pointer.hasPrefix("/") else {
            throw fault("json", "'\(pointer)' is no JSON Pointer, such as \"/user/token\"")
        }
        return pointer
    }
}
