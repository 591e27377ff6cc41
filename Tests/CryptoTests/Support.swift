import Crypto

extension [UInt8] {
    /// Reads hex digits; blanks do not count.
    init(hex text: String) {
        let digits = text.compactMap(\.hexDigitValue)
        precondition(digits.count % 2 == 0, "hex comes in pairs of digits")
        self = stride(from: 0, to: digits.count, by: 2).map {
            UInt8(digits[$0] << 4 | digits[$0 + 1])
        }
    }
}

extension SecretBytes {
    init(hex text: String) { self.init(copying: [UInt8](hex: text)) }

    /// For comparing with what the test knows anyway.
    borrowing func revealed() -> [UInt8] {
        withBytes { bytes in bytes.indices.map { bytes[$0] } }
    }
}

/// Says the same bytes each time: a private key out of an RFC.
final class FixedRandom: RandomSource {
    private let answers: [[UInt8]]
    private(set) var draws = 0

    init(_ answers: [UInt8]...) { self.answers = answers }

    func fill(_ bytes: inout MutableSpan<UInt8>) {
        let answer = answers[Swift.min(draws, answers.count - 1)]
        draws += 1
        for index in bytes.indices { bytes[index] = answer[index] }
    }
}
