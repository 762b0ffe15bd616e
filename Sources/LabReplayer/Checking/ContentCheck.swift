// Is this the content that was captured? Compared as it comes, never gathered: while it is equal,
// nothing is kept; from the first difference on it is hashed, and as much as is wanted is kept.

import Crypto
import Glibc
import LabExchange

/// Compares one answer's content with the captured one.
struct ContentCheck {
    private let captured: CapturedContent
    private let arena: UnsafePointer<UInt8>
    private let most: Int
    /// How many bytes came.
    private var size = 0
    /// Hashes what came, from the moment when it must be known.
    private var hash: SHA256?
    private var kept: [UInt8] = []

    /// Begins a check; at most `most` bytes of a differing content are kept.
    init(_ captured: CapturedContent, _ arena: UnsafePointer<UInt8>, most: Int) {
        self.captured = captured
        self.arena = arena
        self.most = most
        // The rest of a cut capture is known by its digest only, so all of it must be hashed.
        if !captured.isWhole { hash = SHA256() }
    }

    /// Takes a run of content.
    mutating func take(_ run: UnsafeRawBufferPointer) {
        guard let first = run.baseAddress, run.count > 0 else { return }
        if hash == nil {
            if size + run.count <= captured.size,
                memcmp(first, arena + captured.place + size, run.count) == 0
            {
                size += run.count
                return
            }
            startHashing()
        }
        hash?.update(bufferPointer: run)
        keep(run)
        size += run.count
    }

    /// The content, where it is not the captured one; nil where it is.
    mutating func end() -> DifferingBody? {
        if hash == nil {
            if size == captured.size { return nil }
            startHashing()
        }
        guard let digest = hash.map({ Array($0.finalize()) }) else { return nil }
        if !captured.isWhole, size == captured.size,
            memcmp(digest, arena + captured.digest, CapturedContent.digestSize) == 0
        {
            return nil
        }
        return DifferingBody(digest: digest, size: Int64(size), bytes: kept)
    }

    /// What came so far is the captured content's beginning: it is hashed and kept from there.
    private mutating func startHashing() {
        let prefix = UnsafeRawBufferPointer(start: arena + captured.place, count: size)
        hash = SHA256()
        hash?.update(bufferPointer: prefix)
        keep(prefix)
    }

    private mutating func keep(_ run: UnsafeRawBufferPointer) {
        kept.append(contentsOf: run.prefix(max(0, most - kept.count)))
    }
}
