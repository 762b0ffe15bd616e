// Memory that grows and never moves: workers hold plain pointers into it while the rest of a large
// session is still being appended, and what was sent is given back in the middle.

import Glibc

/// Elements that are appended by one thread and read by others, at addresses that stay.
///
/// A wide range of addresses is reserved at first; memory is taken as elements come (mmap(2),
/// mprotect(2)). The one that appends says to the others, by means of its own, how many there are.
final class StableMemory<Element: BitwiseCopyable>: @unchecked Sendable {
    // Unchecked: whoever appends publishes, and only what was published is read.
    let base: UnsafeMutablePointer<Element>
    private(set) var count = 0
    private let reserved: Int
    private var usable = 0

    private static var pageSize: Int { 4096 }
    private static var growth: Int { 1 << 20 }

    /// Reserves addresses for so many bytes, or where the process may not have them, for fewer.
    init(mostBytes: Int = 1 << 40) {
        var size = mostBytes
        while true {
            let start = mmap(
                nil,
                size,
                PROT_NONE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                -1,
                0
            )
            if let start, start != MAP_FAILED {
                base = start.bindMemory(
                    to: Element.self,
                    capacity: size / MemoryLayout<Element>.stride
                )
                reserved = size
                return
            }
            size /= 4
            // As an allocation that fails ends the process, so does this one.
            precondition(size >= Self.growth, "no memory for what is to be sent")
        }
    }

    deinit { munmap(base, reserved) }

    /// Adds an element.
    func append(_ element: Element) {
        makeRoom(for: 1)
        (base + count).initialize(to: element)
        count += 1
    }

    /// Copies `elements` to the end; gives where they begin.
    func append(contentsOf elements: [Element]) -> Int {
        makeRoom(for: elements.count)
        elements.withUnsafeBufferPointer { all in
            if let first = all.baseAddress { (base + count).update(from: first, count: all.count) }
        }
        defer { count += elements.count }
        return count
    }

    private func makeRoom(for more: Int) {
        let needed = (count + more) * MemoryLayout<Element>.stride
        guard needed > usable else { return }
        // In steps of a fraction of what is there: a large session needs few calls.
        let step = Swift.max(Self.growth, Swift.min(usable / 8, 64 * Self.growth))
        let size = Swift.min(reserved, (needed + step - 1) / step * step)
        precondition(
            needed <= size && mprotect(base, size, PROT_READ | PROT_WRITE) == 0,
            "no memory for what is to be sent"
        )
        usable = size
    }

    /// Takes away all elements from `place` on.
    func removeAll(from place: Int) { count = Swift.min(count, place) }

    /// Gives back the memory of elements that nobody reads any more, by whole pages.
    func release(_ places: Range<Int>) {
        let stride = MemoryLayout<Element>.stride
        let first = (places.lowerBound * stride + Self.pageSize - 1) / Self.pageSize * Self.pageSize
        let end = places.upperBound * stride / Self.pageSize * Self.pageSize
        guard end > first else { return }
        madvise(UnsafeMutableRawPointer(base) + first, end - first, MADV_DONTNEED)
    }
}

extension StableMemory: RandomAccessCollection {
    var startIndex: Int { 0 }
    var endIndex: Int { count }

    /// The element at a place below ``count``.
    subscript(place: Int) -> Element {
        get { base[place] }
        set { base[place] = newValue }
    }
}
