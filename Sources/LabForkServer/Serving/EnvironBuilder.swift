// A request -> the environ that its application gets (PEP 3333, RFC 3875 4.1), built once.

package import LabExchange
package import LabWire

/// Builds environs for the connections of one server.
package struct EnvironBuilder {
    let serverName: [UInt8]
    let serverPort: [UInt8]
    /// `wsgi.multiprocess`.
    private let isMultiprocess: [UInt8]

    /// Makes one; `isSerial` says that one process serves all connections.
    package init(serverName: Authority, isSerial: Bool = false) {
        self.serverName = Array(serverName.host.utf8)
        serverPort = Array(String(serverName.port).utf8)
        isMultiprocess = Array((isSerial ? "false" : "true").utf8)
    }

    /// The environ of a request, and what of the request did not make it there.
    ///
    /// `wsgi.input` and `wsgi.errors` are streams that only an application in the child can hold;
    /// all else is here. A chunked request has no `CONTENT_LENGTH`: its content is not waited for,
    /// and `wsgi.input_terminated` says that it may be read to its end.
    package func environ(
        of head: RequestHead,
        peerAddress: [UInt8],
        peerPort: UInt16
    ) -> (Environ, [Deviation]) {
        var environ = Environ()
        var deviations: [Deviation] = []
        let form = head.form
        let path = pathAndQuery(head, form)
        let question = path.firstIndex(of: UInt8(ascii: "?"))
        environ.add("REQUEST_METHOD", head.method)
        environ.add("SCRIPT_NAME", [])
        environ.add("PATH_INFO", percentDecoded(path[..<(question ?? path.endIndex)]))
        environ.add("QUERY_STRING", question.map { path[path.index(after: $0)...] } ?? [])
        environ.add("REQUEST_URI", head.target)
        environ.add("RAW_URI", head.target)
        if let type = head.value(ofFirst: "content-type") { environ.add("CONTENT_TYPE", type) }
        if let length = head.value(ofFirst: "content-length") {
            environ.add("CONTENT_LENGTH", length)
        }
        environ.add("SERVER_NAME", serverName)
        environ.add("SERVER_PORT", serverPort)
        environ.add("SERVER_PROTOCOL", protocolName(head.minorVersion))
        environ.add("SERVER_SOFTWARE", Array("lab".utf8))
        environ.add("GATEWAY_INTERFACE", Array("CGI/1.1".utf8))
        environ.add("REMOTE_ADDR", peerAddress)
        environ.add("REMOTE_HOST", peerAddress)
        var port: [UInt8] = []
        port.append(decimal: peerPort)
        environ.add("REMOTE_PORT", port)
        addFields(of: head, form, &environ, &deviations)
        environ.add("wsgi.version", Array("[1,0]".utf8), as: .literal)
        environ.add("wsgi.url_scheme", Array("http".utf8))
        environ.add("wsgi.multithread", Array("false".utf8), as: .literal)
        environ.add("wsgi.multiprocess", isMultiprocess, as: .literal)
        environ.add("wsgi.run_once", Array("false".utf8), as: .literal)
        environ.add("wsgi.input_terminated", Array("true".utf8), as: .literal)
        return (environ, deviations)
    }

    /// `*` has no path (wsgiref.validate wants it empty); an absolute target has the one after its host.
    func pathAndQuery(_ head: RequestHead, _ form: RequestTarget?) -> ArraySlice<UInt8> {
        switch form {
        case .asterisk, .authority: []
        case .absolute(_, let place):
            place.isEmpty || head.bytes[place.lowerBound] == UInt8(ascii: "?")
                ? [UInt8(ascii: "/")] + head.bytes[place] : head.bytes[place]
        case .origin, nil: head.target
        }
    }

    func protocolName(_ minorVersion: Int) -> [UInt8] {
        Array("HTTP/1.".utf8) + [UInt8(ascii: "0") + UInt8(minorVersion)]
    }

    /// The `HTTP_` variables.
    ///
    /// Only letters, digits and `-` map to one name without ambiguity; a name with `_` could shadow
    /// one with `-` (RFC 9110 17.10), and `Proxy` would become `HTTP_PROXY`, which clients obey
    /// (CVE-2016-5385).
    func addFields(
        of head: RequestHead,
        _ form: RequestTarget?,
        _ environ: inout Environ,
        _ deviations: inout [Deviation],
        leavesOutCredentials: Bool = false
    ) {
        if case .absolute(let authority, _) = form {
            environ.add(field: Array("Host".utf8), value: Array(authority.text.utf8))
        }
        for field in head.fields {
            let name = head.name(of: field)
            let value = head.value(of: field)
            if name.equals(ignoringCase: "content-type")
                || name.equals(ignoringCase: "content-length")
                || name.equals(ignoringCase: "transfer-encoding")
            {
                continue
            }
            if leavesOutCredentials,
                name.equals(ignoringCase: "authorization")
                    || name.equals(ignoringCase: "proxy-authorization")
            {
                continue
            }
            if name.equals(ignoringCase: "proxy") {
                deviations.append(Deviation(.proxyFieldDropped, at: field.name.lowerBound))
            } else if name.contains(where: { !isPlain($0) }) {
                deviations.append(Deviation(.fieldNameAmbiguous, at: field.name.lowerBound))
            } else if case .absolute(let authority, _) = form, name.equals(ignoringCase: "host") {
                if Authority(value, defaultPort: 80) != authority {
                    deviations.append(Deviation(.hostDiffersFromTarget, at: field.value.lowerBound))
                }
            } else {
                environ.add(field: name, value: value)
            }
        }
    }

    private func isPlain(_ byte: UInt8) -> Bool {
        asciiLowercased(byte) &- 0x61 < 26 || byte &- 0x30 < 10 || byte == UInt8(ascii: "-")
    }
}

/// `%XX` as the byte it means, once; a `%` that is followed by no two digits stays.
package func percentDecoded(_ path: ArraySlice<UInt8>) -> [UInt8] {
    guard path.contains(UInt8(ascii: "%")) else { return Array(path) }
    var out: [UInt8] = []
    out.reserveCapacity(path.count)
    var at = path.startIndex
    while at < path.endIndex {
        if path[at] == UInt8(ascii: "%"), at + 2 < path.endIndex,
            let high = hexadecimalDigit(path[at + 1]), let low = hexadecimalDigit(path[at + 2])
        {
            out.append(high << 4 | low)
            at += 3
        } else {
            out.append(path[at])
            at += 1
        }
    }
    return out
}
