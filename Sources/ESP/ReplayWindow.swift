/// Which of the last sequence numbers have come (RFC 4303 §3.4.3), as a ring of words of which
/// whole ones are cleared as the window moves (RFC 6479).
struct ReplayWindow: Sendable {
    private static let words = 32

    /// How far behind the newest number one may come and still be looked up: one word less than
    /// the ring holds, because the newest word is cleared before it is full.
    static let size = UInt32((words - 1) * 64)

    private var ring: [32 of UInt64] = .init(repeating: 0)
    /// The highest number marked; 0 if none.
    private(set) var newest: UInt32 = 0

    /// Whether a packet with this number may be new. Number 0 is never sent (RFC 4303 §2.2).
    func admits(_ number: UInt32) -> Bool {
        guard number <= newest else { return true }
        guard number > 0, newest - number < Self.size else { return false }
        let (word, bit) = Self.place(of: number)
        return ring[word] & bit == 0
    }

    /// Notes a number that was admitted, once its packet is authenticated.
    mutating func mark(_ number: UInt32) {
        if number > newest {
            let from = Int(newest / 64)
            let steps = min(Int(number / 64) - from, Self.words)
            for step in 0..<steps { ring[(from + 1 + step) % Self.words] = 0 }
            newest = number
        }
        let (word, bit) = Self.place(of: number)
        ring[word] |= bit
    }

    private static func place(of number: UInt32) -> (word: Int, bit: UInt64) {
        (Int(number / 64) % words, 1 << UInt64(number % 64))
    }
}
