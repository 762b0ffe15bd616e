// A path -> the program that it names below a directory (RFC 3875 3.3), and no way out of it.

import Glibc
import LabWire

/// The program that a request's path names, and the rest of the path.
package struct CGIScript: Equatable {
    /// Why there is nothing to run.
    package enum Refusal: Error {
        /// No file is there, or none that may be named by a path.
        case missing
        /// The file is not executable.
        case forbidden
    }

    /// The program's file.
    package let program: [UInt8]
    /// `SCRIPT_NAME`: the part of the path that names the program, decoded.
    package let name: [UInt8]
    /// `PATH_INFO`: the rest of the path, decoded.
    package let pathInfo: [UInt8]
    /// `PATH_TRANSLATED`: the rest of the path as one below the directory; nil where there is none, or
    /// where it would lead out.
    package let pathTranslated: [UInt8]?

    /// Of the one program that answers all paths.
    ///
    /// - Throws: ``Refusal`` for a path that no environment can hold.
    package init(only program: [UInt8], path: ArraySlice<UInt8>) throws(Refusal) {
        self.program = program
        name = []
        pathInfo = percentDecoded(path)
        pathTranslated = nil
        guard !pathInfo.contains(0) else { throw .missing }
    }

    /// Of the first file on the path below `root`.
    ///
    /// The path's steps are decoded one by one, so that an encoded slash parts nothing: a step that holds
    /// one, or that is empty or begins with a dot (`..` does), names no file. What stands behind the
    /// program's name is the program's own affair, and decoded as a whole.
    ///
    /// - Throws: ``Refusal``.
    package init(below root: [UInt8], path: ArraySlice<UInt8>) throws(Refusal) {
        let slash = UInt8(ascii: "/")
        guard !percentDecoded(path).contains(0) else { throw .missing }
        var file = root
        var rest = path
        while true {
            guard rest.first == slash else { throw .missing }
            let raw = rest.dropFirst().prefix { $0 != slash }
            let step = percentDecoded(raw)
            guard let first = step.first, first != UInt8(ascii: "."), !step.contains(slash) else {
                throw .missing
            }
            if file.last != slash { file.append(slash) }
            file += step
            rest = rest[raw.endIndex...]
            switch Self.kind(of: file) {
            case S_IFREG: break
            case S_IFDIR: continue
            default: throw .missing
            }
            break
        }
        try Self.check(file, isBelow: root)
        program = file
        name = percentDecoded(path[..<rest.startIndex])
        pathInfo = percentDecoded(rest)
        let leadsOut = pathInfo.split(separator: slash).contains { $0.allSatisfy { $0 == 0x2E } }
        pathTranslated =
            pathInfo.isEmpty || leadsOut
            ? nil : (root.last == slash ? root.dropLast() : root) + pathInfo
    }

    /// Symbolic links are followed as long as they stay below the directory.
    private static func check(_ file: [UInt8], isBelow root: [UInt8]) throws(Refusal) {
        guard let real = file.asPath({ realpath($0, nil) }) else { throw .missing }
        defer { free(real) }
        let place = root.last == UInt8(ascii: "/") ? root : root + [UInt8(ascii: "/")]
        let bytes = UnsafeRawBufferPointer(start: real, count: strlen(real))
        guard bytes.starts(with: place) else { throw .missing }
        guard access(real, X_OK) == 0 else { throw .forbidden }
    }

    private static func kind(of path: [UInt8]) -> mode_t? {
        var facts = stat()
        return path.asPath { stat($0, &facts) } == 0 ? facts.st_mode & S_IFMT : nil
    }
}

extension Array where Element == UInt8 {
    /// Calls `body` with the bytes as C's functions take a path.
    func asPath<Result>(_ body: (UnsafePointer<CChar>) -> Result) -> Result {
        body(map { CChar(bitPattern: $0) } + [0])
    }
}
