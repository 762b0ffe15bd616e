// Numbers as exact decimals: 1, 1.0 and 10e-1 are the same, 0.1 and 0.10000000000000001 are not.

/// Reads numbers.
enum JSONNumber {
    /// Reads a number from `at` on, and gives a hash of its exact value; nil where there is none.
    static func read(_ all: UnsafeBufferPointer<UInt8>, from at: inout Int) -> UInt64? {
        var isNegative = false
        if at < all.count, all[at] == 0x2D {
            isNegative = true
            at += 1
        }
        let first = at
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        // Zeros are added only when a digit follows, so that trailing ones do not count.
        var zeros = 0
        var hasDigits = false
        var exponent = 0
        func isDigit(_ place: Int) -> Bool { place < all.count && all[place] &- 0x30 < 10 }
        func take(_ digit: UInt8) {
            if digit == 0x30 {
                if hasDigits { zeros += 1 }
                return
            }
            while zeros > 0 {
                hash = (hash ^ 0x30) &* 0x100_0000_01B3
                zeros -= 1
            }
            hash = (hash ^ UInt64(digit)) &* 0x100_0000_01B3
            hasDigits = true
        }
        while isDigit(at) {
            take(all[at])
            at += 1
        }
        // At least one digit, and no zero before others.
        guard at > first, at == first + 1 || all[first] != 0x30 else { return nil }
        if at < all.count, all[at] == 0x2E {
            at += 1
            let start = at
            while isDigit(at) {
                take(all[at])
                at += 1
            }
            guard at > start else { return nil }
            exponent -= at - start
        }
        if at < all.count, all[at] | 0x20 == 0x65 {
            at += 1
            var sign = 1
            if at < all.count, all[at] == 0x2B || all[at] == 0x2D {
                sign = all[at] == 0x2D ? -1 : 1
                at += 1
            }
            guard isDigit(at) else { return nil }
            var written = 0
            while isDigit(at) {
                written = min(written * 10 + Int(all[at] - 0x30), 1 << 40)
                at += 1
            }
            exponent += sign * written
        }
        guard hasDigits else { return 0xA02B_DBF7_BB3C_0A7A }
        exponent += zeros
        hash ^= UInt64(bitPattern: Int64(exponent)) &* 0x9E37_79B9_7F4A_7C15
        return ContentHash.mixed(isNegative ? ~hash : hash)
    }
}
