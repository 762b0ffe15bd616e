// What one run of a CGI program is about, and the environ that it becomes (RFC 3875 4.1).

package import LabExchange
package import LabWire

/// One request to a CGI program: the client's, or one that a program went on to.
package struct CGIRequest {
    package var method: ArraySlice<UInt8>
    /// The path as it came, encoded.
    package var path: ArraySlice<UInt8>
    /// The query as it came; empty for none.
    package var query: ArraySlice<UInt8>
    /// The target as it came.
    package var target: ArraySlice<UInt8>
    /// How long the content is, without its transfer coding; nil for none, or while that is not known.
    package var contentLength: UInt64?
    /// The program, once it was found.
    package var script: CGIScript?
    /// Whether it is a program that went on to here, with no content.
    package let isRedirected: Bool

    /// The client's request.
    package init(_ head: RequestHead, by environs: EnvironBuilder) {
        method = head.method
        target = head.target
        (path, query) = Self.split(environs.pathAndQuery(head, head.form))
        switch head.framing {
        case .length(let length): contentLength = length
        case .none where head.value(ofFirst: "content-length") != nil: contentLength = 0
        case .none, .chunked, .untilClose: break
        }
        isRedirected = false
    }

    /// The request as if the client had asked for this path and query (RFC 3875 6.2.2).
    ///
    /// It has no content, so that it is a GET, or a HEAD if that was asked.
    package init(_ request: CGIRequest, redirectedTo location: ArraySlice<UInt8>) {
        method = request.method.equals("HEAD") ? request.method : Array("GET".utf8)[...]
        target = location
        (path, query) = Self.split(location)
        isRedirected = true
    }

    private static func split(
        _ target: ArraySlice<UInt8>
    ) -> (path: ArraySlice<UInt8>, query: ArraySlice<UInt8>) {
        guard let question = target.firstIndex(of: UInt8(ascii: "?")) else { return (target, []) }
        return (target[..<question], target[(question + 1)...])
    }

    /// The environ, and what of the head did not make it there.
    ///
    /// It becomes the program's whole environment: the variables of RFC 3875, `REQUEST_URI` and
    /// `SCRIPT_FILENAME`, which programs of today rely on, and `PATH`. `Authorization` is left out, for
    /// other users may see a process's environment (RFC 3875 4.1.18).
    ///
    /// - Parameters:
    ///   - head: The client's request.
    ///   - origin: Where it came from.
    ///   - environs: What builds environs.
    ///   - searchPath: `PATH`.
    /// - Returns: Both.
    package func environ(
        of head: RequestHead,
        from origin: ConnectionOrigin,
        by environs: EnvironBuilder,
        searchPath: [UInt8]
    ) -> (Environ, [Deviation]) {
        var environ = Environ()
        var deviations: [Deviation] = []
        environ.add("REQUEST_METHOD", method)
        environ.add("SCRIPT_NAME", script?.name ?? [])
        environ.add("PATH_INFO", script?.pathInfo ?? percentDecoded(path))
        if let translated = script?.pathTranslated { environ.add("PATH_TRANSLATED", translated) }
        environ.add("QUERY_STRING", query)
        environ.add("REQUEST_URI", target)
        if let script { environ.add("SCRIPT_FILENAME", script.program) }
        if !isRedirected, let type = head.value(ofFirst: "content-type") {
            environ.add("CONTENT_TYPE", type)
        }
        if let contentLength {
            var text: [UInt8] = []
            text.append(decimal: contentLength)
            environ.add("CONTENT_LENGTH", text)
        }
        environ.add("SERVER_NAME", environs.serverName)
        environ.add("SERVER_PORT", environs.serverPort)
        environ.add("SERVER_PROTOCOL", environs.protocolName(head.minorVersion))
        environ.add("SERVER_SOFTWARE", Array("lab".utf8))
        environ.add("GATEWAY_INTERFACE", Array("CGI/1.1".utf8))
        environ.add("REMOTE_ADDR", origin.peerAddress)
        environ.add("REMOTE_HOST", origin.peerAddress)
        var port: [UInt8] = []
        port.append(decimal: origin.peerPort)
        environ.add("REMOTE_PORT", port)
        environs.addFields(of: head, head.form, &environ, &deviations, leavesOutCredentials: true)
        environ.add("PATH", searchPath)
        return (environ, deviations)
    }
}
