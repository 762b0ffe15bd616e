// The head of a message: its bytes as they came, and where in them everything stands.

/// A field line, as ranges in the bytes of its head; the name and value are never copied.
public struct FieldLine: Sendable, Equatable {
    /// Where the name stands.
    public let name: Range<Int>
    /// Where the value stands, without the whitespace around it.
    public let value: Range<Int>

    /// Makes a field line from the places of its name and value.
    public init(name: Range<Int>, value: Range<Int>) {
        self.name = name
        self.value = value
    }
}

/// What is common to the heads of requests and responses.
public protocol MessageHead: Sendable {
    /// The head as it came, from its first byte to the empty line that ends it.
    var bytes: [UInt8] { get }
    /// The field lines in the order in which they came.
    var fields: [FieldLine] { get }
    /// The minor version: 0 for HTTP/1.0, 1 for HTTP/1.1, and so on to 9.
    var minorVersion: Int { get }
    /// What the `Connection` fields ask for.
    var connection: ConnectionOptions { get }
    /// The rules that this head bent and that were let pass.
    var deviations: [Deviation] { get }
}

/// The options of `Connection` that concern the connection itself (RFC 9110 7.6.1).
public struct ConnectionOptions: OptionSet, Sendable {
    /// The options as bits.
    public let rawValue: UInt8
    /// Makes options from bits.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The sender closes after this message.
    public static let close = ConnectionOptions(rawValue: 1)
    /// The sender wants to go on: what HTTP/1.0 must ask for.
    public static let keepAlive = ConnectionOptions(rawValue: 2)
    /// The sender offers another protocol.
    public static let upgrade = ConnectionOptions(rawValue: 4)
}

/// How the length of a message's content is known (RFC 9112 6.3).
public enum BodyFraming: Sendable, Equatable {
    /// There is no content.
    case none
    /// As many bytes as `Content-Length` says.
    case length(UInt64)
    /// The chunked transfer coding.
    case chunked
    /// All that comes until the sender closes; responses only.
    case untilClose
}

extension MessageHead {
    /// The name of a field, as it came.
    @inlinable
    public func name(of field: FieldLine) -> ArraySlice<UInt8> { bytes[field.name] }

    /// The value of a field, as it came.
    @inlinable
    public func value(of field: FieldLine) -> ArraySlice<UInt8> { bytes[field.value] }

    /// The value of the first field of a name, the name given in lowercase.
    public func value(ofFirst name: StaticString) -> ArraySlice<UInt8>? {
        for field in fields where bytes[field.name].equals(ignoringCase: name) {
            return bytes[field.value]
        }
        return nil
    }

    /// Whether the connection can carry another message after this one (RFC 9112 9.3).
    public var persists: Bool {
        if connection.contains(.close) { return false }
        return minorVersion >= 1 || connection.contains(.keepAlive)
    }
}

/// The head of a request.
public struct RequestHead: MessageHead, Equatable {
    /// The head as it came, from its first byte to the empty line that ends it.
    public internal(set) var bytes: [UInt8]
    /// The field lines in the order in which they came.
    public internal(set) var fields: [FieldLine]
    /// The minor version, 0 to 9.
    public internal(set) var minorVersion: Int
    /// What the `Connection` fields ask for.
    public internal(set) var connection: ConnectionOptions
    /// The rules that this head bent and that were let pass.
    public internal(set) var deviations: [Deviation]
    /// How the request's content is framed.
    public internal(set) var framing: BodyFraming
    /// Whether the client waits for `100 Continue` before it sends the content.
    public internal(set) var expectsContinue: Bool
    var methodRange: Range<Int>
    var targetRange: Range<Int>

    /// The method, as it came; case matters.
    public var method: ArraySlice<UInt8> { bytes[methodRange] }
    /// The request target, as it came.
    public var target: ArraySlice<UInt8> { bytes[targetRange] }
    /// Whether sending it twice means the same as sending it once (RFC 9110 9.2.2).
    public var isIdempotent: Bool {
        method.equals("GET") || method.equals("HEAD") || method.equals("OPTIONS")
            || method.equals("TRACE") || method.equals("PUT") || method.equals("DELETE")
    }
    /// Where the target stands in ``bytes``.
    public var targetPlace: Range<Int> { targetRange }
}

/// The head of a response.
public struct ResponseHead: MessageHead, Equatable {
    /// The head as it came, from its first byte to the empty line that ends it.
    public internal(set) var bytes: [UInt8]
    /// The field lines in the order in which they came.
    public internal(set) var fields: [FieldLine]
    /// The minor version, 0 to 9.
    public internal(set) var minorVersion: Int
    /// What the `Connection` fields ask for.
    public internal(set) var connection: ConnectionOptions
    /// The rules that this head bent and that were let pass.
    public internal(set) var deviations: [Deviation]
    /// The status code, 100 to 999.
    public internal(set) var status: Int
    /// How the content is framed, whatever the request was; see ``framing(forMethod:)``.
    var fieldFraming: BodyFraming
    var reasonRange: Range<Int>
    /// Where the first field line begins.
    public internal(set) var fieldsStart: Int

    /// The reason phrase, as it came; often empty, never to be trusted.
    public var reason: ArraySlice<UInt8> { bytes[reasonRange] }
    /// Whether this is an interim response that another one follows.
    public var isInterim: Bool { status < 200 && status != 101 }

    /// How the content is framed in an answer to a request of this method (RFC 9112 6.3).
    public func framing(forMethod method: some Collection<UInt8>) -> BodyFraming {
        if status < 200 || status == 204 || status == 304 || method.equals("HEAD") { return .none }
        if status < 300 && method.equals("CONNECT") { return .none }
        return fieldFraming
    }
}
