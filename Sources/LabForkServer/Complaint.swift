// The fork server's few sentences for a person.

import Glibc

/// Says a sentence on standard error.
public func complainAsForkServer(_ sentence: String) {
    let line = Array("lab-forkserver: \(sentence)\n".utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
}
