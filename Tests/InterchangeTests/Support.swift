import Interchange

/// The same numbers at every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}

extension String {
    var bytes: ArraySlice<UInt8> { Array(utf8)[...] }
}

/// Text of every kind of character, the awkward ones often.
func randomText(_ generator: inout SeededGenerator, length: ClosedRange<Int> = 1...12) -> String {
    let awkward: [Unicode.Scalar] = [
        "\"", "\\", "\n", "\r", "\t", ",", " ", "{", "}", "=", "#", "é", "\u{202e}", "🙂", "\u{0}",
        "\u{7f}",
    ]
    var text = ""
    for _ in 0..<Int.random(in: length, using: &generator) {
        if Bool.random(using: &generator), let scalar = awkward.randomElement(using: &generator) {
            text.unicodeScalars.append(scalar)
        } else {
            text.unicodeScalars.append(
                Unicode.Scalar(UInt8.random(in: 0x20..<0x7f, using: &generator)))
        }
    }
    return text
}

func randomValue(_ generator: inout SeededGenerator) -> MetricValue {
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: .decimal(Int64.random(in: .min...(.max), using: &generator), decimals: 0)
    case 1: .decimal(Int64.random(in: -1_000...1_000, using: &generator), decimals: 0)
    case 2:
        MetricValue(
            normalising: Int64.random(in: -9_999_999...9_999_999, using: &generator),
            decimals: Int.random(in: 0...9, using: &generator))
    case 3: MetricValue([.infinity, -.infinity, .nan, -0.0].randomElement(using: &generator) ?? 0)
    default: MetricValue(Double(bitPattern: generator.next() & 0xbfff_ffff_ffff_ffff))
    }
}
