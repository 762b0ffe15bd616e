// An independent judge: llhttp must read the same out of the same bytes, or the list says why not.

import LabTestSupport
import LabWire
import Testing

private func samples(_ count: Int, makesResponses: Bool) -> Set<MessageGenerator.Sample> {
    var generator = MessageGenerator(seed: 1, makesResponses: makesResponses)
    var samples: Set<MessageGenerator.Sample> = []
    while samples.count < count { samples.insert(generator.sample()) }
    return samples
}

/// What comparing our readers with llhttp brought to light.
private struct Comparison {
    /// Differences that no list explains.
    var unlisted: [String] = []
    /// The codes of those that explain one.
    var shown: Set<String> = []
    /// How many of the samples both read as whole messages to the end.
    var agreed = 0

    mutating func take(_ sample: MessageGenerator.Sample, _ list: [KnownDifference]) {
        let ours = Reading(sample.bytes, responsesTo: sample.methods)
        let theirs = Llhttp.reading(sample.bytes, responsesTo: sample.methods)
        guard let difference = Difference(ours, theirs) else {
            if ours.ending == .clean { agreed += 1 }
            return
        }
        let sight = Sight(text: String(decoding: sample.bytes, as: UTF8.self))
        if let known = list.first(where: { $0.explains(difference, sight) }) {
            shown.insert(known.code)
        } else {
            unlisted.append(
                "ours \(difference.ours), llhttp \(difference.theirs): \(sight.text.debugDescription)"
            )
        }
    }
}

@Suite struct OracleTests {
    @Test func `llhttp reads the same out of the same bytes, or the list says why not`() {
        var comparison = Comparison()
        for makesResponses in [false, true] {
            for sample in samples(6000, makesResponses: makesResponses) {
                comparison.take(sample, knownDifferences)
            }
        }
        #expect(comparison.unlisted == [])
        // What no message shows any more is to be taken off the list.
        let codes = knownDifferences.map(\.code)
        #expect(codes.filter { !comparison.shown.contains($0) } == [])
        #expect(Set(codes).count == codes.count)
        #expect(comparison.agreed > 3000)
    }

    @Test func `a difference that is not listed is found`() {
        let bytes = Array("GET / HTTP/1.1\r\n\r\n".utf8)
        var comparison = Comparison()
        comparison.take(MessageGenerator.Sample(bytes: bytes), knownDifferences)
        #expect(comparison.shown == ["host-missing"])
        comparison.take(
            MessageGenerator.Sample(bytes: bytes),
            knownDifferences.filter { $0.code != "host-missing" }
        )
        #expect(comparison.unlisted.count == 1)
    }

    /// Wherever the bytes are cut, they are read as if they had come at once.
    @Test(arguments: [false, true])
    func `split anywhere, read the same`(makesResponses: Bool) {
        var random = SplitMix64(seed: 2)
        for sample in samples(2500, makesResponses: makesResponses) {
            let places = sample.bytes.indices
            let whole = Reading(sample.bytes, responsesTo: sample.methods)
            func check(_ cuts: [Int]) {
                let split = Reading(sample.bytes, cuts: cuts, responsesTo: sample.methods)
                let text = String(decoding: sample.bytes, as: UTF8.self).debugDescription
                #expect(split == whole, "cut at \(cuts): \(text)")
            }
            check(Array(places))
            if places.count <= 100 {
                for place in places { check([place]) }
            } else {
                for _ in 0..<4 {
                    check((0..<3).map { _ in Int.random(in: places, using: &random) }.sorted())
                }
            }
        }
    }
}
