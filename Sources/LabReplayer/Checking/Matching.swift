// What it takes for an answer to match, as the user says it.

public import LabExchange

/// Which parts of an answer are held against the captured one, and what of them is not.
///
/// Whether a whole answer came at all always counts.
public struct Matching: Sendable, Equatable {
    /// The parts that can be compared.
    public struct Parts: OptionSet, Sendable {
        /// The parts as bits.
        public let rawValue: UInt8
        /// Makes parts from bits.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        /// The status code.
        public static let status = Parts(rawValue: 1)
        /// The fields of the head: none missing, none more, and the same values.
        ///
        /// Fields that frame the message or concern one connection are left out, and values that are
        /// new each time.
        public static let headers = Parts(rawValue: 2)
        /// The content, byte by byte, or as JSON where ``Matching/ignoredPointers`` says so.
        ///
        /// Contents that are coded, by gzip or deflate, are compared without their coding.
        public static let body = Parts(rawValue: 4)

        /// The parts by the names that `--match` takes.
        public var names: [String] {
            [(Parts.status, "status"), (.headers, "headers"), (.body, "body")]
                .filter { contains($0.0) }.map { $0.1 }
        }
    }

    /// What is compared.
    public var parts: Parts = [.status, .body]
    /// Fields that are not looked at, their names in lowercase.
    public var ignoredHeaders: Set<String> = []
    /// Places of JSON contents that are not looked at.
    ///
    /// Where there are any, contents that are JSON are compared as values, and all others byte by byte.
    public var ignoredPointers: [JSONPointer] = []

    /// Makes the usual: status and content.
    public init() {}
}
