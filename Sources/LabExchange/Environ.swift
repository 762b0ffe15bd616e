// The environ: what an application is told of a request (PEP 3333, RFC 3875).

import LabWire

/// Ordered names and values, kept in one run of bytes, as an application gets them.
///
/// A value holds bytes, not characters: as JSON each byte is one code point from 0 to 255, the way
/// PEP 3333 hands bytes to an application as native strings.
public struct Environ: Sendable, Equatable {
    private struct Entry: Sendable, Equatable {
        var name: Range<Int32>
        var value: Range<Int32>
        var type: ValueType
    }

    /// How a value is written in JSON.
    public enum ValueType: UInt8, Sendable {
        /// A string.
        case string
        /// `true` or `false`, or an array of numbers: written as it stands.
        case literal
    }

    private var storage: [UInt8] = []
    private var entries: [Entry] = []

    /// Makes an empty environ.
    public init() {
        storage.reserveCapacity(1024)
        entries.reserveCapacity(40)
    }

    /// How many names there are.
    public var count: Int { entries.count }

    /// Adds a name and its value; a name that is there already is there twice.
    public mutating func add(
        _ name: StaticString,
        _ value: some Collection<UInt8>,
        as type: ValueType = .string
    ) {
        let start = storage.count
        storage.append(name)
        finish(start, storage.count, value, type)
    }

    /// Adds a name and its value; a name that is there already is there twice.
    public mutating func add(
        name: some Collection<UInt8>,
        value: some Collection<UInt8>,
        as type: ValueType = .string
    ) {
        let start = storage.count
        storage.append(contentsOf: name)
        finish(start, storage.count, value, type)
    }

    /// Adds the variable of a header field: `HTTP_` and its name, capitals, `-` as `_`.
    ///
    /// A second field of the same name is joined to the first: by `; ` for `Cookie`
    /// (RFC 6265 5.4), by `, ` for all others (RFC 9110 5.3).
    public mutating func add(field name: some Collection<UInt8>, value: some Collection<UInt8>) {
        let start = storage.count
        storage.append("HTTP_")
        for byte in name {
            let isLetter = asciiLowercased(byte) &- 0x61 < 26
            storage.append(isLetter ? byte & 0xDF : byte == 0x2D ? 0x5F : byte)
        }
        let end = storage.count
        guard let other = entries.firstIndex(where: { isSame($0.name, start..<end) }) else {
            finish(start, end, value, .string)
            return
        }
        let isCookie = storage[start..<end].equals("HTTP_COOKIE")
        let first = Array(storage[place(entries[other].value)])
        storage.removeSubrange(start...)
        let valueStart = storage.count
        storage.append(contentsOf: first)
        storage.append(isCookie ? "; " : ", ")
        storage.append(contentsOf: value)
        entries[other].value = Int32(valueStart)..<Int32(storage.count)
    }

    private mutating func finish(
        _ start: Int,
        _ nameEnd: Int,
        _ value: some Collection<UInt8>,
        _ type: ValueType
    ) {
        storage.append(contentsOf: value)
        entries.append(
            Entry(
                name: Int32(start)..<Int32(nameEnd),
                value: Int32(nameEnd)..<Int32(storage.count),
                type: type
            )
        )
    }

    private func place(_ range: Range<Int32>) -> Range<Int> {
        Int(range.lowerBound)..<Int(range.upperBound)
    }

    private func isSame(_ name: Range<Int32>, _ other: Range<Int>) -> Bool {
        name.count == other.count && storage[place(name)].elementsEqual(storage[other])
    }

    /// The value of a name, or nil.
    public subscript(name: StaticString) -> ArraySlice<UInt8>? {
        for entry in entries where storage[place(entry.name)].equals(name) {
            return storage[place(entry.value)]
        }
        return nil
    }

    /// Calls `body` with each name and value, in order.
    public func forEach(
        _ body: (_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>, _ type: ValueType) -> Void
    ) {
        for entry in entries {
            body(storage[place(entry.name)], storage[place(entry.value)], entry.type)
        }
    }

    /// Appends the environ as one JSON object, bytes as code points 0 to 255.
    public func appendJSON(to out: inout [UInt8]) {
        out.append(0x7B)
        for (index, entry) in entries.enumerated() {
            if index > 0 { out.append(0x2C) }
            out.append(jsonString: storage[place(entry.name)])
            out.append(0x3A)
            let value = storage[place(entry.value)]
            switch entry.type {
            case .string: out.append(jsonString: value)
            case .literal: out.append(contentsOf: value)
            }
        }
        out.append(0x7D)
    }
}

extension Array where Element == UInt8 {
    /// Appends bytes as a JSON string in which each byte is one code point (RFC 8259 7).
    public mutating func append(jsonString bytes: some Collection<UInt8>) {
        append(0x22)
        for byte in bytes {
            switch byte {
            case 0x22, 0x5C:
                append(0x5C)
                append(byte)
            case 0x20..<0x7F:
                append(byte)
            case 0x80...:
                append(0xC0 | byte >> 6)
                append(0x80 | byte & 0x3F)
            default:
                append("\\u00")
                for digit in [byte >> 4, byte & 0xF] {
                    append(digit < 10 ? 0x30 + digit : 0x57 + digit)
                }
            }
        }
        append(0x22)
    }
}
