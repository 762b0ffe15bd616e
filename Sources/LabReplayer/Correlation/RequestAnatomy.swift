// A rendered request taken apart: where what may be replaced stands in its bytes.

import LabWire

/// A request as it is sent, with the places of what may be replaced in it.
struct RequestAnatomy {
    let bytes: [UInt8]
    let head: RequestHead
    /// Where the content stands; of a chunked request the bytes of its one chunk.
    let content: Range<Int>
    /// Where the content's length is written: the value of `Content-Length`, or the chunk's size.
    let length: Range<Int>?
    /// Whether that is in hexadecimal.
    let isChunked: Bool

    /// Takes apart a rendered request; nil where it is none.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)),
            let head = try? RequestHead(
                parsing: Array(bytes[..<end.upperBound]),
                limits: HeadLimits(headBytes: .max, targetBytes: .max, fields: .max)
            )
        else { return nil }
        self.bytes = bytes
        self.head = head
        isChunked = head.framing == .chunked
        let field = head.fields.first { head.name(of: $0).equals(ignoringCase: "content-length") }
        guard isChunked else {
            content = end.upperBound..<bytes.count
            length = field?.value
            return
        }
        // The plan renders all content as one chunk.
        let rest = bytes[end.upperBound...]
        let line = rest.firstRange(of: [0x0D, 0x0A]) ?? rest.endIndex..<rest.endIndex
        let size = rest[..<line.lowerBound].reduce(0) { $0 << 4 | Int(hexadecimalDigit($1) ?? 0) }
        let start = line.upperBound
        content = start..<min(bytes.count, start + size)
        length = size > 0 ? end.upperBound..<line.lowerBound : nil
    }

    /// The method and the path, as rules name requests.
    var method: String { String(decoding: head.method, as: UTF8.self) }
    var target: URLParts { URLParts(bytes[head.targetPlace]) }
    var path: ArraySlice<UInt8> { bytes[target.path] }

    /// Fields that are no secrets, and `Cookie`, which has a jar of its own.
    private static let plainFields: Set<String> = [
        "host", "cookie", "user-agent", "accept", "accept-encoding", "accept-language",
        "connection",
        "content-length", "content-type", "transfer-encoding", "date", "if-modified-since",
        "if-unmodified-since", "cache-control", "pragma", "range", "via", "x-forwarded-for",
        "x-forwarded-host", "x-forwarded-proto", "forwarded", "origin", "upgrade-insecure-requests",
        "sec-websocket-key", "keep-alive", "te", "trailer", "expect",
    ]

    /// Every value that a rule can put something in place of, in the order of the bytes.
    var values: [PlacedValue] {
        var found: [PlacedValue] = []
        addTarget(to: &found)
        for field in head.fields {
            let name = String(
                decoding: head.name(of: field).map { asciiLowercased($0) },
                as: UTF8.self
            )
            guard !Self.plainFields.contains(name), !name.hasPrefix("sec-") else { continue }
            found.append(value(.header(name), field.value, .plain))
        }
        addContent(to: &found)
        return found
    }

    private func value(
        _ place: RequestPlace,
        _ range: Range<Int>,
        _ encoding: ValueEncoding
    ) -> PlacedValue {
        PlacedValue(
            place: place,
            range: range,
            value: encoding.decode(bytes[range]),
            encoding: encoding
        )
    }

    private func addTarget(to found: inout [PlacedValue]) {
        let target = target
        let segments = bytes[target.path].split(separator: UInt8(ascii: "/"))
        for (index, segment) in segments.enumerated() {
            found.append(
                value(.segment(index + 1), segment.startIndex..<segment.endIndex, .percent)
            )
        }
        for field in target.query {
            found.append(value(.query(field.name), field.value, .form))
        }
    }

    private func addContent(to found: inout [PlacedValue]) {
        guard !content.isEmpty, length != nil, head.value(ofFirst: "content-encoding") == nil,
            let type = head.value(ofFirst: "content-type")
        else { return }
        let media = MediaType(type)
        if media.isForm {
            for field in URLParts.fields(bytes[content], .form) {
                found.append(value(.form(field.name), field.value, .form))
            }
        } else if media.isJSON {
            for leaf in JSONLeaves.of(bytes[content]) ?? [] {
                found.append(
                    PlacedValue(
                        place: .json(leaf.pointer),
                        range: leaf.range,
                        value: leaf.value,
                        encoding: leaf.isString ? .json : .plain,
                        isNumber: !leaf.isString
                    )
                )
            }
        } else if let boundary = media.boundary {
            addParts(boundary, to: &found)
        }
    }

    /// The fields of a multipart form (RFC 7578), files left out.
    private func addParts(_ boundary: [UInt8], to found: inout [PlacedValue]) {
        let mark = Array("--".utf8) + boundary
        var at = content.lowerBound
        while let start = bytes[at..<content.upperBound].firstRange(of: mark),
            let headEnd = bytes[start.upperBound..<content.upperBound]
                .firstRange(of: Array("\r\n\r\n".utf8)),
            let end = bytes[headEnd.upperBound..<content.upperBound]
                .firstRange(of: [0x0D, 0x0A] + mark)
        {
            at = end.lowerBound
            let partHead = bytes[start.upperBound..<headEnd.lowerBound]
            guard partHead.firstRange(of: Array("filename".utf8)) == nil,
                let name = partHead.firstRange(of: Array(" name=\"".utf8)),
                let close = partHead[name.upperBound...].firstIndex(of: UInt8(ascii: "\""))
            else { continue }
            let field = String(decoding: partHead[name.upperBound..<close], as: UTF8.self)
            found.append(value(.part(field), headEnd.upperBound..<end.lowerBound, .plain))
        }
    }
}
