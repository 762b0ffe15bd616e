// Numbers, text of traffic, and tables: the small change of reports.

import LabSession
import Testing

@testable import LabReporter

@Suite struct `Numbers as people read them` {
    @Test(
        arguments: [
            (0, "0 ns"), (999, "999 ns"), (1000, "1.00 µs"), (12_345, "12.3 µs"),
            (412_000, "412 µs"),
            (999_499, "999 µs"), (999_500, "1.00 ms"), (1_234_567, "1.23 ms"),
            (999_499_999, "999 ms"),
            (999_500_000, "1.00 s"), (59_940_000_000, "59.9 s"), (60_000_000_000, "1 min 00 s"),
            (123_000_000_000, "2 min 03 s"), (3_720_000_000_000, "1 h 02 min"), (-5000, "-5.00 µs"),
        ] as [(Int64, String)]
    )
    func `a duration`(nanoseconds: Int64, text: String) {
        #expect(Quantity.duration(nanoseconds) == text)
    }

    @Test(
        arguments: [
            (0, "0 B"), (1023, "1023 B"), (1024, "1.00 KiB"), (100_000, "97.7 KiB"),
            (1_048_576, "1.00 MiB"), (1 << 40, "1.00 TiB"), (Int64.max, "8388608 TiB"),
        ] as [(Int64, String)]
    )
    func `an amount of data`(bytes: Int64, text: String) {
        #expect(Quantity.bytes(bytes) == text)
    }

    @Test(
        arguments: [
            (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"),
            (Int64.min, "-9,223,372,036,854,775,808"),
        ] as [(Int64, String)]
    )
    func `a count`(number: Int64, text: String) {
        #expect(Quantity.count(number) == text)
    }

    @Test func `what is not known is a dash, and never nought`() {
        #expect(Quantity.duration(nil) == "–")
        #expect(Quantity.rate(nil) == "–")
        #expect(Quantity.share(0, of: 0) == "–")
        #expect(Quantity.decimal(.nan, places: 2) == "–")
    }
}

@Suite struct `Percentiles` {
    @Test(
        arguments: [
            (0, nil, nil), (19, nil, nil), (20, 10, nil), (99, 50, nil), (100, 50, 90),
            (101, 51, 91),
        ] as [(Int, Int64?, Int64?)]
    )
    func `are known from as many values as they take`(count: Int, p50: Int64?, p90: Int64?) {
        let spread = Spread((0..<count).map { Int64(count - $0) })
        #expect(spread.p50 == p50)
        #expect(spread.p90 == p90)
        #expect(spread.max == (count > 0 ? Int64(count) : nil))
    }

    @Test(arguments: [20, 100, 1000, 10_000, 12_345])
    func `of a histogram are those of its values`(count: Int) {
        let values = (0..<count).map { Int64($0 / 7) }
        let buckets = Dictionary(grouping: values) { $0 }.sorted { $0.key < $1.key }
        #expect(Spread(buckets: buckets.map { ($0.key, $0.value.count) }) == Spread(values))
    }
}

@Suite struct `Traffic as text` {
    @Test(
        arguments: [
            (Array("a\u{1b}[2Jb".utf8), "a\\x1b[2Jb"), (Array("é – 漢".utf8), "é – 漢"),
            ([0xFF, 0x41, 0xC3], "\\xffA\\xc3"), (Array("\u{9b}31m".utf8), "\\xc2\\x9b31m"),
            (Array("a\u{202E}b".utf8), "a\\xe2\\x80\\xaeb"), (Array("a\nb".utf8), "a\\x0ab"),
        ] as [([UInt8], String)]
    )
    func `control bytes are shown and not obeyed`(bytes: [UInt8], text: String) {
        #expect(SafeText.line(bytes) == text)
    }

    @Test func `line ends and tabs of a body stay`() {
        #expect(SafeText.lines(Array("a\r\nb\tc\rd\n".utf8)) == "a\nb\tc\\x0dd\n")
    }

    @Test(arguments: [("short", 10, "short"), ("0123456789", 5, "01…89"), ("漢字漢字", 5, "漢…字")])
    func `what is too long is cut in the middle`(text: String, width: Int, cut: String) {
        #expect(SafeText.cut(text, to: width) == cut)
    }
}

@Suite struct `A table` {
    @Test func `stands in columns, wide characters counted as two`() {
        var table = Table([.text("name"), .number("n")])
        table.add(["漢字", "1"])
        table.add(["abcdef", "1234"])
        #expect(table.lines(.plain) == ["  name       n", "  漢字       1", "  abcdef  1234"])
    }
}
