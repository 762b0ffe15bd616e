// Where in a request a value stands.

/// A place in a request where a value can be put.
enum RequestPlace: Sendable, Equatable, Hashable {
    /// A header field, or a part of its value; the name in lowercase.
    case header(String)
    /// A field of the query.
    case query(String)
    /// A segment of the path, from 1, or a part of it.
    case segment(Int)
    /// A field of an `application/x-www-form-urlencoded` content.
    case form(String)
    /// A field of a `multipart/form-data` content.
    case part(String)
    /// A string or number of a JSON content, by its JSON Pointer (RFC 6901).
    case json(String)
}

/// A value in a request: where it stands in the request's bytes, and what it says.
struct PlacedValue {
    var place: RequestPlace
    /// Its bytes in the request.
    var range: Range<Int>
    /// What it says, decoded.
    var value: [UInt8]
    var encoding: ValueEncoding
    /// Whether it is a JSON number: it can be replaced by one only.
    var isNumber = false
}
