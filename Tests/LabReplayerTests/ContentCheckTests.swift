import Crypto
import LabExchange
import Testing

@testable import LabReplayer

struct ContentCheckTests {
    private func check(
        _ came: [String],
        against captured: String,
        kept: Int? = nil,
        most: Int = 100
    ) -> DifferingBody? {
        let arena = StableMemory<UInt8>()
        let bytes = Array(captured.utf8)
        _ = arena.append(contentsOf: Array(SHA256.hash(data: bytes)))
        let keptBytes = Array(bytes.prefix(kept ?? bytes.count))
        let content = CapturedContent(
            place: arena.append(contentsOf: keptBytes),
            size: bytes.count,
            isWhole: kept == nil
        )
        var check = ContentCheck(content, UnsafePointer(arena.base), most: most)
        for run in came { Array(run.utf8).withUnsafeBytes { check.take($0) } }
        return check.end()
    }

    @Test(arguments: [nil, 0, 3, 10])
    func `the captured content is recognized in any runs`(kept: Int?) {
        for cut in 0...10 {
            let text = "0123456789"
            let runs = [String(text.prefix(cut)), String(text.dropFirst(cut))]
            #expect(check(runs, against: text, kept: kept) == nil)
        }
        #expect(check([], against: "") == nil)
    }

    @Test(arguments: [nil, 0, 3, 10])
    func `any other content is told, whole, by its digest`(kept: Int?) {
        for other in ["0123456780", "x123456789", "012345678", "01234567890", "", "01234x6789"] {
            for cut in 0...other.count {
                let runs = [String(other.prefix(cut)), String(other.dropFirst(cut))]
                let bytes = Array(other.utf8)
                let body = DifferingBody(
                    digest: Array(SHA256.hash(data: bytes)),
                    size: Int64(bytes.count),
                    bytes: bytes
                )
                #expect(check(runs, against: "0123456789", kept: kept) == body)
            }
        }
    }

    @Test func `no more is kept than is wanted, wherever the difference is`() {
        #expect(check(["01234", "5678x"], against: "0123456789", most: 3)?.bytes.count == 3)
        #expect(check(["x"], against: "0123456789", most: 0)?.bytes == [])
        #expect(
            check(["01", "x", "yz"], against: "0123456789", most: 4)?.bytes == Array("01xy".utf8)
        )
    }
}
