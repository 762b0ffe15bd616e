// What a message says of the form of its content.

import LabWire

/// What a `Content-Type` says of how to read a content.
struct MediaType {
    private let raw: [UInt8]
    private let text: [UInt8]

    init(_ value: ArraySlice<UInt8>) {
        raw = Array(value)
        text = raw.map { asciiLowercased($0) }
    }

    private var essence: ArraySlice<UInt8> {
        text.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }
    }

    var isForm: Bool { essence.equals("application/x-www-form-urlencoded") }
    var isJSON: Bool {
        essence.equals("application/json") || essence.suffix(5).equals("+json")
    }
    var isMarkup: Bool {
        essence.equals("text/html") || essence.suffix(4).equals("+xml")
            || essence.suffix(4).equals("/xml")
    }
    var isText: Bool {
        essence.starts(with: "text/".utf8) || essence.suffix(10).equals("javascript") || isMarkup
    }

    /// The boundary of a multipart form.
    var boundary: [UInt8]? {
        guard essence.equals("multipart/form-data"),
            let name = text.firstRange(of: Array("boundary=".utf8))
        else { return nil }
        let value = raw[name.upperBound...].prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 }
        return value.filter { $0 != UInt8(ascii: "\"") }
    }
}
