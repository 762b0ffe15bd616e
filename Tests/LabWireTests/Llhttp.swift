// An independent judge: llhttp, the parser of Node.js and of swift-nio, in its strict mode.

// Not a product of swift-nio, but found because NIOHTTP1 depends on it: NIO's decoders would stand
// between its words and ours, with limits and rules of their own.
import CNIOLLHTTP

/// llhttp, fed with the bytes of one connection.
final class Llhttp {
    private let parser: UnsafeMutablePointer<llhttp_t>
    private let settings: UnsafeMutablePointer<llhttp_settings_t>
    /// The methods whose responses are read; nil where requests are.
    private let methods: [String]?

    private var messages: [ReadMessage] = []
    private var method: [UInt8] = []
    private var start: [UInt8] = []
    private var fields: [(name: [UInt8], value: [UInt8])] = []
    private var trailers: [(name: [UInt8], value: [UInt8])] = []
    private var content: [UInt8] = []
    private var isInTrailers = false
    private var isInName = false
    private var finalResponses = 0

    /// What llhttp makes of bytes that come at once, before the peer closes.
    ///
    /// - Parameters:
    ///   - bytes: Requests, or responses.
    ///   - methods: Those of the requests that the responses answer; nil for requests.
    /// - Returns: The messages it took for whole, and how it ended.
    static func reading(_ bytes: [UInt8], responsesTo methods: [String]? = nil) -> Reading {
        let judge = Llhttp(responsesTo: methods)
        let code = bytes.withUnsafeBytes { judge.feed($0.assumingMemoryBound(to: CChar.self)) }
        let ending: Reading.Ending
        if code != HPE_OK {
            ending = .refused(String(cString: c_nio_llhttp_errno_name(code)))
        } else {
            ending = c_nio_llhttp_finish(judge.parser) == HPE_OK ? .clean : .unfinished
        }
        return Reading(messages: judge.messages, ending: ending)
    }

    private init(responsesTo methods: [String]?) {
        self.methods = methods
        parser = .allocate(capacity: 1)
        settings = .allocate(capacity: 1)
        c_nio_llhttp_settings_init(settings)
        settings.pointee.on_message_begin = { Llhttp.of($0).begin() }
        settings.pointee.on_method = { Llhttp.of($0).take($1, $2, into: \.method) }
        settings.pointee.on_url = { Llhttp.of($0).take($1, $2, into: \.start) }
        settings.pointee.on_status = { Llhttp.of($0).take($1, $2, into: \.start) }
        settings.pointee.on_header_field = { Llhttp.of($0).takeField($1, $2, isName: true) }
        settings.pointee.on_header_value = { Llhttp.of($0).takeField($1, $2, isName: false) }
        settings.pointee.on_headers_complete = { Llhttp.of($0).endHead() }
        settings.pointee.on_body = { Llhttp.of($0).take($1, $2, into: \.content) }
        settings.pointee.on_message_complete = { Llhttp.of($0).end() }
        c_nio_llhttp_init(parser, methods == nil ? HTTP_REQUEST : HTTP_RESPONSE, settings)
        parser.pointee.data = Unmanaged.passUnretained(self).toOpaque()
    }

    deinit {
        parser.deallocate()
        settings.deallocate()
    }

    private static func of(_ parser: UnsafeMutablePointer<llhttp_t>?) -> Llhttp {
        guard let data = parser?.pointee.data else { preconditionFailure("no judge is set") }
        return Unmanaged<Llhttp>.fromOpaque(data).takeUnretainedValue()
    }

    private func feed(_ bytes: UnsafeBufferPointer<CChar>) -> llhttp_errno_t {
        guard let first = bytes.baseAddress else { return HPE_OK }
        let end = first + bytes.count
        var at = first
        while true {
            let code = c_nio_llhttp_execute(parser, at, end - at)
            // Whether another protocol is switched to is for a server to say; here it never is.
            guard code == HPE_PAUSED_UPGRADE, let place = c_nio_llhttp_get_error_pos(parser) else {
                return code
            }
            c_nio_llhttp_resume_after_upgrade(parser)
            at = place
        }
    }

    private func begin() -> CInt {
        (method, start, fields, trailers, content) = ([], [], [], [], [])
        isInTrailers = false
        isInName = false
        return 0
    }

    private func take(
        _ bytes: UnsafePointer<CChar>?,
        _ count: Int,
        into place: ReferenceWritableKeyPath<Llhttp, [UInt8]>
    ) -> CInt {
        self[keyPath: place] += UnsafeRawBufferPointer(start: bytes, count: count)
        return 0
    }

    private func takeField(_ bytes: UnsafePointer<CChar>?, _ count: Int, isName: Bool) -> CInt {
        let run = UnsafeRawBufferPointer(start: bytes, count: count)
        let place: ReferenceWritableKeyPath<Llhttp, [(name: [UInt8], value: [UInt8])]> =
            isInTrailers ? \.trailers : \.fields
        if isName, !isInName { self[keyPath: place].append(([], [])) }
        isInName = isName
        let last = self[keyPath: place].count - 1
        if isName {
            self[keyPath: place][last].name += run
        } else {
            self[keyPath: place][last].value += run
        }
        return 0
    }

    /// llhttp does not know what a response answers; 1 tells it that no content follows.
    private func endHead() -> CInt {
        isInTrailers = true
        isInName = false
        guard let methods else { return 0 }
        let status = parser.pointee.status_code
        guard status >= 200 || status == 101 else { return 0 }
        let method = finalResponses < methods.count ? methods[finalResponses] : "GET"
        finalResponses += 1
        return method == "HEAD" || method == "CONNECT" && status / 100 == 2 ? 1 : 0
    }

    private func end() -> CInt {
        let version = "HTTP/\(parser.pointee.http_major).\(parser.pointee.http_minor)"
        let words = String(decoding: start, as: UTF8.self)
        messages.append(
            ReadMessage(
                startLine: methods == nil
                    ? "\(String(decoding: method, as: UTF8.self)) \(words) \(version)"
                    : "\(version) \(parser.pointee.status_code) \(words)",
                fields: fields.map { ReadMessage.line($0.name, $0.value) },
                content: content,
                trailers: methods == nil
                    ? nil : trailers.map { ReadMessage.line($0.name, $0.value) },
                persists: c_nio_llhttp_should_keep_alive(parser) != 0
            )
        )
        // Without this, it takes a length for that of the next message, too; NIO does the same
        // (https://github.com/nodejs/llhttp/issues/202).
        parser.pointee.content_length = 0
        return 0
    }
}
