// Where in an answer a value stands, and how it is read from there.

/// A place in an answer from which a value is taken.
struct AnswerLocator: Sendable, Equatable, Hashable {
    /// What holds the value, or a URL that holds it.
    enum Source: Sendable, Equatable, Hashable {
        /// A header field; the name in lowercase.
        case header(String)
        /// A cookie that the answer sets.
        case cookie(String)
        /// A string or number of a JSON content, by its JSON Pointer (RFC 6901).
        case json(String)
        /// The value of a form's input field.
        case input(String)
        /// The content of an HTML `meta` element.
        case meta(String)
        /// An attribute of any HTML element, such as `data-token`.
        case attribute(String)
        /// The first link of an HTML page whose path is this one, with `*` for what varies.
        case link(PathPattern)
        /// What stands between two texts in the content.
        case text(after: String, before: String)
    }

    /// The part of a URL that is taken.
    enum URLPart: Sendable, Equatable, Hashable {
        /// The value of a field of its query.
        case query(String)
        /// What `*` stands for in its path.
        case path(PathPattern)
    }

    var source: Source
    /// The part of the URL that the source holds; nil where the source holds the value itself.
    var part: URLPart?

    init(_ source: Source, part: URLPart? = nil) {
        self.source = source
        self.part = part
    }

    /// The value in an answer; nil where it is not there, or is empty.
    func value(in answer: AnswerAnatomy) -> [UInt8]? {
        let found = answer.values(of: source, part)
        return found?.isEmpty == false ? found : nil
    }
}
