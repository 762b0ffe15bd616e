// A path in which one or more `*` stand for what varies.

import LabWire

/// A path with `*` for what varies; a `*` never reaches over a `/`.
struct PathPattern: Sendable, Equatable, Hashable {
    /// The pattern as it is written.
    let text: String

    init(_ text: String) { self.text = text }

    /// The pattern of a path: segments that look like tokens, or are numbers, are `*`.
    init(ofPath path: some Collection<UInt8>) {
        text = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
            .map { segment in
                let value = ValueEncoding.percent.decode(Array(segment)[...])
                let isNumber = !value.isEmpty && value.allSatisfy { $0 &- 0x30 < 10 }
                let varies = isNumber || !Token.candidates(in: value).isEmpty
                return varies ? "*" : String(decoding: segment, as: UTF8.self)
            }.joined(separator: "/")
    }

    /// What each `*` stands for in a path; nil where the path is another one.
    func match(_ path: ArraySlice<UInt8>) -> [Range<Int>]? {
        var found: [Range<Int>] = []
        let slash = UInt8(ascii: "/")
        let mine = text.utf8.split(separator: slash, omittingEmptySubsequences: false)
        let theirs = path.split(separator: slash, omittingEmptySubsequences: false)
        guard mine.count == theirs.count else { return nil }
        for (pattern, segment) in zip(mine, theirs) {
            let pieces = pattern.split(
                separator: UInt8(ascii: "*"),
                maxSplits: 1,
                omittingEmptySubsequences: false
            )
            guard pieces.count == 2, let head = pieces.first, let tail = pieces.last else {
                guard segment.elementsEqual(pattern) else { return nil }
                continue
            }
            guard segment.count > head.count + tail.count, segment.starts(with: head),
                segment.suffix(tail.count).elementsEqual(tail)
            else { return nil }
            found.append((segment.startIndex + head.count)..<(segment.endIndex - tail.count))
        }
        return found
    }
}

/// A URL or a request target, taken apart.
struct URLParts {
    /// The path, as a place in the bytes.
    var path: Range<Int>
    /// The query's fields: the name, decoded, and where the value stands.
    var query: [(name: String, value: Range<Int>)]

    /// Takes apart an absolute URL, or a path with a query; the fragment is left out.
    init(_ bytes: ArraySlice<UInt8>) {
        var start = bytes.startIndex
        if let mark = bytes.firstRange(of: Array("://".utf8)), mark.lowerBound - start < 8 {
            start = bytes[mark.upperBound...].firstIndex(of: UInt8(ascii: "/")) ?? bytes.endIndex
        }
        let end = bytes[start...].firstIndex(of: UInt8(ascii: "#")) ?? bytes.endIndex
        let question = bytes[start..<end].firstIndex(of: UInt8(ascii: "?")) ?? end
        path = start..<question
        query = question < end ? Self.fields(bytes[(question + 1)..<end], .form) : []
    }

    /// The fields of a query or of a form.
    static func fields(
        _ bytes: ArraySlice<UInt8>,
        _ encoding: ValueEncoding
    ) -> [(name: String, value: Range<Int>)] {
        bytes.split(separator: UInt8(ascii: "&")).compactMap { field in
            guard let equals = field.firstIndex(of: UInt8(ascii: "=")) else { return nil }
            let name = String(decoding: encoding.decode(field[..<equals]), as: UTF8.self)
            return (name, (equals + 1)..<field.endIndex)
        }
    }
}
